//! A source whose splits appear while the job runs: books on a shelf.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_connector::source::{
    Assignment, BoxFuture, RestoredSubtask, Source, SourceConnector, SourceOutput, SourceSplit,
    SplitEnumerator,
};
use tidegate_connector::{ConnectorError, SubtaskId};
use tidegate_operator::{Batch, NO_TIMESTAMP};

use super::faults::{Call, Faults};
use super::sources::planned_failure;

/// The number of lines in each book.
pub(crate) const LINES: u64 = 7;

/// A mistake that a shelf makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mistake {
    #[default]
    None,
    /// It assigns a book to a subtask that does not exist.
    NoSuchSubtask,
    /// It plans for one subtask too many.
    OneListTooMany,
    /// Its readers take no books while they run.
    NoNewBooks,
    /// Its search for books always fails.
    NoShelf,
    /// Its search for books does not return before there is one.
    Waits,
}

/// A source that emits `book:line` for every line of every book. Cheap to clone; all clones are one
/// shelf.
#[derive(Clone, Default)]
pub(crate) struct Shelf {
    books: Arc<Mutex<u64>>,
    faults: Faults,
    mistake: Mistake,
}

impl Shelf {
    pub(crate) fn new(faults: &Faults) -> Self {
        Self {
            faults: faults.clone(),
            ..Self::default()
        }
    }

    pub(crate) fn mistaken(mistake: Mistake) -> Self {
        Self {
            mistake,
            ..Self::default()
        }
    }

    /// Puts one more book on the shelf.
    pub(crate) fn add(&self) {
        *self.books.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }

    fn books(&self) -> u64 {
        *self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns all lines of all books, as a sink shows them.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = |book| (0..LINES).map(move |line| format!("k=b{book}:{line}"));
        let mut lines: Vec<String> = (0..self.books()).flat_map(lines).collect();
        lines.sort();
        lines
    }
}

/// A book and its next unread line.
#[derive(Clone, Copy)]
struct Book {
    number: u64,
    line: u64,
}

impl Book {
    fn encode(self) -> SourceSplit {
        SourceSplit {
            name: format!("book {}", self.number),
            position: format!("{} {}", self.number, self.line).into_bytes(),
        }
    }

    fn decode(split: &SourceSplit) -> Self {
        let text = String::from_utf8(split.position.clone()).unwrap();
        let (number, line) = text.split_once(' ').unwrap();
        Self {
            number: number.parse().unwrap(),
            line: line.parse().unwrap(),
        }
    }
}

struct Librarian {
    shelf: Shelf,
    known: BTreeSet<u64>,
    parallelism: u32,
}

impl Librarian {
    fn lists(&self, lists: u32) -> Vec<Vec<SourceSplit>> {
        let more = u32::from(self.shelf.mistake == Mistake::OneListTooMany);
        vec![Vec::new(); (lists + more) as usize]
    }
}

impl SplitEnumerator for Librarian {
    fn plan(&mut self, parallelism: u32) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        self.parallelism = parallelism;
        Ok(self.lists(parallelism))
    }

    fn redistribute(
        &mut self,
        splits: Vec<SourceSplit>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        let mut lists = self.lists(parallelism);
        for (turn, split) in splits.into_iter().enumerate() {
            lists[turn % parallelism as usize].push(split);
        }
        Ok(lists)
    }

    fn restore(
        &mut self,
        subtasks: Vec<RestoredSubtask>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        self.parallelism = parallelism;
        let splits: Vec<_> = subtasks.into_iter().flat_map(|s| s.splits).collect();
        let known = splits.iter().map(|split| Book::decode(split).number);
        for number in known {
            if !self.known.insert(number) {
                let faults = &self.shelf.faults;
                faults.violation(format!("book {number} is in a checkpoint twice"));
            }
        }
        self.redistribute(splits, parallelism)
    }

    fn discovery_interval(&self) -> Option<Duration> {
        Some(Duration::from_millis(1))
    }

    fn discover(&mut self) -> Result<Vec<Assignment>, ConnectorError> {
        if self.shelf.mistake == Mistake::NoShelf {
            let reason = "the shelf is gone".to_owned();
            return Err(ConnectorError::JobRefused { reason });
        }
        while self.shelf.mistake == Mistake::Waits && self.shelf.books() == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        if self.shelf.faults.hit(Call::Discover) {
            return Err(planned_failure("discover"));
        }
        let mut found = Vec::new();
        for number in 0..self.shelf.books() {
            if self.known.insert(number) {
                let subtask = match self.shelf.mistake {
                    Mistake::NoSuchSubtask => self.parallelism,
                    Mistake::None
                    | Mistake::OneListTooMany
                    | Mistake::NoNewBooks
                    | Mistake::NoShelf
                    | Mistake::Waits => u32::try_from(number).unwrap() % self.parallelism,
                };
                let split = Book { number, line: 0 }.encode();
                found.push(Assignment { subtask, split });
            }
        }
        Ok(found)
    }
}

impl SourceConnector for Shelf {
    fn connector(&self) -> &'static str {
        "shelf"
    }

    fn enumerator(&self) -> Box<dyn SplitEnumerator> {
        Box::new(Librarian {
            shelf: self.clone(),
            known: BTreeSet::new(),
            parallelism: 0,
        })
    }

    fn open(
        &self,
        _subtask: &SubtaskId,
        splits: Vec<SourceSplit>,
    ) -> Result<Box<dyn Source>, ConnectorError> {
        let books = splits.iter().map(Book::decode).collect();
        Ok(match self.mistake {
            Mistake::NoNewBooks => Box::new(Illiterate),
            Mistake::None
            | Mistake::NoSuchSubtask
            | Mistake::OneListTooMany
            | Mistake::NoShelf
            | Mistake::Waits => Box::new(Reader {
                faults: self.faults.clone(),
                books,
                is_idle: false,
            }),
        })
    }
}

struct Reader {
    faults: Faults,
    books: Vec<Book>,
    /// True once it has reported that it is idle.
    is_idle: bool,
}

impl Source for Reader {
    fn poll(&mut self) -> BoxFuture<'_, Result<SourceOutput, ConnectorError>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_micros(300)).await;
            let unread = self.books.iter_mut().find(|book| book.line < LINES);
            let Some(book) = unread else {
                if self.is_idle {
                    return std::future::pending().await;
                }
                self.is_idle = true;
                return Ok(SourceOutput::Idle);
            };
            self.is_idle = false;
            if self.faults.hit(Call::Read) {
                return Err(planned_failure("read"));
            }
            let mut batch = Batch::default();
            for _ in 0..3.min(LINES - book.line) {
                let value = format!("b{}:{}", book.number, book.line);
                batch.push(NO_TIMESTAMP, b"k", value.as_bytes());
                book.line += 1;
            }
            Ok(SourceOutput::Batch(batch))
        })
    }

    fn splits(&self) -> Vec<SourceSplit> {
        self.books.iter().map(|book| book.encode()).collect()
    }

    fn add_splits(&mut self, splits: Vec<SourceSplit>) -> Result<(), ConnectorError> {
        self.books.extend(splits.iter().map(Book::decode));
        Ok(())
    }
}

/// A reader that waits, and reads nothing.
struct Illiterate;

impl Source for Illiterate {
    fn poll(&mut self) -> BoxFuture<'_, Result<SourceOutput, ConnectorError>> {
        Box::pin(std::future::pending())
    }

    fn splits(&self) -> Vec<SourceSplit> {
        Vec::new()
    }
}
