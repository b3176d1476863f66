//! The source `file`: files that are rewritten in place while they are read, length unchanged.
//!
//! The claim: a source that ends without an error has returned the lines that the file then holds,
//! however it was rewritten.

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;
use tidegate_connector::ConnectorError;
use tidegate_connector::source::Source;

use crate::support::file_source::{connect, directory};
use crate::support::{read_batches, state_refusal, subtask};

/// The number of bytes of a line.
const LINE: usize = 100;

/// Makes a file of `lines` lines, all of which but the first 4 KiB differ from those of another
/// letter.
fn version(letter: char, lines: usize) -> Vec<u8> {
    let line = |index: usize| {
        let letter = if index < 41 { 'a' } else { letter };
        let text = format!("{index:09} {}\n", letter.to_string().repeat(LINE - 11));
        text.into_bytes()
    };
    (0..lines).flat_map(line).collect()
}

/// A file that is rewritten while it is being read.
struct Rewritten {
    _base: TempDir,
    path: PathBuf,
    source: Box<dyn Source>,
    new: Vec<u8>,
    read: Vec<String>,
}

impl Rewritten {
    fn with_lines(lines: usize) -> Self {
        let base = directory(&[("a", &version('a', lines))]);
        let connector = connect(base.path(), json!({ "path": "a" }));
        let splits = connector
            .enumerator()
            .plan(1)
            .expect("can be planned")
            .remove(0);
        Self {
            path: base.path().join("a"),
            source: connector.open(&subtask(0), splits).expect("can be opened"),
            _base: base,
            new: version('b', lines),
            read: Vec::new(),
        }
    }

    fn read(&mut self, batches: usize) -> Result<(), ConnectorError> {
        self.read.extend(read_batches(&mut *self.source, batches)?);
        Ok(())
    }

    /// Reads at most this many batches. Returns true once the source has ended, and with it what it
    /// vouches for.
    fn read_or_end(&mut self, batches: usize) -> Result<bool, ConnectorError> {
        for _ in 0..batches {
            let before = self.read.len();
            self.read(1)?;
            if self.read.len() == before {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the number of bytes read.
    fn position(&self) -> usize {
        self.read.len() * LINE
    }

    fn open_file(&self) -> File {
        let opened = File::options().write(true).open(&self.path);
        opened.expect("can be opened")
    }

    fn write(&self, bytes: Range<usize>) {
        let start = u64::try_from(bytes.start).expect("a small number");
        let written = self.open_file().write_all_at(&self.new[bytes], start);
        written.expect("can be written");
    }

    fn holds(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.path).expect("can be read");
        text.lines().map(str::to_owned).collect()
    }

    /// Reads to the end, and returns the refusal that must come because bytes have changed.
    #[track_caller]
    fn refusal(&mut self) -> String {
        let ended = self.read(usize::MAX);
        assert!(ended.is_err(), "a mixture: {:?}", self.mixture());
        state_refusal(ended)
    }

    /// Counts the lines read of each version.
    fn mixture(&self) -> (usize, usize) {
        let is_new = |line: &&String| line.ends_with('b');
        let new = self.read.iter().filter(is_new).count();
        (self.read.len() - new, new)
    }
}

#[test]
fn a_rewriter_that_overtakes_the_reader_between_two_looks_is_noticed() {
    let mut file = Rewritten::with_lines(20_000);
    file.read(3).expect("is what it was");
    // No look in between: the bytes that are compared at a file's end are new, on disk and as read.
    file.write(4_200..file.new.len());
    let reason = file.refusal();
    let told = "bytes 0 to 1048576 have changed since they were read";
    assert!(
        reason.contains("input file a is not") && reason.contains(told),
        "{reason}"
    );
}

#[test]
fn a_change_in_front_of_the_look_before_is_noticed_whatever_the_times_say() {
    for is_set_back in [false, true] {
        let mut file = Rewritten::with_lines(20_000);
        let modified = fs::metadata(&file.path).and_then(|status| status.modified());
        file.read(3).expect("is what it was");
        file.source.check().expect("is what it was");
        let looked = file.position();
        file.read(4).expect("is what it was");
        assert!(file.position() > looked + 300_000);
        file.write(looked - 100..looked);
        if is_set_back {
            let set = file.open_file().set_modified(modified.expect("is known"));
            set.expect("can be set");
        }
        let reason = state_refusal(file.source.check());
        let told = format!("the 65536 bytes before byte {looked} have changed");
        assert!(reason.contains(&told), "{reason}");
    }
}

#[test]
fn a_change_of_the_middle_alone_is_noticed_at_the_next_look() {
    let mut file = Rewritten::with_lines(20_000);
    file.read(4).expect("is what it was");
    file.source.check().expect("is what it was");
    file.read(2).expect("is what it was");
    file.write(100_000..100_100);
    let reason = state_refusal(file.source.check());
    assert!(reason.contains("bytes 0 to "), "{reason}");
}

#[test]
fn a_file_that_grew_and_was_rewritten_since_the_last_look_is_noticed() {
    let mut file = Rewritten::with_lines(20_000);
    file.read(4).expect("is what it was");
    file.write(100_000..100_100);
    let length = u64::try_from(file.new.len()).expect("a small number");
    let written = file.open_file().write_all_at(b"more\n", length);
    written.expect("can be written");
    assert!(state_refusal(file.source.check()).contains("have changed"));
}

#[test]
fn a_change_far_behind_a_look_is_noticed_at_the_end_of_the_split_at_the_latest() {
    let mut file = Rewritten::with_lines(400_000);
    file.read(270).expect("is what it was");
    file.source.check().expect("is what it was");
    assert!(file.position() > 30_000_000, "{}", file.position());
    // In several passes: far behind the reader first, then before it.
    file.write(2_000_000..2_000_100);
    file.source.check().expect("more than a look compares");
    file.read(1).expect("is what it was");
    file.write(file.position() + 1_000_000..file.new.len());
    let reason = file.refusal();
    assert!(
        reason.contains("bytes 1048576 to 2097152 have changed since they were read"),
        "{reason}"
    );
}

#[test]
fn a_file_that_is_only_touched_is_read_to_its_end() {
    let mut file = Rewritten::with_lines(400_000);
    file.read(270).expect("is what it was");
    file.source.check().expect("is what it was");
    let time = std::time::SystemTime::UNIX_EPOCH;
    file.open_file().set_modified(time).expect("can be set");
    file.read(1).expect("is what it was");
    file.source.check().expect("is what it was");
    file.read(usize::MAX).expect("is what it was");
    assert!(file.read == file.holds());
}

/// An event in the life of a file.
#[derive(Clone, Debug)]
enum Event {
    Read(usize),
    Look,
    /// Writes a part of the file, from and to in thousandths.
    Write(usize, usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (1_usize..6).prop_map(Event::Read),
        Just(Event::Look),
        (5_usize..1_000, 1_usize..300).prop_map(|(at, length)| Event::Write(at, length)),
        (5_usize..1_000, 1_usize..3).prop_map(|(at, length)| Event::Write(at, length)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_source_that_ends_well_gave_what_its_file_holds(
        events in prop::collection::vec(event(), 1..12),
    ) {
        let mut file = Rewritten::with_lines(25_000);
        let mut is_refused = false;
        let thousandth = file.new.len() / 1_000;
        for event in events {
            let done = match event {
                Event::Read(batches) => file.read_or_end(batches),
                Event::Look => file.source.check().map(|()| false),
                Event::Write(at, length) => {
                    file.write(at * thousandth..(at + length).min(1_000) * thousandth);
                    Ok(false)
                }
            };
            is_refused |= done.is_err();
            if done.unwrap_or(true) {
                break;
            }
        }
        if !is_refused && file.read(usize::MAX).is_ok() {
            prop_assert!(file.read == file.holds(), "a mixture: {:?}", file.mixture());
        }
    }
}
