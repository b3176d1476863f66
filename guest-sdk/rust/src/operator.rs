//! The trait that an operator's author implements.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::record::Record;
use crate::state::{Items, KeyedState, RestoredItems};

/// A stream operator: its behaviour for each record, and its state for each key.
///
/// `open` comes first, `on_record` for each record, `on_watermark` when event time advances, and
/// `on_finish` when all inputs have ended. Snapshot and restore come free: the SDK writes the
/// state of all keys at each checkpoint, and reads it before the first record after a failure.
///
/// Everything that must survive a failure is in `State`, or in the items of
/// [`operator_state`](Self::operator_state). Fields of `Self` are for values that `open` can
/// recreate, and for the current watermark.
///
/// An operator is deterministic. Two habits keep it so: no `HashMap` whose order reaches the
/// output or the state (use a `BTreeMap`), and nothing that depends on where batches are cut.
///
/// ```
/// use tidegate_sdk::prelude::*;
///
/// /// Emits the largest value that each key has had so far, whenever it grows.
/// struct Max;
///
/// impl Operator for Max {
///     type Config = ();
///     type State = Option<i64>;
///
///     fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
///         Ok(Self)
///     }
///
///     fn on_record(
///         &mut self,
///         record: Record<'_>,
///         max: &mut Option<i64>,
///         out: &mut Output,
///     ) -> Result<(), Failure> {
///         let value = record.value_as()?;
///         if max.is_none_or(|max| value > max) {
///             *max = Some(value);
///             out.emit(record.key(), value);
///         }
///         Ok(())
///     }
/// }
///
/// tidegate_sdk::export_operator!(Max);
///
/// # fn main() -> Result<(), Failure> {
/// let mut harness = tidegate_sdk::testing::Harness::<Max>::builder().open()?;
/// harness.send_all([("a", "3"), ("a", "2"), ("a", "5")])?;
/// assert_eq!(harness.take_text(), [("a".into(), "3".into()), ("a".into(), "5".into())]);
/// # Ok(())
/// # }
/// ```
pub trait Operator: Sized + 'static {
    /// The operator's `config` table of the job file. `()` takes none.
    ///
    /// Derive `Deserialize`, and add `#[serde(deny_unknown_fields, default)]`, so that a misspelt
    /// key is rejected when the job starts.
    type Config: DeserializeOwned;

    /// The state of each key, which starts as `Default`. `()`, or any type of size zero, is not
    /// kept, and costs nothing.
    type State: Serialize + DeserializeOwned + Default;

    /// Version of the layout of `State` and of the operator-state items. Raise it when one of
    /// them changes, and read the older versions in [`migrate`](Self::migrate).
    const STATE_VERSION: u32 = 1;

    /// Makes the operator. Called once for each instance, first.
    ///
    /// # Errors
    ///
    /// A failure ends the attempt. Reject an invalid configuration here.
    fn open(config: Self::Config, context: &Context) -> Result<Self, Failure>;

    /// Processes one record. `state` is the state of the record's key.
    ///
    /// # Errors
    ///
    /// [`Failure::InvalidRecord`], which the conversions of [`Record`] return, blames the record;
    /// the host drops the instance, and with it the record's changes to the state. Any other
    /// failure ends the attempt.
    fn on_record(
        &mut self,
        record: Record<'_>,
        state: &mut Self::State,
        out: &mut Output,
    ) -> Result<(), Failure>;

    /// Returns true if the state of a key is worth no more than no state. The SDK forgets such a
    /// key as soon as a call leaves it so; the key then takes no room in memory or in checkpoints.
    /// By default no key is vacant.
    ///
    /// ```
    /// use tidegate_sdk::prelude::*;
    ///
    /// /// Passes on the first of every two records of a key.
    /// struct EveryOther;
    ///
    /// impl Operator for EveryOther {
    ///     type Config = ();
    ///     type State = bool;
    ///
    ///     fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
    ///         Ok(Self)
    ///     }
    ///
    ///     fn on_record(
    ///         &mut self,
    ///         record: Record<'_>,
    ///         pending: &mut bool,
    ///         out: &mut Output,
    ///     ) -> Result<(), Failure> {
    ///         if !*pending {
    ///             out.emit(record.key(), record.value());
    ///         }
    ///         *pending = !*pending;
    ///         Ok(())
    ///     }
    ///
    ///     fn is_vacant(pending: &bool) -> bool {
    ///         !pending
    ///     }
    /// }
    ///
    /// let mut harness = tidegate_sdk::testing::Harness::<EveryOther>::builder().open()?;
    /// harness.send_all([("a", "1"), ("a", "2"), ("b", "3")])?;
    /// assert_eq!(harness.keys(), [b"b"], "`a` is forgotten");
    /// # Ok::<(), Failure>(())
    /// ```
    #[must_use]
    fn is_vacant(_state: &Self::State) -> bool {
        false
    }

    /// Handles a new watermark: from now on a record older than `watermark` is late. Called for
    /// each watermark; does nothing by default.
    ///
    /// After a failure the restored instance is called with the last watermark again, before any
    /// record, so that a field can hold the current watermark. Emit what is due in the state and
    /// take it out in the same call: the second call then finds nothing. The host still sends
    /// everything that the second call emits.
    ///
    /// # Errors
    ///
    /// A failure ends the attempt.
    fn on_watermark(
        &mut self,
        _watermark: i64,
        _keys: &mut KeyedState<Self::State>,
        _out: &mut Output,
    ) -> Result<(), Failure> {
        Ok(())
    }

    /// Handles the end of all inputs. Called once, after the last record; does nothing by default.
    ///
    /// # Errors
    ///
    /// A failure ends the attempt.
    fn on_finish(
        &mut self,
        _keys: &mut KeyedState<Self::State>,
        _out: &mut Output,
    ) -> Result<(), Failure> {
        Ok(())
    }

    /// Learns that a checkpoint is durable in every subtask of the job. Does nothing by default. A
    /// notice can be lost in a failure: the state must not depend on it.
    ///
    /// # Errors
    ///
    /// A failure ends the attempt.
    fn on_checkpoint_complete(&mut self, _checkpoint: u64) -> Result<(), Failure> {
        Ok(())
    }

    /// Reads the state of one key that another version wrote: `bytes` is that version's `State` in
    /// postcard. Called while restoring, for each key of a chunk that does not have
    /// [`STATE_VERSION`](Self::STATE_VERSION); rejects every version by default.
    ///
    /// ```
    /// use tidegate_sdk::prelude::*;
    /// # #[derive(Default, serde::Serialize, serde::Deserialize)]
    /// # struct Stats { count: u64, last_seen: Option<i64> }
    ///
    /// // Version 1 kept a bare count.
    /// fn migrate(version: u32, bytes: &[u8]) -> Result<Stats, Failure> {
    ///     match version {
    ///         1 => Ok(Stats { count: read_state(bytes)?, last_seen: None }),
    ///         other => Err(unknown_version(other)),
    ///     }
    /// }
    /// # assert_eq!(migrate(1, &[5])?.count, 5);
    /// # assert!(migrate(2, &[5]).is_err());
    /// # Ok::<(), Failure>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Failure::IncompatibleState`] if the version or the bytes can't be read.
    fn migrate(version: u32, _bytes: &[u8]) -> Result<Self::State, Failure> {
        Err(Failure::IncompatibleState(format!(
            "it has version {version}, and this operator reads version {}",
            Self::STATE_VERSION
        )))
    }

    /// Writes the state that belongs to no key, as a list of items. Called at each checkpoint;
    /// writes no items by default.
    ///
    /// When the parallelism changes, the host deals the items out among the subtasks, so an item
    /// must be able to move alone: the offset of one partition, not the table of all. State that
    /// every subtask needs whole, such as the rules of a broadcast input, can't be kept this way:
    /// after a rescale each subtask has a share of it. `tidegate test` shows this with a step that
    /// has `broadcast = true` and a step that has `rescale`.
    ///
    /// ```
    /// use tidegate_sdk::prelude::*;
    /// # struct Numbering { next: u64 }
    /// # impl Operator for Numbering {
    /// #     type Config = ();
    /// #     type State = ();
    /// #     fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
    /// #         Ok(Self { next: 0 })
    /// #     }
    /// #     fn on_record(
    /// #         &mut self,
    /// #         record: Record<'_>,
    /// #         _state: &mut (),
    /// #         out: &mut Output,
    /// #     ) -> Result<(), Failure> {
    /// #         out.emit(self.next, record.value());
    /// #         self.next += 1;
    /// #         Ok(())
    /// #     }
    ///
    /// fn operator_state(&self, items: &mut Items) -> Result<(), Failure> {
    ///     items.push(&self.next)
    /// }
    ///
    /// fn restore_operator_state(&mut self, items: RestoredItems) -> Result<(), Failure> {
    ///     self.next = items.read::<u64>()?.into_iter().sum();
    ///     Ok(())
    /// }
    /// # }
    /// # use tidegate_sdk::testing::Harness;
    /// # let mut harness = Harness::<Numbering>::builder().open()?;
    /// # harness.send_all([("", "a"), ("", "b")])?;
    /// # let mut restored = Harness::<Numbering>::builder().restore(&harness.snapshot()?)?;
    /// # restored.send("", "c")?;
    /// # assert_eq!(restored.take_text(), [("2".into(), "c".into())]);
    /// # Ok::<(), Failure>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A failure fails this checkpoint; the job continues.
    fn operator_state(&self, _items: &mut Items) -> Result<(), Failure> {
        Ok(())
    }

    /// Restores the items of [`operator_state`](Self::operator_state): this subtask's share of the
    /// items of all subtasks. Called once while restoring if there are any.
    ///
    /// # Errors
    ///
    /// [`Failure::IncompatibleState`] if the items can't be read; the default rejects all items.
    fn restore_operator_state(&mut self, items: RestoredItems) -> Result<(), Failure> {
        Err(Failure::IncompatibleState(format!(
            "it has {} items of operator state, and this operator keeps none",
            items.len()
        )))
    }
}
