//! The binary as scripts use it: its output on each stream, and its exit codes.

mod command_line;
mod control_socket;
mod foreign_text;
mod named_files;
mod refusals;
mod running_job;
mod support;
