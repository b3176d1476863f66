//! The job file: TOML in, a job out, and for every problem a place and the expected content.

pub mod config_file;
mod job_file;
pub mod json;

pub use tidegate_connector::duration;

pub use job_file::{
    ComponentSummary, Components, JobFile, LimitsSchema, LoadedJob, Loading, NamedComponent,
    reference, schema, version_schema, without_null,
};

/// Keys that job files have in common with scenarios.
pub mod keys {
    pub use crate::job_file::nodes::{ConfigTable, config, outputs};
    pub use crate::job_file::settings::{
        MOST_KEY_GROUPS, default_max_parallelism, limits, version,
    };
}
