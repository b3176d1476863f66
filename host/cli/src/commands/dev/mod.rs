//! `tidegate dev`: runs a job while its author edits it.
//!
//! changes → preparation → session → job. [`session`] decides, [`preparation`] builds and tests on
//! a thread of its own, and [`running`] has the job, which continues meanwhile. Everything runs in
//! this process: a job is an ordinary run of the runtime, of which one follows the other.

mod changes;
mod preparation;
mod running;
mod scope;
mod session;

use std::path::PathBuf;

use tidegate_checkpoint::CheckpointDirectory;
use tidegate_job_file::JobFile;
use tidegate_runtime::JobHandle;
use tokio::sync::{oneshot, watch};

use super::run::{Answer, SignalThread, warn_of_duplicates};
use crate::args::DevArgs;
use crate::failure::Failure;
use crate::process_limits;
use crate::terminal::Terminal;

use changes::Changes;
use preparation::{Earlier, Outcome, Preparation, Preparer, Ready};
use running::{Running, RunningJob, discard_output};
use scope::{Fingerprint, Scope};
use session::{Beginning, Ended, Session, Step};

/// Runs a job and follows its changes, until the user ends it.
pub(crate) fn dev(args: &DevArgs, terminal: &Terminal) -> Result<(), Failure> {
    process_limits::raise_open_files();
    // A wrong path ends the command; a wrong file may become right.
    JobFile::read(&args.job.file)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(Failure::io("start the runtime"))?;
    runtime.block_on(async {
        let mut dev = Dev::new(args, terminal)?;
        dev.until_left().await
    })
}

/// The parts of one `tidegate dev`.
struct Dev<'a> {
    args: &'a DevArgs,
    terminal: &'a Terminal,
    session: Session,
    changes: Changes,
    preparer: Preparer,
    preparation: Option<oneshot::Receiver<Preparation>>,
    scope: Scope,
    fingerprint: Option<Fingerprint>,
    /// The job that was prepared last and has not started.
    ready: Option<Ready>,
    job: Option<RunningJob>,
    /// The checkpoint directory in which a job of this `dev` began, so that all its output is from
    /// this `dev`.
    began_in: Option<PathBuf>,
    has_warned: bool,
    signals: SignalThread,
    current: watch::Sender<Option<JobHandle>>,
}

/// The events of the loop.
enum Event {
    Changed,
    Prepared(Option<Preparation>),
    Job(Result<Answer, Failure>),
    Leave,
}

impl<'a> Dev<'a> {
    fn new(args: &'a DevArgs, terminal: &'a Terminal) -> Result<Self, Failure> {
        let (current, job) = watch::channel(None);
        let scope = Scope::of_file(&args.job.file);
        Ok(Self {
            signals: SignalThread::start(job, terminal.clone(), args.stopping.stop_timeout)?,
            current,
            session: Session::new(),
            changes: Changes::new(scope.clone()),
            preparer: Preparer {
                job_file: args.job.file.clone(),
                parallelism: args.defaults.parallelism,
                compiler: args.compiler.clone(),
                backtrace: args.faults.backtrace.into(),
                terminal: terminal.clone(),
            },
            preparation: None,
            scope,
            fingerprint: None,
            ready: None,
            job: None,
            began_in: None,
            has_warned: false,
            args,
            terminal,
        })
    }

    /// Handles events until the user ends `dev`.
    async fn until_left(&mut self) -> Result<(), Failure> {
        let mut last = Ok(());
        loop {
            if self.session.begins_to_prepare() {
                self.preparation = Some(self.preparer.start(Earlier {
                    scope: self.scope.clone(),
                    fingerprint: self.fingerprint,
                    continues: self.session.continues(),
                })?);
            }
            let mut step = match self.next_event().await? {
                Event::Changed => {
                    self.session.on_changed();
                    Step::Wait
                }
                Event::Prepared(preparation) => self.on_prepared(preparation),
                Event::Job(answer) => {
                    let (ended, failure) = self.on_ended(answer?);
                    last = failure.map_or(Ok(()), Err);
                    self.session.on_ended(ended)
                }
                Event::Leave => self.session.on_leave(),
            };
            if let Step::Start(beginning) = step {
                step = self.begin(beginning);
            }
            self.report(step);
            if step == Step::Leave {
                self.signals.on_job_over();
                return last;
            }
        }
    }

    /// Waits for the next event. Each branch is cancel-safe: its event stays until it is taken.
    async fn next_event(&mut self) -> Result<Event, Failure> {
        let has_left = self.session.is_leaving();
        tokio::select! {
            // The request to leave comes before the end of the job that it stops.
            biased;
            left = self.signals.is_requested.wait_for(|requested| *requested), if !has_left => {
                left.map_err(|_| Failure::SignalsUnanswered)?;
                Ok(Event::Leave)
            }
            _ = &mut self.signals.gone => Err(Failure::SignalsUnanswered),
            ended = ended(&mut self.job) => Ok(Event::Job(ended)),
            preparation = received(&mut self.preparation) => Ok(Event::Prepared(preparation)),
            () = self.changes.next() => Ok(Event::Changed),
        }
    }

    /// Takes the result of a preparation, and reports a mistake.
    fn on_prepared(&mut self, preparation: Option<Preparation>) -> Step {
        self.preparation = None;
        let Some(preparation) = preparation else {
            // The thread panicked, and its message is shown.
            return self.session.on_prepared(None);
        };
        if self.session.is_leaving() {
            // Ctrl-C ended the compiler, too, which is no mistake.
            return self.session.on_prepared(None);
        }
        self.scope = preparation.scope;
        self.fingerprint = Some(preparation.fingerprint);
        if self.changes.watch(&self.scope) {
            self.session.on_changed();
        }
        match preparation.outcome {
            Outcome::NothingChanged => self.session.on_prepared(None),
            Outcome::Failed(failure) => {
                self.terminal.report(&failure);
                self.say(match self.session.runs() {
                    true => "the running code continues until the mistake is corrected",
                    false => "no job runs; correct the mistake, and the job starts",
                });
                self.session.on_prepared(None)
            }
            Outcome::Ready(ready) => {
                let step = self.session.on_prepared(Some(ready.code));
                self.ready = (step != Step::Unchanged).then_some(*ready);
                step
            }
        }
    }

    /// Releases the job that has ended, and reports a failure unless `dev` ends with it.
    fn on_ended(&mut self, answer: Answer) -> (Ended, Option<Failure>) {
        let job = self.job.take().expect("a job ends once");
        self.current.send_replace(None);
        let (ended, failure) = job.finish(answer);
        if self.session.is_leaving() {
            return (ended, failure);
        }
        if let Some(failure) = failure {
            self.terminal.report(&failure);
        }
        match ended {
            Ended::Finished => self
                .say("the input has ended; after a change, the job runs again from the beginning"),
            Ended::Failed if !self.session.is_replacing() => self.say(
                "the job does not run; after a change, it continues from its newest checkpoint",
            ),
            Ended::Stopped if !self.session.is_replacing() => {
                self.say("another command stopped the job; after a change, it continues")
            }
            Ended::Failed | Ended::Stopped | Ended::NotStarted => {}
        }
        (ended, None)
    }

    /// Starts the job that was prepared last, and returns the step that was taken.
    fn begin(&mut self, beginning: Beginning) -> Step {
        let started = self.start(beginning);
        match started {
            // The signal came before the job could be asked to stop.
            Ok(()) if self.job.is_none() => {
                assert_eq!(
                    self.session.on_leave(),
                    Step::Wait,
                    "the job counts as running"
                );
                self.session.on_ended(Ended::NotStarted)
            }
            Ok(()) => Step::Start(beginning),
            Err(failure) => {
                self.current.send_replace(None);
                self.terminal.report(&failure);
                self.say("the job does not run; it starts after a change");
                self.session.on_ended(Ended::NotStarted)
            }
        }
    }

    /// Starts the job that was prepared last, unless the user ends `dev`.
    fn start(&mut self, beginning: Beginning) -> Result<(), Failure> {
        let ready = self
            .ready
            .take()
            .expect("a job is prepared before it starts");
        let directory = ready.loaded.checkpoint_directory.clone();
        let begins = match beginning {
            Beginning::Newest => !CheckpointDirectory::holds_checkpoints(&directory)?,
            Beginning::Over => {
                if self.began_in.as_ref() == Some(&directory) {
                    discard_output(&ready.loaded, &directory)?;
                }
                true
            }
        };
        if !std::mem::replace(&mut self.has_warned, true) {
            warn_of_duplicates(&ready.loaded.job, self.terminal);
        }
        let job = RunningJob::start(
            ready.loaded,
            beginning,
            &Running {
                terminal: self.terminal,
                is_quiet: self.args.quiet,
                current: &self.current,
                is_left: self.signals.is_requested.clone(),
            },
        )?;
        if begins && job.is_some() {
            self.began_in = Some(directory);
        }
        self.job = job;
        Ok(())
    }

    /// Reports a step, and carries it out unless it starts a job.
    fn report(&mut self, step: Step) {
        match step {
            Step::Wait | Step::Start(Beginning::Newest) | Step::Leave => {}
            Step::Start(Beginning::Over) => {
                self.say("running from the beginning with the new code")
            }
            Step::Unchanged => self.say("the code is the same: the job is left alone"),
            Step::Replace => {
                self.say("stopping with a checkpoint, to continue with the new code");
                let within = self.args.stopping.stop_timeout;
                if let Some(job) = &mut self.job {
                    job.stop(within, self.terminal);
                }
            }
        }
    }

    fn say(&self, line: &str) {
        self.terminal.say(line);
    }
}

/// Waits for the end of the job, if one runs. Cancel-safe.
async fn ended(job: &mut Option<RunningJob>) -> Result<Answer, Failure> {
    match job {
        Some(job) => job.ended().await,
        None => std::future::pending().await,
    }
}

/// Waits for the preparation, if one is under way; `None` if it panicked. Cancel-safe.
async fn received(preparation: &mut Option<oneshot::Receiver<Preparation>>) -> Option<Preparation> {
    match preparation {
        Some(preparation) => preparation.await.ok(),
        None => std::future::pending().await,
    }
}
