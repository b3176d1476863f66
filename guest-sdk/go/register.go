// The operator that this program's component exports.

package tidegate

// registered opens the operator that this program is.
var registered Opener

// Register makes an operator the one that this program's component exports. Call it once, in an
// init function of package main, whose main function stays empty:
//
//	func init() { tidegate.Register(tidegate.Open(openCount)) }
//
//	func main() {}
//
// Outside of a component nothing calls it, so that the package's tests run natively.
func Register(open Opener) {
	if registered != nil {
		panic("tidegate: an operator was registered already; a component is one operator")
	}
	registered = open
}
