//! The harness itself: records in, emissions out.

use crate::batch::{Batch, Emission, NO_TIMESTAMP, StateChunk};
use crate::context::Context;
use crate::failure::Failure;
use crate::host::{Level, recorder};
use crate::operator::Operator;
use crate::raw::RawOperator;
use crate::testing::builder::Builder;
use crate::typed::Typed;

/// Runs an [`Operator`] natively; see the [module](crate::testing).
///
/// ```
/// # use tidegate_sdk::{Failure, Operator, testing::Harness};
/// fn run<O: Operator>() -> Result<(), Failure> {
///     let mut harness = Harness::<O>::builder().open()?;
///     harness.send("key", "value")?;
///     assert_eq!(harness.take_output().len(), 1);
///     Ok(())
/// }
/// ```
pub type Harness<O> = RawHarness<Typed<O>>;

/// Runs a [`RawOperator`] natively; see the [module](crate::testing).
///
/// ```
/// # use tidegate_sdk::{Failure, raw::RawOperator, testing::RawHarness};
/// fn run<R: RawOperator>() -> Result<(), Failure> {
///     let mut harness = RawHarness::<R>::builder().open()?;
///     harness.send("key", "value")?;
///     assert_eq!(harness.take_output().len(), 1);
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct RawHarness<R> {
    operator: R,
    context: Context,
    emitted: Vec<Emitted>,
    checkpoint: u64,
    /// The watermark that a new instance receives again; `None` before the first and after the end.
    watermark: Option<i64>,
}

/// One record that an operator emitted.
///
/// ```
/// use tidegate_sdk::testing::Emitted;
///
/// let emitted = Emitted {
///     port: 0,
///     timestamp: None,
///     key: b"a".to_vec(),
///     value: b"1".to_vec(),
/// };
/// assert_eq!(emitted.text(), ("a".into(), "1".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted {
    /// The output port.
    pub port: u32,
    /// Milliseconds since the Unix epoch.
    pub timestamp: Option<i64>,
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

impl Emitted {
    /// Returns key and value as text; bytes that are not UTF-8 are replaced.
    ///
    /// ```
    /// # let (key, value) = (b"k".to_vec(), vec![255]);
    /// # let emitted = tidegate_sdk::testing::Emitted { port: 0, timestamp: None, key, value };
    /// assert_eq!(emitted.text(), ("k".into(), "\u{fffd}".into()));
    /// ```
    #[must_use]
    pub fn text(&self) -> (String, String) {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (text(&self.key), text(&self.value))
    }
}

impl<R: RawOperator> RawHarness<R> {
    /// Begins a harness.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// fn open<O: Operator>() -> Result<Harness<O>, Failure> {
    ///     Harness::<O>::builder().subtask(0, 2).open()
    /// }
    /// ```
    #[must_use]
    pub fn builder() -> Builder<R> {
        Builder::new()
    }

    pub(crate) fn new(operator: R, context: Context) -> Self {
        Self {
            operator,
            context,
            emitted: Vec::new(),
            checkpoint: 0,
            watermark: None,
        }
    }

    /// Returns the context in which the operator runs.
    ///
    /// ```
    /// # use tidegate_sdk::{Operator, testing::Harness};
    /// fn subtask<O: Operator>(harness: &Harness<O>) -> u32 {
    ///     harness.context().subtask
    /// }
    /// ```
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Returns true if a record with this key reaches this subtask over a `hash` edge.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// fn route<O: Operator>(subtasks: &mut [Harness<O>], key: &str) -> Result<(), Failure> {
    ///     let owner = subtasks.iter_mut().find(|subtask| subtask.owns(key));
    ///     owner.expect("one subtask owns the key").send(key, "")
    /// }
    /// ```
    #[must_use]
    pub fn owns(&self, key: impl AsRef<[u8]>) -> bool {
        let total = self.context.max_parallelism;
        let key_group = tidegate_key_groups::key_group(key.as_ref(), total);
        self.context.owns(key_group)
    }

    /// Hands the operator one record, without timestamp, on input 0.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// fn send<O: Operator>(harness: &mut Harness<O>) -> Result<(), Failure> {
    ///     harness.send("key", 42_i64.to_le_bytes())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The operator's failure. An instance that failed is not to be used again.
    pub fn send(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<(), Failure> {
        self.send_all([(key, value)])
    }

    /// Hands the operator records of one batch, without timestamps, on input 0.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// fn send<O: Operator>(harness: &mut Harness<O>) -> Result<(), Failure> {
    ///     harness.send_all([("a", "1"), ("b", "2")])
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The operator's failure; the row of an invalid record counts from the first of `records`.
    pub fn send_all<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &mut self,
        records: impl IntoIterator<Item = (K, V)>,
    ) -> Result<(), Failure> {
        let mut batch = Batch::default();
        for (key, value) in records {
            batch.push(NO_TIMESTAMP, key.as_ref(), value.as_ref());
        }
        self.send_batch(0, batch)
    }

    /// Hands the operator one record with a timestamp, in milliseconds since the Unix epoch.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// fn send<O: Operator>(harness: &mut Harness<O>) -> Result<(), Failure> {
    ///     harness.send_at(1_000, "a", "1")?;
    ///     harness.watermark(2_000)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The operator's failure.
    pub fn send_at(
        &mut self,
        timestamp: i64,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
    ) -> Result<(), Failure> {
        let mut batch = Batch::default();
        batch.push(timestamp, key.as_ref(), value.as_ref());
        self.send_batch(0, batch)
    }

    /// Hands the operator a batch on input `input`, as the host does.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, raw::Batch, testing::Harness};
    /// fn send<O: Operator>(harness: &mut Harness<O>) -> Result<(), Failure> {
    ///     let mut rates = Batch::default();
    ///     rates.push(0, b"EUR", b"1.08");
    ///     harness.send_batch(1, rates)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The operator's failure.
    pub fn send_batch(&mut self, input: u32, batch: Batch) -> Result<(), Failure> {
        let emissions = self.operator.process(input, batch)?;
        self.collect(emissions);
        Ok(())
    }

    /// Advances event time.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// fn end_of_day<O: Operator>(harness: &mut Harness<O>) -> Result<(), Failure> {
    ///     harness.watermark(86_400_000)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The operator's failure.
    pub fn watermark(&mut self, watermark: i64) -> Result<(), Failure> {
        self.watermark = Some(watermark);
        let emissions = self.operator.advance_watermark(watermark)?;
        self.collect(emissions);
        Ok(())
    }

    /// Ends all inputs.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// fn totals<O: Operator>(mut harness: Harness<O>) -> Result<Vec<(String, String)>, Failure> {
    ///     harness.finish()?;
    ///     Ok(harness.take_text())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The operator's failure.
    pub fn finish(&mut self) -> Result<(), Failure> {
        self.watermark = None;
        let emissions = self.operator.finish()?;
        self.collect(emissions);
        Ok(())
    }

    /// Takes a snapshot, as a checkpoint does. Equal state gives equal chunks.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// fn is_lossless<O: Operator>(harness: &mut Harness<O>) -> Result<bool, Failure> {
    ///     let before = harness.snapshot()?;
    ///     let after = Harness::<O>::builder().restore(&before)?.snapshot()?;
    ///     Ok(before == after)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The operator's failure.
    pub fn snapshot(&mut self) -> Result<Vec<StateChunk>, Failure> {
        self.checkpoint += 1;
        self.operator.snapshot(self.checkpoint)
    }

    /// Takes a snapshot and continues with a new instance, as after a failure: the new instance is
    /// restored, and receives the last watermark again, if any. Its emissions then are part of the
    /// output.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// fn is_late_after_a_failure<O: Operator>(harness: &mut Harness<O>) -> Result<(), Failure> {
    ///     harness.watermark(2_000)?;
    ///     harness.restart()?;
    ///     harness.send_at(1_000, "a", "1")
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The operator's failure.
    pub fn restart(&mut self) -> Result<(), Failure> {
        let chunks = self.snapshot()?;
        self.operator = R::open(self.context.clone())?;
        self.operator.restore(chunks)?;
        self.watermark.map_or(Ok(()), |told| self.watermark(told))
    }

    /// Notifies the operator that its last snapshot is durable everywhere.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// fn checkpoint<O: Operator>(harness: &mut Harness<O>) -> Result<(), Failure> {
    ///     harness.snapshot()?;
    ///     harness.checkpoint_complete()
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The operator's failure.
    pub fn checkpoint_complete(&mut self) -> Result<(), Failure> {
        self.operator.checkpoint_complete(self.checkpoint)
    }

    /// Takes everything that was emitted since the last call.
    ///
    /// ```
    /// # use tidegate_sdk::{Operator, testing::Harness};
    /// fn ports<O: Operator>(harness: &mut Harness<O>) -> Vec<u32> {
    ///     harness.take_output().iter().map(|emitted| emitted.port).collect()
    /// }
    /// ```
    pub fn take_output(&mut self) -> Vec<Emitted> {
        std::mem::take(&mut self.emitted)
    }

    /// Takes the keys and values of [`take_output`](Self::take_output), as text.
    ///
    /// ```
    /// # use tidegate_sdk::{Operator, testing::Harness};
    /// fn one_for_ann<O: Operator>(harness: &mut Harness<O>) {
    ///     assert_eq!(harness.take_text(), [("ann".into(), "1".into())]);
    /// }
    /// ```
    pub fn take_text(&mut self) -> Vec<(String, String)> {
        self.take_output().iter().map(Emitted::text).collect()
    }

    /// Takes the messages that this thread's operators have logged since the last call.
    ///
    /// ```
    /// # use tidegate_sdk::{Level, Operator, testing::Harness};
    /// fn is_quiet<O: Operator>(harness: &mut Harness<O>) -> bool {
    ///     harness.take_logs().iter().all(|(level, _message)| *level < Level::Warn)
    /// }
    /// ```
    #[must_use]
    pub fn take_logs(&mut self) -> Vec<(Level, String)> {
        recorder::take_logs()
    }

    /// Returns the sum that this thread's operators have added to a counter since the last harness
    /// was opened.
    ///
    /// ```
    /// # use tidegate_sdk::{Operator, testing::Harness};
    /// fn late_records<O: Operator>(harness: &Harness<O>) -> u64 {
    ///     harness.counter("late_records")
    /// }
    /// ```
    #[must_use]
    pub fn counter(&self, metric: &str) -> u64 {
        recorder::counter(metric)
    }

    /// Restores this subtask's own part: the chunks of the key groups that it owns, and its share
    /// of the operator state.
    pub(crate) fn restore(&mut self, chunks: &[StateChunk]) -> Result<(), Failure> {
        let (keyed, items): (Vec<_>, Vec<_>) =
            chunks.iter().partition(|chunk| chunk.key_group.is_some());
        let owned = keyed.into_iter().filter(|chunk| {
            chunk
                .key_group
                .is_some_and(|group| self.context.owns(group))
        });
        let share = items
            .into_iter()
            .skip(self.context.subtask as usize)
            .step_by(self.context.parallelism as usize);
        self.operator.restore(owned.chain(share).cloned().collect())
    }

    fn collect(&mut self, emissions: Vec<Emission>) {
        for Emission { port, records } in emissions {
            let rows = records.keys.rows().zip(records.values.rows());
            for ((key, value), timestamp) in rows.zip(&records.timestamps) {
                self.emitted.push(Emitted {
                    port,
                    timestamp: (*timestamp != NO_TIMESTAMP).then_some(*timestamp),
                    key: key.to_vec(),
                    value: value.to_vec(),
                });
            }
        }
    }
}

impl<O: Operator> RawHarness<Typed<O>> {
    /// Returns the state that the operator keeps for `key`.
    ///
    /// ```
    /// # use tidegate_sdk::{Operator, testing::Harness};
    /// fn count<O: Operator<State = u64>>(harness: &Harness<O>) -> Option<u64> {
    ///     harness.state("ann").copied()
    /// }
    /// ```
    #[must_use]
    pub fn state(&self, key: impl AsRef<[u8]>) -> Option<&O::State> {
        self.operator.keys().get(key.as_ref())
    }

    /// Returns the keys that the operator keeps state for, sorted.
    ///
    /// ```
    /// # use tidegate_sdk::{Operator, testing::Harness};
    /// fn has_forgotten_all<O: Operator>(harness: &Harness<O>) -> bool {
    ///     harness.keys().is_empty()
    /// }
    /// ```
    #[must_use]
    pub fn keys(&self) -> Vec<Vec<u8>> {
        let keys = self.operator.keys().iter();
        keys.map(|(key, _state)| key.to_vec()).collect()
    }
}
