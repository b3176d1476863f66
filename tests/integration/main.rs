//! The tests of the real binary, with real components, real files and real signals; and the house
//! style as a test.

mod author;
mod author_python;
mod bad_components;
mod bad_input;
mod broadcast;
mod chains;
mod corrupted_state;
mod counters;
mod discover;
mod drill;
mod event_time;
mod flooding;
mod graph_cost;
mod guest_faults;
mod hostile;
mod hostile_text;
mod javascript;
mod kill;
mod languages;
mod poison;
mod polyglot;
mod process;
mod readme;
mod recycle_storm;
mod recycling;
mod sandbox;
mod savepoint;
mod sdk_c;
mod sdk_go;
mod storage;
mod system_limits;
mod tidy;
