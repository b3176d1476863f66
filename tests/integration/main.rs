//! The tests of the real binary, with real components, real files and real signals; and the house
//! style as a test.

mod authoring;
mod bad_components;
mod bad_input;
mod broadcast;
mod chains;
mod corrupted_state;
mod counters;
mod discover;
mod docs;
mod drill;
mod event_time;
mod examples;
mod fault_text;
mod flooding;
mod graph_cost;
mod guest_faults;
mod hostile;
mod hostile_text;
mod input_formats;
mod kill;
mod languages;
mod poison;
mod polyglot;
mod process;
mod recycle_storm;
mod recycling;
mod rollback;
mod sandbox;
mod savepoint;
mod shipped_files;
mod storage;
mod system_limits;
mod tidy;
