//! The tests of the real binary, with real components, real files and real signals; and the house
//! style as a test.

mod author;
mod author_python;
mod bad_components;
mod bad_input;
mod chains;
mod corrupted_state;
mod drill;
mod guest_faults;
mod hostile;
mod javascript;
mod kill;
mod languages;
mod poison;
mod polyglot;
mod readme;
mod recycle_storm;
mod recycling;
mod sandbox;
mod savepoint;
mod sdk_c;
mod sdk_go;
mod storage;
mod tidy;
