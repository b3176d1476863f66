//! Sources and sinks through the traits that the runtime uses.

mod file_sink;
mod file_sink_discard;
mod file_sink_newer;
mod file_sink_ownership;
mod file_sink_recovery;
mod file_source;
mod file_source_discover;
mod file_source_follow;
mod file_source_growth;
mod file_source_links;
mod file_source_moved;
mod file_source_rewritten;
mod file_source_unsettled;
mod formats;
mod generator;
mod other_sinks;
mod stdin;
mod support;
