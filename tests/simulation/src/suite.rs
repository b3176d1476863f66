//! Many schedules, on several threads, and the faults that fired in them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::faults::Fault;
use crate::schedule::{Report, run_schedule};

/// The most violations that are shown; the run ends with the last of them.
const MOST_SHOWN: usize = 5;

/// The most characters of a violation that are shown.
const MOST_CHARS: usize = 1_000;

/// The schedules to run.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    /// The seed of the first schedule; the others follow it.
    pub first: u64,
    /// The most schedules to run.
    pub schedules: u64,
    /// The time after which no new schedule begins.
    pub for_at_most: Option<Duration>,
    /// The number of schedules that run at once.
    pub threads: usize,
}

/// The result of all schedules.
#[derive(Debug, Default)]
pub struct Summary {
    /// The number of schedules that ran.
    pub schedules: u64,
    /// The number of times that each fault fired.
    pub fired: BTreeMap<Fault, u64>,
    /// The number of times that a process was started.
    pub lives: u64,
    /// The number of completed checkpoints.
    pub checkpoints: u64,
    /// The reports with a violation.
    pub failed: Vec<Report>,
    took: Duration,
}

impl Suite {
    /// Runs the schedules. Ends early if enough violations were found.
    #[must_use]
    pub fn run(&self) -> Summary {
        let started = Instant::now();
        let next = AtomicU64::new(0);
        let summary = Mutex::new(Summary::default());
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let is_over = self
                    .for_at_most
                    .is_some_and(|most| started.elapsed() > most);
                if at >= self.schedules || is_over {
                    return;
                }
                let report = run_schedule(self.first.wrapping_add(at));
                let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
                summary.add(report);
                if summary.failed.len() >= MOST_SHOWN {
                    return;
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.threads {
                scope.spawn(work);
            }
        });
        let mut summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
        summary.took = started.elapsed();
        summary
    }
}

impl Summary {
    fn add(&mut self, report: Report) {
        self.schedules += 1;
        self.lives += report.lives;
        self.checkpoints += report.checkpoints;
        for (fault, times) in &report.fired {
            *self.fired.entry(*fault).or_default() += times;
        }
        if report.violation.is_some() {
            self.failed.push(report);
        }
    }

    /// Returns the faults that fired less often than planned: each should fire at least once in
    /// `planned_once_in` schedules.
    #[must_use]
    pub fn fired_too_seldom(&self) -> Vec<Fault> {
        let times = |fault: &Fault| self.fired.get(fault).copied().unwrap_or(0);
        let planned = |fault: &Fault| self.schedules / fault.planned_once_in();
        let mut all = Fault::ALL.to_vec();
        all.retain(|fault| times(fault) < planned(fault));
        all
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            schedules,
            lives,
            checkpoints,
            took,
            ..
        } = self;
        let seconds = took.as_secs_f64();
        writeln!(
            f,
            "{schedules} schedules, {lives} lives of a process, {checkpoints} checkpoints, \
             {seconds:.1} s"
        )?;
        let fired: Vec<String> = self
            .fired
            .iter()
            .map(|(fault, times)| format!("{fault:?} {times}"))
            .collect();
        writeln!(f, "fired: {}", fired.join(", "))?;
        for fault in self.fired_too_seldom() {
            writeln!(f, "{fault:?} fired less often than planned")?;
        }
        for report in &self.failed {
            let violation = report.violation.as_deref().unwrap_or_default();
            let violation: String = violation.chars().take(MOST_CHARS).collect();
            writeln!(f, "seed {}: {violation}", report.seed)?;
            let seed = report.seed;
            writeln!(
                f,
                "    again: make soak ARGS=\"--seed {seed} --schedules 1\""
            )?;
        }
        write!(f, "{} violation(s)", self.failed.len())
    }
}
