// Readings of a record: the accepted texts, and the named refusals.

package tidegate

import (
	"math"
	"strconv"
	"testing"
)

func said(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		t.Error("there is no error")
		return ""
	}
	return err.Error()
}

func TestNumbersAreReadAsRustReadsThem(t *testing.T) {
	for _, number := range []int64{math.MinInt64, -100, -1, 0, 1, 9, 10, math.MaxInt64} {
		text := strconv.FormatInt(number, 10)
		if read, err := (&Record{value: []byte(text)}).ValueInt(); err != nil || read != number {
			t.Errorf("%s was read as %d, %v", text, read, err)
		}
	}
	refused := []string{"", "-", "+1", " 1", "1 ", "1.0", "--1", "1_0", "9223372036854775808",
		"-9223372036854775809", "99999999999999999999", "18446744073709551616"}
	for _, text := range refused {
		record := &Record{row: 3, value: []byte(text)}
		_, err := record.ValueInt()
		const problem = "invalid record 3: the value is not a decimal number of type i64"
		if says := said(t, err); says != problem {
			t.Errorf("of %q it says %q", text, says)
		}
	}
	largest := &Record{value: []byte("18446744073709551615")}
	if read, err := ValueAs[uint64](largest); err != nil || read != math.MaxUint64 {
		t.Errorf("the largest was read as %d, %v", read, err)
	}
}

func TestANumberFitsItsType(t *testing.T) {
	read := func(text string) (errors int) {
		record := &Record{key: []byte(text)}
		for _, failed := range []error{
			second(KeyAs[int8](record)), second(KeyAs[uint8](record)),
			second(KeyAs[int16](record)), second(KeyAs[uint32](record)),
		} {
			if failed != nil {
				errors++
			}
		}
		return errors
	}
	for text, errors := range map[string]int{
		"127": 0, "128": 1, "-128": 2, "-129": 3, "256": 2, "32768": 3, "4294967296": 4, "-0": 2,
	} {
		if found := read(text); found != errors {
			t.Errorf("%s: %d errors", text, found)
		}
	}
	_, err := KeyAs[uint16](&Record{key: []byte("x")})
	if says := said(t, err); says != "invalid record 0: the key is not a decimal number of type u16" {
		t.Error(says)
	}
}

func second[T any](_ T, err error) error { return err }

func TestFloatsAreReadAsRustReadsThem(t *testing.T) {
	for text, number := range map[string]float64{
		"1.5": 1.5, "-0.25": -0.25, ".5": 0.5, "1.": 1, "1e3": 1000, "+2": 2, "inf": math.Inf(1),
		"-Infinity": math.Inf(-1), "1e999": math.Inf(1), "1e-999": 0,
	} {
		if read, err := (&Record{value: []byte(text)}).ValueFloat(); err != nil || read != number {
			t.Errorf("%s was read as %v, %v", text, read, err)
		}
	}
	for _, text := range []string{"nan", "+NaN", "-nan"} {
		if read, err := (&Record{value: []byte(text)}).ValueFloat(); err != nil || read == read {
			t.Errorf("%s was read as %v, %v", text, read, err)
		}
	}
	for _, text := range []string{"", "0x10", "1_000", "0x1p3", "e", "+", "-x", " 1"} {
		if _, err := (&Record{value: []byte(text)}).ValueFloat(); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func TestOtherReadingsSayWhatTheyExpected(t *testing.T) {
	record := &Record{key: []byte("\xff"), value: []byte("\xff1234567")}
	if number, err := record.ValueLe64(); err != nil || number != 0x37363534333231ff {
		t.Errorf("%x, %v", number, err)
	}
	for _, failed := range []struct {
		err      error
		expected string
	}{
		{second(record.KeyLe64()), "the key is not eight little-endian bytes but 1"},
		{second(record.KeyText()), "the key is not UTF-8 text"},
		{second(record.ValueText()), "the value is not UTF-8 text"},
		{record.Invalid("too small"), "too small"},
	} {
		if says := said(t, failed.err); says != "invalid record 0: "+failed.expected {
			t.Error(says)
		}
	}
	if _, ok := (&Record{timestamp: NoTimestamp}).Timestamp(); ok {
		t.Error("it has a timestamp")
	}
}

func TestJSONIsReadIntoStructs(t *testing.T) {
	type order struct {
		Item   string   `json:"item"`
		Amount uint8    `json:"amount"`
		Notes  []string `json:"notes"`
		Price  *float64 `json:"price"`
	}
	text := ` {"item": "a\u00e4\ud83c\udf0a\n", "amount": 255, "unknown": [{"x": [1, null]}],
		"notes": ["x", "y"], "price": -1.5e2} `
	read, err := ValueJSON[order](&Record{value: []byte(text)})
	if err != nil || read.Item != "aä🌊\n" || read.Amount != 255 || len(read.Notes) != 2 ||
		*read.Price != -150 {
		t.Errorf("%+v, %v", read, err)
	}
	for text, expected := range map[string]string{
		``:                        "the value: expected a table for tidegate.order",
		`{"amount": 256}`:         "the value: `amount`: expected a whole number of type uint8",
		`{"amount": 01}`:          "the value: `amount`: expected a whole number of type uint8",
		`{"notes": ["x", 1]}`:     "the value: `notes.1`: expected a string",
		`{} x`:                    "the value: something follows the JSON",
		`{"item": "\ud83c"}`:      "the value: `item`: it is not JSON",
		`{"item": "x"`:            "the value: it is not JSON",
		`{"price": 1.}`:           "the value: `price`: expected a number",
		`{"unknown": [1, truth]}`: "the value: `1`: expected true or false",
	} {
		_, err := ValueJSON[order](&Record{value: []byte(text)})
		if says := said(t, err); says != "invalid record 0: "+expected {
			t.Errorf("of %s it says %q", text, says)
		}
	}
}
