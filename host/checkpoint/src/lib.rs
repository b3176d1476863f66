//! The manifest of a checkpoint, and the store that makes checkpoints durable.
//!
//! The crate knows the job graph, because every manifest records the graph that ran. It knows no
//! tasks, channels or barriers. `FORMAT.md` specifies the formats.

mod byte_reader;
mod checkpoint_directory;
mod checkpoint_files;
mod dir_store;
mod directory_lock;
mod disk;
mod file_names;
mod format_error;
mod job_graph;
mod manifest;
mod manifest_codec;
mod manifest_diff;
mod proof;
mod retention;
mod savepoint;
mod state_file;
mod store;
mod verify;

pub use checkpoint_directory::CheckpointDirectory;
pub use dir_store::DirStore;
pub use disk::{DiskHook, DiskStep};
pub use format_error::FormatError;
pub use job_graph::{
    DEAD_LETTER, DEAD_LETTER_PORT, Edge, GraphError, JobGraph, MOST_NODES, Node, NodeKind,
    Partitioning,
};
pub use manifest::{
    CheckpointKind, InconsistentManifest, Manifest, Origin, SnapshotContents, StateFile,
    SubtaskSnapshot,
};
pub use manifest_diff::{ManifestDiff, NodeChange, PositionChange, PropertyChange, StateChange};
pub use store::{CheckpointStore, ImportTarget, StateIdentity, StoreError};
pub use verify::{CheckpointReport, FileProblem, VerifyReport};
