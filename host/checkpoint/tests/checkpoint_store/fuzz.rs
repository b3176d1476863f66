//! Fuzz target `manifest`: any bytes as a manifest, and any bytes as the body of a manifest with a
//! correct frame and digest.
//!
//! [`decode`] asserts the guarantees: no panic, memory bounded by the input, and a decoded manifest
//! can be encoded and decoded again.

use tidegate_checkpoint::{Manifest, SnapshotContents};
use tidegate_fuzz::{Target, shape, size_class};

use crate::support::measured::{body, decode, with_valid_frame};
use crate::support::{entry, manifest};

#[test]
fn fuzz_manifest() {
    let mut other = manifest(1 << 60, 7);
    entry(&mut other, "lines", 0).contents = SnapshotContents::Source { splits: Vec::new() };
    let other = other.encode().expect("a manifest can be encoded");
    Target::new("manifest", 20_000)
        .seed(body())
        .seed(other[20..other.len() - 32].to_vec())
        .words([&[0xff, 0xff, 0xff, 0xff, 0x0f], b"count".as_slice()])
        .run(|input| {
            drop(decode(input));
            let decoded = decode(&with_valid_frame(input));
            let mut features = vec![shape(&decoded.as_ref().err())];
            features.extend(decoded.iter().flat_map(parts));
            features
        });
}

/// Returns the parts of a manifest.
fn parts(manifest: &Manifest) -> Vec<String> {
    vec![
        format!("{:?}", manifest.kind),
        format!("splits {}", size_class(splits(manifest))),
        format!("edges {}", manifest.graph.edges().len()),
        format!("origin {}", manifest.origin.is_some()),
        format!("files {}", manifest.state_files().count()),
    ]
}

fn splits(manifest: &Manifest) -> usize {
    let of = manifest
        .subtasks
        .iter()
        .map(|snapshot| match &snapshot.contents {
            SnapshotContents::Source { splits } => splits.len(),
            SnapshotContents::Operator { .. } | SnapshotContents::Sink { .. } => 0,
        });
    of.sum()
}
