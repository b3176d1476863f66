// Fields of a record as numbers and text, read by the same rules in every SDK.

package tidegate

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"unsafe"
)

// Integer is any integer type. An int or a uint has 64 bits.
type Integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// safeDigits is the most decimal digits that always fit in 64 bits.
const safeDigits = 19

// parseDecimal reads decimal digits, with a minus sign in front if signed. It accepts no plus sign,
// no space and no underscore.
func parseDecimal(field []byte, signed bool) (number uint64, negative, ok bool) {
	digits := field
	if signed && len(digits) > 0 && digits[0] == '-' {
		negative, digits = true, digits[1:]
	}
	if len(digits) == 0 || len(digits) > safeDigits+1 {
		return 0, false, false
	}
	for position, digit := range digits {
		digit -= '0'
		if digit > 9 {
			return 0, false, false
		}
		if position == safeDigits && passes64Bits(number, digit) {
			return 0, false, false
		}
		number = number*10 + uint64(digit)
	}
	return number, negative, true
}

func passes64Bits(number uint64, digit byte) bool {
	const last = math.MaxUint64
	return number > last/10 || number == last/10 && uint64(digit) > last%10
}

func parseInteger[N Integer](field []byte) (N, bool) {
	signed := ^N(0) < 0
	number, negative, ok := parseDecimal(field, signed)
	if !ok {
		return 0, false
	}
	if !signed {
		narrow := N(number)
		return narrow, uint64(narrow) == number
	}
	if negative {
		// There is one negative number more than positive ones; -0 is also accepted.
		narrow := N(-int64(number))
		return narrow, number <= 1<<63 && int64(narrow) == -int64(number)
	}
	narrow := N(number)
	return narrow, number < 1<<63 && int64(narrow) == int64(number)
}

// notANumber names the type as all SDKs do, whatever its name in a language.
func notANumber[N Integer]() string {
	kind := "u"
	if ^N(0) < 0 {
		kind = "i"
	}
	var number N
	return "a decimal number of type " + kind + strconv.Itoa(int(unsafe.Sizeof(number))*8)
}

// parseFloat reads the same text as the other SDKs: decimal digits with sign, point and exponent,
// `inf`, `infinity` and `nan`. A number that is too large is infinite.
func parseFloat(field []byte) (float64, bool) {
	if len(field) == 0 {
		return 0, false
	}
	text := string(field)
	if strings.ContainsAny(text, "_xXpP") {
		return 0, false
	}
	number, err := strconv.ParseFloat(text, 64)
	if err == nil || math.IsInf(number, 0) {
		return number, true
	}
	if unsigned := text[1:]; text[0] == '+' || text[0] == '-' {
		return math.NaN(), strings.EqualFold(unsigned, "nan")
	}
	return 0, false
}

func le64(field []byte) (int64, bool) {
	if len(field) != 8 {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint64(field)), true
}

func notEightBytes(length int) string {
	return "eight little-endian bytes but " + strconv.Itoa(length)
}
