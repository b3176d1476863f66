//! WHEN IT IS REMEMBERED: coordinator and manifest (pure), the driver that does what they decide,
//! and the store that makes it durable.

mod byte_reader;
pub(crate) mod care_watch;
mod checkpoint_directory;
mod checkpoint_files;
pub(crate) mod coordinator;
mod dir_store;
mod directory_lock;
mod disk;
mod drill_schedule;
pub(crate) mod drills;
pub(crate) mod driver;
mod file_names;
mod format_error;
mod manifest;
mod manifest_codec;
mod manifest_diff;
mod pending;
mod proof;
mod publication;
mod retention;
mod savepoint;
mod state_file;
mod store;
mod verify;
mod waiters;
mod wishes;
mod work;

pub use checkpoint_directory::CheckpointDirectory;
pub use dir_store::DirStore;
pub use disk::{DiskHook, DiskStep};
pub use format_error::FormatError;
pub use manifest::{
    CheckpointKind, InconsistentManifest, Manifest, Origin, SnapshotContents, StateFile,
    SubtaskSnapshot,
};
pub use manifest_diff::{ManifestDiff, NodeChange, PositionChange, PropertyChange, StateChange};
pub use store::{CheckpointStore, ImportTarget, StateIdentity, StoreError};
pub use verify::{CheckpointReport, FileProblem, VerifyReport};
