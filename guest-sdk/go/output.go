// The records that a call emits, by output port.

package tidegate

// Output takes the records that a call emits, each into its port.
//
// Emitted bytes are copied at once. A record inherits the timestamp of the record that is being
// processed; in OnWatermark and OnFinish it has no timestamp, unless [Output.At] sets it.
type Output struct {
	main        batchBuilder
	side        []*batchBuilder
	ports       uint32
	inherited   int64
	unknownPort int64
	emissions   []Emission
}

// noPort is the value of unknownPort as long as all ports were known.
const noPort = -1

func newOutput(ports int) *Output {
	return &Output{ports: uint32(max(ports, 1)), inherited: NoTimestamp, unknownPort: noPort}
}

// Emit sends a record to the main output, port 0.
func (o *Output) Emit(key, value []byte) { o.inheriting().Emit(key, value) }

// EmitText sends a record whose value is text.
func (o *Output) EmitText(key []byte, value string) { o.inheriting().EmitText(key, value) }

// EmitInt sends a record whose value is a number, as decimal text.
func (o *Output) EmitInt(key []byte, value int64) { o.inheriting().EmitInt(key, value) }

// EmitUint sends a record whose value is a number, as decimal text.
func (o *Output) EmitUint(key []byte, value uint64) { o.inheriting().EmitUint(key, value) }

// EmitLe64 sends a record whose value is a number, as eight little-endian bytes: half the work of
// decimal text, and a fixed width. Convert an unsigned number or the bits of a float to int64
// first.
func (o *Output) EmitLe64(key []byte, value int64) { o.inheriting().EmitLe64(key, value) }

// To names the port that the record goes to; its index in [Context.Outputs]. A port that does not
// exist fails the call.
func (o *Output) To(port uint32) Emitter {
	return Emitter{batch: o.port(port), timestamp: o.inherited}
}

// At sets the record's event time, in milliseconds since the Unix epoch, or [NoTimestamp].
func (o *Output) At(timestamp int64) Emitter {
	return Emitter{batch: &o.main, timestamp: timestamp}
}

func (o *Output) inheriting() Emitter {
	return Emitter{batch: &o.main, timestamp: o.inherited}
}

func (o *Output) port(port uint32) *batchBuilder {
	if port == 0 {
		return &o.main
	}
	if port >= o.ports {
		if o.unknownPort == noPort {
			o.unknownPort = int64(port)
		}
		// This batch takes the record; the call fails at its end.
		return new(batchBuilder)
	}
	for len(o.side) < int(port) {
		o.side = append(o.side, new(batchBuilder))
	}
	return o.side[port-1]
}

// begin drops the output of the last call, which the host has read by now.
func (o *Output) begin() {
	o.inherited = NoTimestamp
	o.unknownPort = noPort
	o.main.clear()
	for _, side := range o.side {
		side.clear()
	}
}

// take returns the output since begin. It is valid until the next begin.
func (o *Output) take() ([]Emission, error) {
	if o.unknownPort != noPort {
		return nil, &outputError{port: uint32(o.unknownPort), ports: o.ports}
	}
	o.emissions = o.emissions[:0]
	o.takePort(0, &o.main)
	for index, side := range o.side {
		o.takePort(uint32(index)+1, side)
	}
	return o.emissions, nil
}

func (o *Output) takePort(port uint32, batch *batchBuilder) {
	if batch.rows() > 0 {
		o.emissions = append(o.emissions, Emission{Port: port, Records: batch.finish()})
	}
}

type outputError struct{ port, ports uint32 }

func (e *outputError) Error() string {
	return "a record was emitted to output port " + decimal(e.port) +
		", but the operator has " + decimal(e.ports)
}

// Emitter sends records to one port with one timestamp. [Output.To] and [Output.At] make an
// Emitter.
type Emitter struct {
	batch     *batchBuilder
	timestamp int64
}

// At sets the record's event time, in milliseconds since the Unix epoch, or [NoTimestamp].
func (e Emitter) At(timestamp int64) Emitter {
	e.timestamp = timestamp
	return e
}

// Emit sends a record.
func (e Emitter) Emit(key, value []byte) {
	e.batch.beginRow(e.timestamp, key)
	e.batch.values = append(e.batch.values, value...)
	e.batch.endRow()
}

// EmitText sends a record whose value is text.
func (e Emitter) EmitText(key []byte, value string) {
	e.batch.beginRow(e.timestamp, key)
	e.batch.values = append(e.batch.values, value...)
	e.batch.endRow()
}

// EmitInt sends a record whose value is a number, as decimal text.
func (e Emitter) EmitInt(key []byte, value int64) {
	e.batch.beginRow(e.timestamp, key)
	e.batch.values = appendInt(e.batch.values, value)
	e.batch.endRow()
}

// EmitUint sends a record whose value is a number, as decimal text.
func (e Emitter) EmitUint(key []byte, value uint64) {
	e.batch.beginRow(e.timestamp, key)
	e.batch.values = appendUint(e.batch.values, value)
	e.batch.endRow()
}

// EmitLe64 sends a record whose value is a number, as eight little-endian bytes.
func (e Emitter) EmitLe64(key []byte, value int64) {
	e.batch.beginRow(e.timestamp, key)
	e.batch.values = appendLe64(e.batch.values, value)
	e.batch.endRow()
}
