//! One schedule: a random job, run by the real runtime until it has finished, through every crash
//! and failure that its seed plans.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_checkpoint::DirStore;
use tidegate_connector::Lineage;
use tidegate_random::Random;
use tidegate_runtime::{JobError, JobErrorKind, JobHandle, Outcome, RunOptions, run_on};
use tokio::time::Instant;

use crate::disk::SimulatedDisk;
use crate::faults::{Fault, Faults};
use crate::job::{Does, JobPlan};
use crate::model::Given;
use crate::oracle::{self, CHECKPOINTS, Newest, Reported, Violation};
use crate::panics;
use crate::person::Person;
use crate::rival::{Booty, Rival};
use crate::scheduler::{Life, Scheduler};
use crate::trace::Trace;

/// The number of lives of the process that may have faults.
const FAULTY_LIVES: u64 = 5;
/// The most faults that are planned for one life.
const MOST_FAULTS: u64 = 5;
/// G7: the time within which a job finishes once no more faults occur.
const PROGRESS: Duration = Duration::from_secs(120);
/// The time within which a life with faults is over.
const LONGEST_LIFE: Duration = Duration::from_secs(3600);

/// The result of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The seed that it was made from.
    pub seed: u64,
    /// The number of times that each fault fired.
    pub fired: BTreeMap<Fault, u64>,
    /// The number of times that the process was started.
    pub lives: u64,
    /// The number of completed checkpoints that the job reported.
    pub checkpoints: u64,
    /// A digest of every step.
    pub trace: u64,
    /// The broken guarantee, if there is one.
    pub violation: Option<String>,
}

/// Runs the schedule of a seed.
#[must_use]
pub fn run_schedule(seed: u64) -> Report {
    run(seed, Trace::default())
}

/// Runs the schedule of a seed and returns the log of its events, for people.
#[must_use]
pub fn tell_schedule(seed: u64) -> Vec<String> {
    let trace = Trace::logged();
    let report = run(seed, trace.clone());
    let mut told = vec![format!("{:#?}", JobPlan::new(seed))];
    told.extend(trace.log());
    told.push(format!("{report:#?}"));
    told
}

fn run(seed: u64, trace: Trace) -> Report {
    let faults = Faults::new(seed);
    let mut schedule = Schedule {
        seed,
        plan: JobPlan::new(seed),
        disk: SimulatedDisk::new(faults.clone(), trace.clone()),
        random: Random::for_purpose(seed, "power"),
        reported: Reported::default(),
        newest: None,
        earlier: Given::new(),
        faults,
        booty: Booty::default(),
        trace,
        lives: 0,
        checkpoints: 0,
    };
    let ran = panics::watched(|| {
        let run = catch_unwind(AssertUnwindSafe(|| schedule.run()));
        run.unwrap_or_else(|_| Err("the simulation itself panicked".to_owned()))
    });
    Report {
        seed,
        fired: schedule.faults.fired(),
        lives: schedule.lives,
        checkpoints: schedule.checkpoints,
        trace: schedule.trace.digest(),
        violation: ran.err(),
    }
}

struct Schedule {
    seed: u64,
    plan: JobPlan,
    disk: SimulatedDisk,
    faults: Faults,
    booty: Booty,
    trace: Trace,
    random: Random,
    reported: Reported,
    /// The newest checkpoint after the last life.
    newest: Option<Newest>,
    /// The records of ended splits that were dropped.
    earlier: Given,
    lives: u64,
    checkpoints: u64,
}

/// The facts that a life of the process has reported to the outside, even if it was killed.
#[derive(Default)]
struct Told {
    end: Option<Result<Outcome, JobError>>,
    handle: Option<JobHandle>,
}

impl Schedule {
    fn run(&mut self) -> Result<(), Violation> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .map_err(|error| error.to_string())?;
        while !self.reported.has_finished {
            self.rescale();
            let is_faulty = self.lives < FAULTY_LIVES;
            let most = if is_faulty { MOST_FAULTS } else { 0 };
            self.faults.plan_life(most);
            self.lives += 1;
            if self.lives > FAULTY_LIVES + 1 {
                return Err("nothing goes wrong any more, and it does not finish".to_owned());
            }
            let limit = if is_faulty { LONGEST_LIFE } else { PROGRESS };
            let (life, told) = runtime.block_on(self.live(limit));
            self.after_life(life, told)
                .map_err(|violation| format!("life {}: {violation}", self.lives))?;
        }
        // Published output stays published. Removed files may come back.
        self.disk.fail_power(&mut self.random);
        self.reported.has_cleared_up = false;
        self.check()
    }

    /// Runs one life of the process.
    async fn live(&self, limit: Duration) -> (Option<Life>, Told) {
        let told = Arc::new(Mutex::new(Told::default()));
        let scheduler_seed = self.seed.wrapping_add(self.lives << 32);
        let scheduler = Scheduler::new(scheduler_seed, &self.faults, &self.trace);
        let main = self.process(scheduler.clone(), Arc::clone(&told));
        let started = Instant::now();
        let life = tokio::time::timeout(limit, scheduler.live(Box::pin(main))).await;
        let took = started.elapsed().as_nanos();
        self.trace.note(u64::try_from(took).unwrap_or(u64::MAX));
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        (life.ok(), std::mem::take(&mut told))
    }

    /// Does the work of the command `run`.
    fn process(
        &self,
        scheduler: Scheduler,
        told: Arc<Mutex<Told>>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let job = self
            .plan
            .job(self.seed ^ self.lives, &self.disk, &self.faults);
        let (disk, faults) = (self.disk.clone(), self.faults.clone());
        let booty = self.booty.clone();
        let (output, sinks) = (disk.clone(), job.sinks.keys().cloned().collect());
        let mut lineage = [0; 16];
        lineage[..8].copy_from_slice(&self.seed.to_le_bytes());
        lineage[8..].copy_from_slice(&self.lives.to_le_bytes());
        let options = RunOptions {
            lineage: Some(Lineage(lineage)),
            ..RunOptions::default()
        };
        async move {
            let tell = |end| {
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                told.end = Some(end);
            };
            let store = match DirStore::open_in(Arc::new(disk), Path::new(CHECKPOINTS)) {
                Ok(store) => Arc::new(store),
                Err(error) => return tell(Err(error.into())),
            };
            let (handle, control) = JobHandle::new("simulated");
            {
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                told.handle = Some(handle.clone());
            }
            let rival = Rival {
                handle: handle.clone(),
                faults: faults.clone(),
                disk: output,
                booty,
                sinks,
            };
            drop(scheduler.spawn(Box::pin(rival.act())));
            let person = Person { handle, faults };
            drop(scheduler.spawn(Box::pin(person.act())));
            tell(run_on(Arc::new(scheduler), job, store, options, control).await);
        }
    }

    fn after_life(&mut self, life: Option<Life>, told: Told) -> Result<(), Violation> {
        let (crash, fired) = (self.faults.crash(), self.faults.fired_in_life());
        // The following checks see the disk without faults.
        self.faults.plan_life(0);
        if let Some(handle) = &told.handle {
            let complete = handle.status().checkpoints;
            self.checkpoints += complete.completed;
            let newest = complete.last_completed.map(|summary| summary.checkpoint);
            self.reported.checkpoint = self.reported.checkpoint.max(newest);
        }
        let savepoints = self.faults.take_savepoints();
        self.reported.savepoints.extend(savepoints);
        let asked_to_drain = self.faults.fired().contains_key(&Fault::AskDrain);
        self.reported.may_be_drained |= asked_to_drain;
        self.trace.tell(|| {
            let lives = self.lives;
            format!("life {lives}: {life:?} {crash:?} {:?}", told.end)
        });
        let was_taken = self.booty.is_there();
        match life {
            None => return Err(format!("it hangs or takes too long: {:#?}", told.handle)),
            Some(Life::Endless) => return Err("it takes steps and gets nowhere".to_owned()),
            Some(Life::Over) => {
                self.disk.end_process();
                self.after_end(told.end, fired, was_taken)?;
            }
            Some(Life::Crashed) => match crash {
                Some(Fault::PowerFailure | Fault::PowerFailureAtDisk) => {
                    self.disk.fail_power(&mut self.random);
                }
                _ => self.disk.end_process(),
            },
        }
        self.give_back()?;
        if let Some(panic) = panics::taken() {
            return Err(format!("a panic: {panic}"));
        }
        if let Some(violation) = self.faults.violations().first() {
            return Err(violation.clone());
        }
        self.check()
    }

    fn after_end(
        &mut self,
        end: Option<Result<Outcome, JobError>>,
        fired: u64,
        was_taken: bool,
    ) -> Result<(), Violation> {
        match end.expect("a process that is over has told how") {
            Ok(Outcome::Finished) => {
                self.reported.has_finished = true;
                self.reported.has_cleared_up = fired == 0;
            }
            Ok(Outcome::AlreadyFinished) => self.reported.has_finished = true,
            Ok(Outcome::Stopped { checkpoint }) => {
                let stopped_at = Some(checkpoint.0);
                self.reported.checkpoint = self.reported.checkpoint.max(stopped_at);
            }
            Ok(Outcome::Cancelled) => {}
            Err(error) if was_taken && error.kind() == JobErrorKind::StateUnusable => {}
            Err(error) if error.kind() != JobErrorKind::Failed => {
                return Err(format!("the job is refused: {error}"));
            }
            Err(error) if fired == 0 => return Err(format!("it failed without a fault: {error}")),
            Err(_) => {}
        }
        Ok(())
    }

    /// Restores the directory that a second owner has taken. Checks that nothing was published
    /// there meanwhile.
    fn give_back(&self) -> Result<(), Violation> {
        let Some(taken) = self.booty.take() else {
            return Ok(());
        };
        self.disk.give_back(&taken.takeover);
        let visible = self.disk.visible(&taken.takeover);
        let mut published = visible.difference(&taken.visible);
        match published.next() {
            Some(part) => Err(format!(
                "{}: {part} was published after a second owner had taken the directory",
                taken.sink
            )),
            None => Ok(()),
        }
    }

    fn check(&mut self) -> Result<(), Violation> {
        let newest = oracle::check(&self.plan, &self.disk, &self.reported, &self.earlier)?;
        let checkpoint = newest.as_ref().map(|newest| newest.checkpoint);
        self.trace.note(checkpoint.unwrap_or(u64::MAX));
        self.newest = newest;
        Ok(())
    }

    /// Sometimes lets the next life begin with other parallelisms. Partly ended sources may change:
    /// `earlier` remembers the records of their ended splits.
    fn rescale(&mut self) {
        if !self.random.chance(1, 4) {
            return;
        }
        let mut fixed = BTreeSet::new();
        if let Some(newest) = &self.newest {
            self.earlier = newest.given.clone();
            fixed.extend(newest.partly_ended.iter().cloned());
            for node in &self.plan.nodes {
                if matches!(node.does, Does::Give { .. }) {
                    fixed.remove(&node.name);
                }
            }
        }
        let rescaled = self.plan.rescaled(&mut self.random, &fixed);
        if rescaled.nodes != self.plan.nodes {
            self.faults.note(Fault::Rescale);
            self.trace.tell(|| format!("rescaled: {rescaled:#?}"));
            self.plan = rescaled;
        }
    }
}
