//! The options of the source `file`, and their check.

use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;
use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_connector::source::{FixedOption, SourceConnector};
use tidegate_connector::{ConnectContext, ConnectorError, DurationText, SourceOptions};

use super::growth::OnGrowth;
use super::left_out_links::LeftOutLinks;
use super::path_glob::Glob;
use super::{FileConnector, Input};
use crate::byte_size::{self, ByteSizeText};
use crate::input_format::{InputField, InputFormat, InputShape, Parts, fixed_options};
use crate::lines::LineLimits;

/// Options of the source `file`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileSourceOptions {
    /// The files, as a glob relative to the job file: `*`, `?` and `[…]` match within a name, and
    /// `**` matches any number of directories. None of them matches a leading dot.
    pub path: String,
    /// True if the source follows links wherever they lead. Otherwise it follows a link to a file,
    /// or to a directory that the glob names, only below the directory before the first wildcard,
    /// and rejects a link that leads out of it; `**` follows no link to a directory, and a warning
    /// names each that it leaves out. If true, any user who can make links there decides which
    /// files are read; `**` enters no directory twice, so links that lead in a circle end.
    #[serde(default)]
    pub follow_links: bool,
    /// The time between two looks for new files, such as "10s". The job then reads files that
    /// appear while it runs or was stopped, each once, and does not end by itself. Without it, the
    /// job reads only the files that exist when it starts afresh. A new file is read once it has
    /// bytes and two looks in a row have found it unchanged, up to the length that it has then.
    /// Choose a time that is longer than any pause of the program that writes the files, or have it
    /// move complete files into the directory. When the job starts afresh, a file that has not
    /// changed for three seconds is read at once. Each checkpoint holds 40 bytes for each file
    /// read. A file that was read is not read again, even if another file gets its name. While the
    /// job runs, a warning names each new file that can't be read, and the job reads it once it
    /// can.
    #[serde(default)]
    pub discover: Option<DurationText>,
    /// True if the source follows the files, as programs do that ship logs: it reads new lines of
    /// known files and new files, and the job does not end by itself. Looks for new files every
    /// second, or as `discover` says. A last line without a newline waits until it has one.
    /// A file may be rotated: renamed within its directory, whose rest is read before the new file
    /// of its name, or copied within its directory and truncated. A file is known by its inode and
    /// by its first and last 4 KiB that were read, also in the next run, so each line is read once.
    /// One subtask reads all files of a directory. Lines that were truncated or removed before they
    /// were read are lost, unless a copy stands in the directory; do not match compressed copies.
    #[serde(default)]
    pub follow: bool,
    /// The time between two looks for new lines, with `follow`. Default: 200ms.
    #[serde(default)]
    pub follow_interval: Option<DurationText>,
    /// The treatment of input that was added while the job did not run: lines behind the end of a
    /// file up to which the job reads or has read, and, without `discover`, new files. A file that
    /// was read and is another one now is refused in either case; with `discover`, it causes a
    /// warning. Default: refuse.
    #[serde(default)]
    pub on_growth: Option<OnGrowth>,
    /// The form of records in a file.
    #[serde(default)]
    pub format: InputFormat,
    /// The names of the columns, for `format = "csv"`. Without it, the first line of each file has
    /// the names.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
    /// The part of a record that becomes its key; without it, keys are empty. For JSON Lines
    /// `{ json = "/user" }`, a JSON pointer (RFC 6901) to a text, number or boolean, and for CSV
    /// `{ column = "user" }`. The key has the bytes of the text without quotes, or the number or
    /// boolean as it is written; a record whose key is missing, null, an object or a list is
    /// invalid.
    #[serde(default)]
    pub key: Option<InputField>,
    /// The part of a record that becomes its value, written like `key`; without it, the value is
    /// the whole line, or the JSON object of a record of CSV. An object or a list is the value as
    /// it is written.
    #[serde(default)]
    pub value: Option<InputField>,
    /// A longer line, or record of CSV, fails the job.
    #[serde(default = "default_record_bytes", deserialize_with = "byte_size::read")]
    #[schemars(with = "ByteSizeText")]
    pub max_record_bytes: ByteSize,
    /// A batch takes no further line once it has this many bytes.
    #[serde(default = "default_batch_bytes", deserialize_with = "byte_size::read")]
    #[schemars(with = "ByteSizeText")]
    pub batch_bytes: ByteSize,
    /// The largest number of lines that each subtask reads in a second, to replay a file at a
    /// pace. Without it, the source reads at full speed. Smaller batches (`batch-bytes`) make the
    /// pace more even.
    #[serde(default)]
    pub rate_per_subtask: Option<u32>,
}

fn default_record_bytes() -> ByteSize {
    ByteSize::mib(1)
}

fn default_batch_bytes() -> ByteSize {
    ByteSize::kib(128)
}

/// The shortest time between two looks for new files that the user can ask for.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

/// The time between two looks for new lines, unless the user sets another.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(200);

/// The largest record and the largest batch that the user can ask for.
const MOST_BYTES: ByteSize = ByteSize::gib(1);

impl SourceOptions for FileSourceOptions {
    /// Opens the directory before the first wildcard.
    fn connect(
        self,
        context: &ConnectContext<'_>,
    ) -> Result<Arc<dyn SourceConnector>, ConnectorError> {
        let follow = self.checked_follow()?;
        let parts = Parts {
            key: self.key,
            value: self.value,
        };
        let of_shape = fixed_options(self.format, self.columns.as_deref(), &parts);
        let shape = InputShape::checked(self.format, self.columns, parts)?;
        let limits = LineLimits {
            record_bytes: checked_bytes("max-record-bytes", self.max_record_bytes)?,
            batch_bytes: checked_bytes("batch-bytes", self.batch_bytes)?,
        };
        if self.rate_per_subtask == Some(0) {
            return Err(ConnectorError::JobRefused {
                reason: "`rate-per-subtask` must be at least 1; leave it out for full speed"
                    .to_owned(),
            });
        }
        let interval = self.discover.map(|interval| interval.0);
        if interval.is_some_and(|interval| interval < SHORTEST_INTERVAL) {
            return Err(ConnectorError::JobRefused {
                reason: "`discover` must be at least 1ms; leave it out to read no new files"
                    .to_owned(),
            });
        }
        let glob = Glob::parse(&self.path)?;
        let root = glob.open_root(context.directory(), self.follow_links)?;
        let root_path = glob.root_path(context.directory());
        let mut options = vec![FixedOption::new(
            "path",
            format_args!("{:?}", glob.normal_text()),
        )];
        options.extend(of_shape);
        options.extend(self.follow.then(|| FixedOption::new("follow", true)));
        Ok(Arc::new(FileConnector {
            options,
            input: Arc::new(Input {
                glob,
                root,
                shape: Arc::new(shape),
                limits,
                rate_per_subtask: self.rate_per_subtask,
                on_growth: self.on_growth.unwrap_or_default(),
            }),
            links: Arc::new(LeftOutLinks::new()),
            has_started: Arc::default(),
            follow,
            interval,
            root_path,
        }))
    }
}

impl FileSourceOptions {
    /// Checks the options that belong to `follow`. Returns the time between two looks for new
    /// lines; `None` if files are not followed.
    fn checked_follow(&self) -> Result<Option<Duration>, ConnectorError> {
        let refuse = |reason: &str| {
            let reason = reason.to_owned();
            Err(ConnectorError::JobRefused { reason })
        };
        let interval = self.follow_interval.map(|interval| interval.0);
        match (self.follow, interval) {
            (false, Some(_)) => refuse("`follow-interval` is only for `follow = true`"),
            (false, None) => Ok(None),
            (true, _) if self.on_growth.is_some() => {
                refuse("`on-growth` has no meaning with `follow`, which reads all that is added")
            }
            (true, Some(interval)) if interval < SHORTEST_INTERVAL => {
                refuse("`follow-interval` must be at least 1ms")
            }
            (true, interval) => Ok(Some(interval.unwrap_or(FOLLOW_INTERVAL))),
        }
    }
}

fn checked_bytes(key: &str, value: ByteSize) -> Result<usize, ConnectorError> {
    let bytes = usize::try_from(value.0).ok();
    let allowed = bytes.filter(|_| (1..=MOST_BYTES.0).contains(&value.0));
    allowed.ok_or_else(|| ConnectorError::JobRefused {
        reason: format!("`{key}` must be from 1 B to {MOST_BYTES}"),
    })
}
