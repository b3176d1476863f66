//! The access to a running job: HTTP on a Unix socket in its checkpoint directory.
//!
//! The socket lives as long as the run and belongs to its user alone. The process that binds it
//! holds the directory's lock, so an existing socket is a leftover of a killed process.

pub(crate) mod api;
mod client;
pub(crate) mod job_answer;
mod own_directories;
mod problem_json;
mod response;
mod routes;
mod server;
mod socket;

pub(crate) use client::Client;
pub(crate) use own_directories::OwnDirectories;
pub(crate) use routes::ControlState;
pub(crate) use server::ControlServer;
