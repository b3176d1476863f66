// The chunks of state that an operator writes at a checkpoint and reads at a restore.

package tidegate

import (
	"slices"
	"unsafe"
)

// The names of the chunks of an operator.
const (
	keyedName = "keyed"
	itemsName = "items"
)

// writeKeyed returns the chunks of all keys, by rising key group.
func writeKeyed[S any](keys *Keys[S], codec *codec, version uint32) ([]StateChunk, error) {
	first := keys.context.FirstKeyGroup
	ranks, groups := keys.table.inOrder(first, keys.context.LastKeyGroup)
	if len(ranks) == 0 {
		return nil, nil
	}
	e := encoder{bytes: make([]byte, 0, expectedBytes(ranks))}
	type written struct {
		group      uint32
		start, end int
	}
	var chunks []written
	for index := range len(groups) - 1 {
		ofGroup := ranks[groups[index]:groups[index+1]]
		if len(ofGroup) == 0 {
			continue
		}
		start := len(e.bytes)
		e.bytes = append(e.bytes, keyedMagic...)
		e.length(len(ofGroup))
		for _, rank := range ofGroup {
			writeEntry(&e, rank.entry.key, codec, unsafe.Pointer(&rank.entry.state))
		}
		if e.failure != nil {
			return nil, e.failure
		}
		chunks = append(chunks, written{first + uint32(index), start, len(e.bytes)})
	}
	made := make([]StateChunk, len(chunks))
	for index, chunk := range chunks {
		made[index] = StateChunk{
			Name:          keyedName,
			SchemaVersion: version,
			HasKeyGroup:   true,
			KeyGroup:      chunk.group,
			Bytes:         e.bytes[chunk.start:chunk.end:chunk.end],
		}
	}
	return made, nil
}

// expectedBytes returns the bytes of the entries if their values are as short as most are.
func expectedBytes[S any](ranks []rank[S]) int {
	bytes := 0
	for _, rank := range ranks {
		bytes += len(rank.entry.key)
	}
	const lengthsAndValue = 8
	return bytes + len(ranks)*lengthsAndValue
}

// sortedChunks are the chunks of a restore, by kind.
type sortedChunks struct {
	keyed []StateChunk
	items RestoredItems
}

func sortOut(chunks []StateChunk, version uint32) (sortedChunks, error) {
	sorted := sortedChunks{items: RestoredItems{current: version}}
	for _, chunk := range chunks {
		switch {
		case chunk.Name == keyedName && chunk.HasKeyGroup:
			sorted.keyed = append(sorted.keyed, chunk)
		case chunk.Name == itemsName && !chunk.HasKeyGroup:
			if err := sorted.items.push(chunk); err != nil {
				return sorted, err
			}
		default:
			return sorted, incompatible(
				"it has a chunk `" + chunk.Name + "`, which this operator did not write")
		}
	}
	slices.SortStableFunc(sorted.keyed, func(left, right StateChunk) int {
		return int(int64(left.KeyGroup) - int64(right.KeyGroup))
	})
	return sorted, nil
}

// stateReader reads the values of a restore.
type stateReader[S any] struct {
	keys    *Keys[S]
	codec   *codec
	version uint32
	migrate func(version uint32, bytes []byte) (S, error)
}

// readAll reads keyed state into keys that are empty.
func (r *stateReader[S]) readAll(chunks []StateChunk) error {
	for index, chunk := range chunks {
		if index > 0 && chunks[index-1].KeyGroup == chunk.KeyGroup {
			return inGroup(chunk.KeyGroup, "it is there twice")
		}
	}
	readers := make([]keyedReader, len(chunks))
	entries := 0
	for index, chunk := range chunks {
		reader, broken := readKeyed(chunk.Bytes)
		if broken != intact {
			return inGroup(chunk.KeyGroup, string(broken))
		}
		readers[index] = reader
		entries += int(reader.entries)
	}
	// Growing the index step by step would take most of the time of a restore.
	r.keys.table.index.reserve(entries)
	for index, chunk := range chunks {
		if err := r.readGroup(&chunk, &readers[index]); err != nil {
			return err
		}
	}
	return nil
}

func (r *stateReader[S]) readGroup(chunk *StateChunk, reader *keyedReader) error {
	context := r.keys.context
	if !context.Owns(chunk.KeyGroup) {
		return inGroup(chunk.KeyGroup, "this subtask does not own it")
	}
	for {
		key, value, ok, broken := reader.next()
		switch {
		case broken != intact:
			return inGroup(chunk.KeyGroup, string(broken))
		case !ok:
			return nil
		case KeyGroup(key, context.MaxParallelism) != chunk.KeyGroup:
			return inGroup(chunk.KeyGroup, "it has a key of another key group")
		}
		added := r.keys.table.at(r.keys.table.insert(string(key), chunk.KeyGroup))
		if err := r.readValue(chunk.SchemaVersion, value, &added.state); err != nil {
			return err
		}
	}
}

func (r *stateReader[S]) readValue(version uint32, bytes []byte, state *S) error {
	if version == r.version {
		return decodeInto(r.codec, bytes, unsafe.Pointer(state))
	}
	migrated, err := r.migrate(version, bytes)
	*state = migrated
	return err
}

func inGroup(keyGroup uint32, reason string) error {
	return incompatible("the chunk of key group " + decimal(keyGroup) + ": " + reason)
}

func decodeInto(codec *codec, bytes []byte, at unsafe.Pointer) error {
	d := decoder{rest: bytes}
	codec.decode(&d, at)
	return d.finish()
}

// ReadState reads a value that an earlier version of the operator wrote, to the last byte. It is
// for [Migrator]. It returns an [IncompatibleStateError] if the bytes can't be read.
func ReadState[T any](bytes []byte) (T, error) {
	var value T
	codec, err := codecOf[T]()
	if err == nil {
		err = decodeInto(codec, bytes, unsafe.Pointer(&value))
	}
	return value, err
}
