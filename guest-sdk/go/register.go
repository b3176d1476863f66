// The operator that this program's component exports.

package tidegate

// registered opens the operator of this program.
var registered Opener

// Register exports an operator as the operator of this program's component. Call it once, in an
// init function of package main, whose main function stays empty:
//
//	func init() { tidegate.Register(tidegate.Open(openCount)) }
//
//	func main() {}
//
// Outside of a component no one calls the operator, so that the package's tests run natively.
func Register(open Opener) {
	if registered != nil {
		panic("tidegate: an operator was registered already; a component is one operator")
	}
	registered = open
}
