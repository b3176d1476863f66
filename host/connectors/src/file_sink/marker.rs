//! The file that names the owner of an output directory. Pure.
//!
//! Each attempt replaces it before any other write, and reads it again before each publication. An
//! older attempt or another run that is still alive thus finds that the marker is no longer its
//! own.

use std::fmt;

use serde::{Deserialize, Serialize};
use tidegate_connector::Lineage;

use super::names::parse_lineage;

/// The marker's name. It begins with an underscore, so it is not output.
pub(super) const MARKER_NAME: &str = "_tidegate";

/// The marker's name until it is complete.
pub(super) const NEW_MARKER_NAME: &str = ".tidegate-marker.new";

/// The version of [`MarkerFile`].
const MARKER_VERSION: u32 = 1;

/// The owner of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) job: String,
    pub(super) sink: String,
    pub(super) lineage: Lineage,
    /// The attempt of that lineage that writes here, or was the last to.
    pub(super) attempt: u64,
    /// The id of the attempt's process, for people.
    pub(super) process: u32,
    /// The lineages that wrote here before, in the order in which they came.
    pub(super) earlier: Vec<EarlierLineage>,
}

/// A lineage that wrote here before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EarlierLineage {
    pub(super) lineage: Lineage,
    /// The last checkpoint whose output is still here; 0 if none of its output is.
    pub(super) until: u64,
}

/// The marker as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct MarkerFile {
    format_version: u32,
    job: String,
    sink: String,
    lineage: String,
    attempt: u64,
    process: u32,
    earlier_lineages: Vec<EarlierFile>,
}

/// An earlier lineage as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct EarlierFile {
    lineage: String,
    until_checkpoint: u64,
}

/// The version alone, which is read first so that an error can name a newer one.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct MarkerVersion {
    format_version: u32,
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            job, sink, lineage, ..
        } = self;
        write!(f, "sink `{sink}` of job `{job}`, lineage {lineage}")
    }
}

impl Marker {
    /// Returns true if parts of `lineage` in this directory are this job's own.
    pub(super) fn knows(&self, lineage: Lineage) -> bool {
        self.lineage == lineage || self.earlier(lineage).is_some()
    }

    /// Returns the entry of an earlier lineage.
    pub(super) fn earlier(&self, lineage: Lineage) -> Option<EarlierLineage> {
        let mut earlier = self.earlier.iter();
        earlier.find(|earlier| earlier.lineage == lineage).copied()
    }

    /// Returns true if this marker and another attempt's differ at most in attempt and process.
    pub(super) fn is_of(&self, attempt: &Self) -> bool {
        let Self {
            job,
            sink,
            lineage,
            earlier,
            ..
        } = self;
        *job == attempt.job
            && *sink == attempt.sink
            && *lineage == attempt.lineage
            && *earlier == attempt.earlier
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        let file = MarkerFile {
            format_version: MARKER_VERSION,
            job: self.job.clone(),
            sink: self.sink.clone(),
            lineage: self.lineage.to_string(),
            attempt: self.attempt,
            process: self.process,
            earlier_lineages: self.earlier.iter().map(EarlierFile::of).collect(),
        };
        let mut json = serde_json::to_vec_pretty(&file).expect("text and numbers become JSON");
        json.push(b'\n');
        json
    }

    /// Parses a marker. The error is the reason why the bytes are none.
    pub(super) fn of_json(json: &[u8]) -> Result<Self, String> {
        let version: MarkerVersion = serde_json::from_slice(json).map_err(|e| e.to_string())?;
        if version.format_version != MARKER_VERSION {
            return Err(format!(
                "it has format version {}; this version of tidegate reads version {MARKER_VERSION}",
                version.format_version
            ));
        }
        let file: MarkerFile = serde_json::from_slice(json).map_err(|e| e.to_string())?;
        let lineage = |digits: &String| {
            parse_lineage(digits).ok_or_else(|| format!("\"{digits}\" is not a lineage"))
        };
        Ok(Self {
            lineage: lineage(&file.lineage)?,
            attempt: file.attempt,
            process: file.process,
            earlier: file
                .earlier_lineages
                .iter()
                .map(|earlier| {
                    Ok(EarlierLineage {
                        lineage: lineage(&earlier.lineage)?,
                        until: earlier.until_checkpoint,
                    })
                })
                .collect::<Result<_, String>>()?,
            job: file.job,
            sink: file.sink,
        })
    }
}

impl EarlierFile {
    fn of(earlier: &EarlierLineage) -> Self {
        Self {
            lineage: earlier.lineage.to_string(),
            until_checkpoint: earlier.until,
        }
    }
}

#[cfg(test)]
mod tests;
