//! A fuzz target and a run of it.

use std::collections::BTreeSet;
use std::env;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tidegate_random::{Random, TestSeed};

use crate::corpus::Corpus;
use crate::mutation::Mutator;

/// The length of a run after the replay of the corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// A number of mutated inputs. New findings are not kept.
    Executions(u64),
    /// A time. New findings are minimised and kept in the corpus.
    Time(Duration),
}

/// A target, with its corpus and limits.
#[derive(Debug)]
pub struct Target {
    name: String,
    corpus: Corpus,
    seeds: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
    longest: usize,
    budget: Budget,
    seed: u64,
}

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The number of replayed inputs of the corpus.
    pub replayed: usize,
    /// The number of mutated inputs that were run.
    pub executions: u64,
    /// The number of features that were seen.
    pub features: usize,
    /// The number of inputs that were added to the corpus.
    pub added: usize,
}

impl Target {
    /// Creates the target `name`, whose corpus is `tests/fuzz/corpus/<name>`. The environment sets
    /// the time of its run (`TIDEGATE_FUZZ_MINUTES`; without it, the run takes `executions` inputs)
    /// and the seed (`TIDEGATE_TEST_SEED`).
    ///
    /// # Panics
    ///
    /// If a variable holds anything but a number.
    #[must_use]
    pub fn new(name: &str, executions: u64) -> Self {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        let minutes = number("TIDEGATE_FUZZ_MINUTES");
        let budget = minutes.map_or(Budget::Executions(executions), |minutes| {
            Budget::Time(Duration::from_secs(minutes * 60))
        });
        Self::on(corpus.join(name), budget, TestSeed::of_run().number())
    }

    /// Creates a target whose corpus is in `directory`.
    ///
    /// # Panics
    ///
    /// If the path has no last part.
    #[must_use]
    pub fn on(directory: PathBuf, budget: Budget, seed: u64) -> Self {
        let name = directory.file_name().expect("a corpus has a name");
        Self {
            name: name.to_string_lossy().into_owned(),
            corpus: Corpus::new(directory),
            seeds: Vec::new(),
            words: Vec::new(),
            longest: 4096,
            budget,
            seed,
        }
    }

    /// Adds a generated first input that is not kept in the corpus.
    #[must_use]
    pub fn seed(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.seeds.push(input.into());
        self
    }

    /// Adds byte strings with a meaning for the target.
    #[must_use]
    pub fn words<'a>(mut self, words: impl IntoIterator<Item = &'a [u8]>) -> Self {
        self.words.extend(words.into_iter().map(<[u8]>::to_vec));
        self
    }

    /// Sets the most bytes of a mutated input; the default is 4096.
    #[must_use]
    pub fn longest(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }

    /// Runs `check` on the corpus and then on mutations. `check` panics if it finds a bug, and
    /// otherwise returns the features of the input.
    ///
    /// # Panics
    ///
    /// If `check` panicked: with the seed, and the path of the input that shows it.
    pub fn run(self, check: impl Fn(&[u8]) -> Vec<String>) -> Report {
        let mut run = Run {
            pool: Vec::new(),
            seen: BTreeSet::new(),
            report: Report::default(),
            target: &self,
            check,
        };
        run.replay();
        run.explore();
        run.report.features = run.seen.len();
        let Report {
            replayed,
            executions,
            features,
            added,
        } = run.report;
        let (name, seed) = (&self.name, self.seed);
        // Not captured by the test harness: a passing run reports its figures.
        drop(writeln!(
            std::io::stdout(),
            "fuzz {name}: {replayed} inputs replayed, {executions} mutations from seed {seed}, \
             {features} features, {added} inputs added"
        ));
        run.report
    }
}

/// A run of a target.
struct Run<'a, C> {
    target: &'a Target,
    check: C,
    /// The inputs to mutate.
    pool: Vec<Vec<u8>>,
    seen: BTreeSet<String>,
    report: Report,
}

impl<C: Fn(&[u8]) -> Vec<String>> Run<'_, C> {
    fn replay(&mut self) {
        let kept = self.target.corpus.inputs();
        let kept = kept.expect("the corpus of a target can be read");
        for (path, input) in kept {
            let features = self.features(&input, Some(&path));
            self.report.replayed += 1;
            let is_new = self.note(features);
            if !is_new && self.keeps() && !is_finding(&path) {
                // Another input has all its features, since the code or the target changed.
                let removed = self.target.corpus.remove(&path);
                removed.expect("the corpus can be written");
                continue;
            }
            self.pool.push(input);
        }
        for input in &self.target.seeds {
            let features = self.features(input, None);
            self.note(features);
            self.pool.push(input.clone());
        }
        if self.pool.is_empty() {
            self.pool.push(Vec::new());
        }
    }

    fn explore(&mut self) {
        let mut random = Random::new(self.target.seed);
        let started = Instant::now();
        let mutator = Mutator {
            words: &self.target.words,
            longest: self.target.longest,
        };
        while !self.is_over(started) {
            let base = &self.pool[random.index(self.pool.len())];
            let other = &self.pool[random.index(self.pool.len())];
            let input = mutator.mutate(base, other, &mut random);
            let features = self.features(&input, None);
            self.report.executions += 1;
            if self.note(features.clone()) {
                self.keep(input, &features);
            }
        }
    }

    fn is_over(&self, started: Instant) -> bool {
        match self.target.budget {
            Budget::Executions(most) => self.report.executions >= most,
            Budget::Time(most) => started.elapsed() >= most,
        }
    }

    fn keeps(&self) -> bool {
        matches!(self.target.budget, Budget::Time(_))
    }

    /// Notes features; returns true if one of them is new.
    fn note(&mut self, features: Vec<String>) -> bool {
        let before = self.seen.len();
        self.seen.extend(features);
        self.seen.len() > before
    }

    fn keep(&mut self, input: Vec<u8>, features: &[String]) {
        let input = if self.keeps() {
            let has_all = |smaller: &[u8]| {
                let found = self.features(smaller, None);
                features.iter().all(|feature| found.contains(feature))
            };
            let input = minimised(input, has_all);
            let added = self.target.corpus.add("input", &input);
            added.expect("the corpus can be written");
            self.report.added += 1;
            input
        } else {
            input
        };
        self.pool.push(input);
    }

    /// Runs the check once. A panic ends the run.
    fn features(&self, input: &[u8], path: Option<&Path>) -> Vec<String> {
        let run = |input: &[u8]| catch_unwind(AssertUnwindSafe(|| (self.check)(input)));
        match run(input) {
            Ok(features) => features,
            Err(panic) => {
                let (name, seed) = (&self.target.name, self.target.seed);
                let path = path.map(Path::to_owned).unwrap_or_else(|| {
                    let smallest = minimised(input.to_vec(), |smaller| run(smaller).is_err());
                    let added = self.target.corpus.add(FINDING, &smallest);
                    added.expect("the corpus can be written")
                });
                let (path, message) = (path.display(), message(&*panic));
                panic!("fuzz {name}: {path} shows a bug (seed {seed}): {message}");
            }
        }
    }
}

/// The prefix of the name of an input that showed a bug. The input stays in the corpus when the bug
/// is fixed.
const FINDING: &str = "finding";

fn is_finding(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.is_some_and(|name| name.starts_with(FINDING))
}

/// Returns the smallest input that `still_shows` accepts, within a bounded number of tries.
fn minimised(mut input: Vec<u8>, still_shows: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut tries = 400;
    let mut piece = input.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        while at < input.len() && tries > 0 {
            let end = (at + piece).min(input.len());
            let smaller = [&input[..at], &input[end..]].concat();
            tries -= 1;
            if still_shows(&smaller) {
                input = smaller;
            } else {
                at = end;
            }
        }
        if piece == 1 || tries == 0 {
            return input;
        }
        piece = piece.div_ceil(2);
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&'static str>().copied());
    text.unwrap_or("no message").to_owned()
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is {text:?}, which is no number")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::size_class;

    fn target(directory: &Path, budget: Budget) -> Target {
        Target::on(directory.join("toy"), budget, 7).words([b"ABCD".as_slice()])
    }

    /// Panics once the whole word is there twice.
    fn toy(input: &[u8]) -> Vec<String> {
        let words = input.windows(4).filter(|window| *window == b"ABCD").count();
        assert!(words < 2, "two words");
        vec![size_class(input.len()), format!("{words} words")]
    }

    #[test]
    fn a_bug_is_found_minimised_kept_and_replayed() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let run = || target(directory.path(), Budget::Executions(100_000)).run(toy);
        let found = catch_unwind(run).expect_err("the bug is found");
        let said = message(&*found);
        assert!(said.contains("two words"), "{said}");
        let kept = Corpus::new(directory.path().join("toy")).inputs();
        let kept = kept.expect("the corpus can be read");
        let inputs: Vec<&[u8]> = kept.iter().map(|(_, input)| &**input).collect();
        assert_eq!(inputs, [b"ABCDABCD".as_slice()]);
        let replayed = catch_unwind(|| target(directory.path(), Budget::Executions(0)).run(toy));
        let said = message(&*replayed.expect_err("the corpus is replayed"));
        assert!(said.contains(&*kept[0].0.to_string_lossy()), "{said}");
    }

    #[test]
    fn the_same_seed_gives_the_same_run() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let run = |seed| {
            let inputs = std::cell::RefCell::new(Vec::new());
            let target = Target::on(directory.path().join("toy"), Budget::Executions(500), seed);
            target.run(|input| {
                inputs.borrow_mut().push(input.to_vec());
                vec![size_class(input.len())]
            });
            inputs.into_inner()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn what_is_new_in_a_timed_run_is_kept_small() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let corpus = Corpus::new(directory.path().join("toy"));
        let target = target(directory.path(), Budget::Time(Duration::ZERO));
        let mut run = Run {
            target: &target,
            check: |input: &[u8]| vec![format!("{} As", input.contains(&b'A'))],
            pool: Vec::new(),
            seen: BTreeSet::new(),
            report: Report::default(),
        };
        run.keep(b"xxxAxxx".to_vec(), &["true As".to_owned()]);
        let kept = corpus.inputs().expect("the corpus can be read");
        assert_eq!(kept[0].1, b"A");
    }
}
