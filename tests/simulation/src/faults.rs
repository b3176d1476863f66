//! The faults of one schedule: planned faults, fired faults, and violations that were seen.
//!
//! A fault is planned as "the n-th opportunity from now". It counts when it fires, not before.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidegate_random::Random;

/// A failure, or a user's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The process is killed between two steps of the scheduler.
    Kill,
    /// The process is killed before an operation of the disk.
    KillAtDisk,
    /// The power fails between two steps of the scheduler.
    PowerFailure,
    /// The power fails before an operation of the disk.
    PowerFailureAtDisk,
    /// The sync of a file fails.
    FileSync,
    /// The sync of a directory fails.
    DirectorySync,
    /// The disk has no room for a while.
    DiskFull,
    /// A write fails.
    Write,
    /// A file can't be read.
    Read,
    /// A rename fails.
    Rename,
    /// A file or directory can't be created, opened, listed or removed.
    OtherDisk,
    /// Operations of the disk take up to a minute for a while.
    SlowDisk,
    /// An operator traps at a batch.
    TrapProcess,
    /// An operator traps at a watermark.
    TrapWatermark,
    /// An operator traps in `snapshot`.
    TrapSnapshot,
    /// An operator answers `snapshot` with a failure.
    DeclineSnapshot,
    /// An operator traps in `restore`.
    TrapRestore,
    /// An operator traps in `finish`.
    TrapFinish,
    /// An operator traps when a checkpoint is complete.
    TrapComplete,
    /// The system refuses a thread for a chain.
    RefuseChain,
    /// The system refuses a persister.
    RefuseTask,
    /// The system refuses a thread for blocking work.
    RefuseWork,
    /// A chain ends between two steps, with everything that it owns, and does not report its end.
    DeadChain,
    /// A persister ends in the same way.
    DeadTask,
    /// A source can't be opened.
    OpenSource,
    /// A source can't be read.
    ReadSource,
    /// A user asks for a checkpoint.
    AskCheckpoint,
    /// A user asks for a savepoint.
    AskSavepoint,
    /// A user stops the job and starts it again.
    AskStop,
    /// A user ends event time and stops the job.
    AskDrain,
    /// A user cancels the job and starts it again.
    AskCancel,
    /// The process starts with other parallelisms.
    Rescale,
    /// An instance is replaced because of its memory.
    Recycle,
    /// Another owner takes a directory of output.
    SecondOwner,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 34] = [
        Self::Kill,
        Self::KillAtDisk,
        Self::PowerFailure,
        Self::PowerFailureAtDisk,
        Self::FileSync,
        Self::DirectorySync,
        Self::DiskFull,
        Self::Write,
        Self::Read,
        Self::Rename,
        Self::OtherDisk,
        Self::SlowDisk,
        Self::TrapProcess,
        Self::TrapWatermark,
        Self::TrapSnapshot,
        Self::DeclineSnapshot,
        Self::TrapRestore,
        Self::TrapFinish,
        Self::TrapComplete,
        Self::RefuseChain,
        Self::RefuseTask,
        Self::RefuseWork,
        Self::DeadChain,
        Self::DeadTask,
        Self::OpenSource,
        Self::ReadSource,
        Self::AskCheckpoint,
        Self::AskSavepoint,
        Self::AskStop,
        Self::AskDrain,
        Self::AskCancel,
        Self::Rescale,
        Self::Recycle,
        Self::SecondOwner,
    ];

    /// Returns the binary logarithm of the most opportunities that pass before the fault fires;
    /// each power of two is as likely.
    fn bits(self) -> u64 {
        match self {
            Self::Kill | Self::PowerFailure => 13,
            Self::KillAtDisk | Self::PowerFailureAtDisk => 10,
            Self::SlowDisk | Self::Write | Self::OtherDisk => 7,
            Self::FileSync | Self::DirectorySync | Self::DiskFull | Self::Rename => 6,
            Self::TrapProcess | Self::ReadSource => 6,
            Self::TrapWatermark | Self::TrapSnapshot | Self::DeclineSnapshot => 5,
            Self::AskCheckpoint | Self::AskSavepoint => 5,
            Self::AskStop | Self::AskDrain | Self::AskCancel | Self::SecondOwner => 5,
            Self::Read | Self::TrapComplete => 4,
            Self::TrapRestore | Self::OpenSource | Self::TrapFinish => 2,
            Self::DeadChain => 10,
            Self::DeadTask | Self::RefuseWork => 6,
            Self::RefuseChain | Self::RefuseTask => 4,
            // These happen by themselves.
            Self::Rescale | Self::Recycle => 0,
        }
    }

    /// Returns the number of schedules in which the fault is planned to fire at least once.
    pub(crate) fn planned_once_in(self) -> u64 {
        if self == Self::Recycle {
            // Many jobs leak, and each of them many times.
            2
        } else if self == Self::TrapRestore {
            // Only a life that begins with a checkpoint has an opportunity for it.
            500
        } else {
            100
        }
    }

    fn is_crash(self) -> bool {
        matches!(
            self,
            Self::Kill | Self::KillAtDisk | Self::PowerFailure | Self::PowerFailureAtDisk
        )
    }
}

/// An operation of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnDisk {
    Open,
    Create,
    List,
    Read,
    Write,
    SyncFile,
    Rename,
    Remove,
    SyncDirectory,
}

impl OnDisk {
    fn fault(self) -> Fault {
        match self {
            Self::Open | Self::Create | Self::List | Self::Remove => Fault::OtherDisk,
            Self::Read => Fault::Read,
            Self::Write => Fault::Write,
            Self::SyncFile => Fault::FileSync,
            Self::Rename => Fault::Rename,
            Self::SyncDirectory => Fault::DirectorySync,
        }
    }

    fn takes_room(self) -> bool {
        matches!(self, Self::Create | Self::Write)
    }
}

/// The faults of one schedule. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Faults(Arc<Mutex<Plan>>);

#[derive(Debug)]
struct Plan {
    random: Random,
    /// The faults planned for this life of the process, each with the opportunities before it.
    planned: Vec<(Fault, u64)>,
    crashed: Option<Fault>,
    /// The number of coming operations that find the disk full.
    full_for: u64,
    /// The number of coming operations of each kind that fail.
    failing_for: BTreeMap<Fault, u64>,
    /// The number of coming pieces of blocking work that are slow, and their delay.
    slow_for: (u64, u64),
    fired: BTreeMap<Fault, u64>,
    fired_in_life: u64,
    violations: Vec<String>,
    /// Savepoints that were reported complete in this life.
    savepoints: Vec<PathBuf>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Plan {
            random: Random::for_purpose(seed, "faults"),
            planned: Vec::new(),
            crashed: None,
            full_for: 0,
            failing_for: BTreeMap::new(),
            slow_for: (0, 0),
            fired: BTreeMap::new(),
            fired_in_life: 0,
            violations: Vec::new(),
            savepoints: Vec::new(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a new life of the process, with up to `most` faults. Forgets planned faults that did
    /// not fire.
    pub(crate) fn plan_life(&self, most: u64) {
        let mut plan = self.lock();
        let Plan { random, .. } = &mut *plan;
        let count = random.below(most + 1);
        let mut planned = Vec::new();
        for _ in 0..count {
            let fault = match random.chance(1, 3) {
                true => random.pick(&Fault::ALL[..4]),
                false => random.pick(&Fault::ALL),
            };
            planned.push((fault, random.skewed(fault.bits())));
        }
        plan.planned = planned;
        plan.crashed = None;
        plan.full_for = 0;
        plan.failing_for.clear();
        plan.slow_for = (0, 0);
        plan.fired_in_life = 0;
    }

    /// Takes an opportunity for a fault. Returns true if the fault fires.
    pub(crate) fn hit(&self, fault: Fault) -> bool {
        self.lock().hit(fault)
    }

    /// Announces a step of the scheduler.
    pub(crate) fn on_step(&self) {
        let mut plan = self.lock();
        plan.crash_at(Fault::Kill);
        plan.crash_at(Fault::PowerFailure);
    }

    /// Announces an operation of the disk. An error stands for the operation's failure.
    pub(crate) fn on_disk(&self, operation: OnDisk) -> io::Result<()> {
        let mut plan = self.lock();
        plan.crash_at(Fault::KillAtDisk);
        plan.crash_at(Fault::PowerFailureAtDisk);
        if plan.crashed.is_some() {
            return Err(io::Error::other("the process is gone"));
        }
        if operation.takes_room() {
            if plan.hit(Fault::DiskFull) {
                plan.full_for = 1 + plan.random.skewed(6);
            }
            if plan.full_for > 0 {
                plan.full_for -= 1;
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        let fault = operation.fault();
        if plan.hit(fault) {
            // A single failure is as likely as several in a row.
            let more = plan.random.skewed(3);
            plan.failing_for.insert(fault, 1 + more);
        }
        match plan.failing_for.get_mut(&fault) {
            Some(times) if *times > 0 => {
                *times -= 1;
                Err(io::Error::other("a planned failure of the disk"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Announces the start of a chain, task or piece of blocking work. An error stands for the
    /// system's refusal.
    pub(crate) fn on_start(&self, refused: Fault) -> io::Result<()> {
        match self.hit(refused) {
            true => Err(io::Error::new(
                io::ErrorKind::WouldBlock,
                "a planned refusal",
            )),
            false => Ok(()),
        }
    }

    /// Returns the duration of the next piece of blocking work.
    pub(crate) fn work_takes(&self) -> Duration {
        let mut plan = self.lock();
        if plan.hit(Fault::SlowDisk) {
            let most_millis = plan.random.pick(&[100, 1_000, 10_000, 60_000]);
            plan.slow_for = (1 + plan.random.skewed(4), most_millis);
        }
        let (times, most_millis) = plan.slow_for;
        if times > 0 {
            plan.slow_for.0 -= 1;
            return Duration::from_millis(plan.random.below(most_millis));
        }
        // Most work is done before anything else happens; some takes a while.
        let takes = plan.random.skewed(3);
        Duration::from_millis(takes)
    }

    pub(crate) fn has_crashed(&self) -> bool {
        self.lock().crashed.is_some()
    }

    /// Returns the fault that ended the life of the process, if it crashed.
    pub(crate) fn crash(&self) -> Option<Fault> {
        self.lock().crashed
    }

    /// Returns the number of faults that fired in this life.
    pub(crate) fn fired_in_life(&self) -> u64 {
        self.lock().fired_in_life
    }

    pub(crate) fn fired(&self) -> BTreeMap<Fault, u64> {
        self.lock().fired.clone()
    }

    /// Counts a fault that happened without being planned here.
    pub(crate) fn note(&self, fault: Fault) {
        *self.lock().fired.entry(fault).or_default() += 1;
    }

    /// Returns true or false, with equal chance.
    pub(crate) fn coin(&self) -> bool {
        self.lock().random.chance(1, 2)
    }

    /// Notes that a savepoint was reported complete.
    pub(crate) fn savepoint_told(&self, path: PathBuf) {
        self.lock().savepoints.push(path);
    }

    pub(crate) fn take_savepoints(&self) -> Vec<PathBuf> {
        std::mem::take(&mut self.lock().savepoints)
    }

    /// Returns an index below `length`, each as likely.
    pub(crate) fn index(&self, length: usize) -> usize {
        self.lock().random.index(length)
    }

    /// Notes a violation of a guarantee.
    pub(crate) fn violation(&self, what: String) {
        self.lock().violations.push(what);
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }
}

impl Plan {
    fn hit(&mut self, fault: Fault) -> bool {
        if self.crashed.is_some() {
            return false;
        }
        let mut due = None;
        for (at, (planned, left)) in self.planned.iter_mut().enumerate() {
            if *planned == fault {
                if *left == 0 {
                    due = Some(at);
                    break;
                }
                *left -= 1;
            }
        }
        let Some(at) = due else {
            return false;
        };
        self.planned.swap_remove(at);
        *self.fired.entry(fault).or_default() += 1;
        self.fired_in_life += 1;
        true
    }

    fn crash_at(&mut self, fault: Fault) {
        assert!(fault.is_crash(), "{fault:?} is no crash");
        if self.hit(fault) {
            self.crashed = Some(fault);
        }
    }
}
