// Views of bytes as text and of text as bytes, without a copy.

package tidegate

import "unsafe"

// viewText returns bytes as text without a copy. They must not be changed while it is in use.
func viewText(bytes []byte) string {
	return unsafe.String(unsafe.SliceData(bytes), len(bytes))
}

// viewBytes returns text as bytes without a copy. They must not be changed.
func viewBytes(text string) []byte {
	return unsafe.Slice(unsafe.StringData(text), len(text))
}
