//! The tests of the real binary, with real components, real files and real signals; and the house
//! style as a test.

mod author;
mod author_python;
mod bad_components;
mod bad_input;
mod corrupted_state;
mod drill;
mod flooding;
mod guest_faults;
mod hostile;
mod javascript;
mod kill;
mod languages;
mod poison;
mod polyglot;
mod readme;
mod recycling;
mod sandbox;
mod savepoint;
mod sdk_c;
mod sdk_go;
mod storage;
mod tidy;
