//! All tasks of a job in one thread; a seed decides which one runs next.
//!
//! An executor for the runtime's chains, persisters and blocking work. Time is tokio's, paused: it
//! advances only when no task can run. Some tasks are sluggish and sometimes pause though they
//! could run. Between any two steps the process may be killed.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tidegate_random::Random;
use tidegate_runtime::executor::{BlockingWork, Executor, Joined, Task, TaskDied};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};

use crate::faults::{Fault, Faults};
use crate::trace::Trace;

/// The most steps of a life of the process that makes progress.
const MOST_STEPS: u64 = 3_000_000;

/// The end of a life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// Its main task is done.
    Over,
    /// The process was killed, or the power failed.
    Crashed,
    /// The process takes steps and makes no progress.
    Endless,
}

/// The scheduler. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Scheduler(Arc<Mutex<State>>);

struct State {
    tasks: BTreeMap<u64, Sluggish>,
    next_task: u64,
    ready: Arc<Ready>,
    random: Random,
    faults: Faults,
    trace: Trace,
}

/// The tasks that can run.
#[derive(Default)]
struct Ready {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    tasks: Vec<u64>,
    scheduler: Option<Waker>,
}

impl Ready {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, task: u64) {
        let scheduler = {
            let mut queue = self.lock();
            if queue.tasks.contains(&task) {
                return;
            }
            queue.tasks.push(task);
            queue.scheduler.take()
        };
        if let Some(scheduler) = scheduler {
            scheduler.wake();
        }
    }
}

struct TaskWaker {
    task: u64,
    ready: Arc<Ready>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.ready.add(self.task);
    }
}

/// A task that pauses now and then.
struct Sluggish {
    task: Task,
    waker: Waker,
    /// The average number of steps between two pauses; 0 for no pauses.
    once_in: u64,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Sluggish {
    /// Returns true if the task is over.
    fn step(&mut self, random: &mut Random) -> bool {
        let mut context = Context::from_waker(&self.waker);
        if self.once_in > 0 && self.pause.is_none() && random.chance(1, self.once_in) {
            let pause = Duration::from_millis(1 + random.skewed(4));
            self.pause = Some(Box::pin(tokio::time::sleep(pause)));
        }
        if let Some(pause) = &mut self.pause {
            if pause.as_mut().poll(&mut context).is_pending() {
                return false;
            }
            self.pause = None;
        }
        self.task.as_mut().poll(&mut context).is_ready()
    }
}

impl Scheduler {
    pub(crate) fn new(seed: u64, faults: &Faults, trace: &Trace) -> Self {
        Self(Arc::new(Mutex::new(State {
            tasks: BTreeMap::new(),
            next_task: 0,
            ready: Arc::default(),
            random: Random::for_purpose(seed, "schedule"),
            faults: faults.clone(),
            trace: trace.clone(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `main` and all tasks that it starts until `main` is over or the process has crashed,
    /// then drops the tasks that are left.
    pub(crate) async fn live(&self, main: Task) -> Life {
        let main = self.start(main);
        let life = self.run(main).await;
        let left = std::mem::take(&mut self.lock().tasks);
        drop(left);
        self.lock().ready.lock().tasks.clear();
        life
    }

    async fn run(&self, main: u64) -> Life {
        let mut steps = 0;
        let run = poll_fn(|context| {
            let (faults, ready, trace) = {
                let state = self.lock();
                let ready = Arc::clone(&state.ready);
                (state.faults.clone(), ready, state.trace.clone())
            };
            ready.lock().scheduler = Some(context.waker().clone());
            loop {
                faults.on_step();
                if faults.has_crashed() {
                    return Poll::Ready(Life::Crashed);
                }
                let Some(task) = self.draw() else {
                    return Poll::Pending;
                };
                steps += 1;
                trace.note(task);
                if self.step(task) && task == main {
                    return Poll::Ready(Life::Over);
                }
                if steps > MOST_STEPS {
                    return Poll::Ready(Life::Endless);
                }
            }
        });
        // tokio polls all tasks as one, so its budget of a task does not apply.
        tokio::task::unconstrained(run).await
    }

    /// Draws the task that runs next.
    fn draw(&self) -> Option<u64> {
        let mut state = self.lock();
        let ready = Arc::clone(&state.ready);
        let mut queue = ready.lock();
        if queue.tasks.is_empty() {
            return None;
        }
        let at = state.random.index(queue.tasks.len());
        Some(queue.tasks.swap_remove(at))
    }

    /// Runs one step of a task; returns true if the task is over.
    fn step(&self, id: u64) -> bool {
        // The lock is released meanwhile: the task may start others.
        let (mut task, mut random) = {
            let mut state = self.lock();
            let Some(task) = state.tasks.remove(&id) else {
                return false;
            };
            let seed = state.random.number();
            (task, Random::for_purpose(seed, ""))
        };
        let is_over = task.step(&mut random);
        if !is_over {
            self.lock().tasks.insert(id, task);
        }
        is_over
    }

    fn start(&self, task: Task) -> u64 {
        let mut state = self.lock();
        let id = state.next_task;
        state.next_task += 1;
        let ready = Arc::clone(&state.ready);
        let waker = Waker::from(Arc::new(TaskWaker { task: id, ready }));
        let once_in = state.random.pick(&[0, 0, 100, 10]);
        let sluggish = Sluggish {
            task,
            waker,
            once_in,
            pause: None,
        };
        state.tasks.insert(id, sluggish);
        let ready = Arc::clone(&state.ready);
        drop(state);
        ready.add(id);
        id
    }

    /// Starts a task beside the job.
    pub(crate) fn spawn(&self, task: Task) -> Joined {
        let (done, is_done) = oneshot::channel();
        self.start(Box::pin(async move {
            task.await;
            // No task waits for it any more if the process is over.
            _ = done.send(());
        }));
        Box::pin(async move {
            is_done.await.map_err(|_| TaskDied {
                reason: "it was dropped".to_owned(),
            })
        })
    }

    /// Starts a task that may be refused, and may die before any of its steps.
    fn start_mortal(&self, mut task: Task, refused: Fault, dies: Fault) -> io::Result<Joined> {
        let faults = self.lock().faults.clone();
        faults.on_start(refused)?;
        let (done, is_done) = oneshot::channel();
        let mut done = Some(done);
        let steps = poll_fn(move |context| {
            if faults.hit(dies) {
                // It dies with everything that it owns, and reports nothing.
                done = None;
                return Poll::Ready(());
            }
            let step = task.as_mut().poll(context);
            if let Some(done) = done.take_if(|_| step.is_ready()) {
                // No task waits for it any more if the process is over.
                _ = done.send(());
            }
            step
        });
        self.start(Box::pin(steps));
        Ok(Box::pin(async move {
            is_done.await.map_err(|_| TaskDied {
                reason: "a planned death".to_owned(),
            })
        }))
    }
}

impl Executor for Scheduler {
    fn start_chain(&self, chain: Task) -> io::Result<Joined> {
        self.start_mortal(chain, Fault::RefuseChain, Fault::DeadChain)
    }

    fn spawn(&self, task: Task) -> io::Result<Joined> {
        self.start_mortal(task, Fault::RefuseTask, Fault::DeadTask)
    }

    fn run_blocking(&self, work: BlockingWork) -> io::Result<()> {
        let faults = self.lock().faults.clone();
        faults.on_start(Fault::RefuseWork)?;
        let takes = faults.work_takes();
        let until = Instant::now() + takes;
        self.start(Box::pin(async move {
            if !takes.is_zero() {
                tokio::time::sleep_until(until).await;
            }
            work();
        }));
        Ok(())
    }
}
