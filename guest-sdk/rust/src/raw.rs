//! The lower level: the columnar batch in, emissions and state chunks out.
//!
//! For an operator that works on whole columns, or that lays out its state itself. Everything
//! [`Operator`](crate::Operator) does is built on [`RawOperator`] by [`Typed`](crate::Typed).

pub use crate::batch::{Batch, Column, Emission, NO_TIMESTAMP, StateChunk};
use crate::context::Context;
use crate::failure::Failure;

/// An operator as the host sees it. `wit/operator.wit` says who calls what and when.
///
/// ```
/// use tidegate_sdk::raw::{Batch, Emission, RawOperator, StateChunk};
/// use tidegate_sdk::{Context, Failure};
///
/// /// Passes every batch on as it is.
/// struct Echo;
///
/// impl RawOperator for Echo {
///     fn open(_context: Context) -> Result<Self, Failure> {
///         Ok(Self)
///     }
///
///     fn process(&mut self, _input: u32, records: Batch) -> Result<Vec<Emission>, Failure> {
///         Ok(vec![Emission { port: 0, records }])
///     }
///
///     fn snapshot(&mut self, _checkpoint: u64) -> Result<Vec<StateChunk>, Failure> {
///         Ok(vec![])
///     }
///
///     fn restore(&mut self, _chunks: Vec<StateChunk>) -> Result<(), Failure> {
///         Ok(())
///     }
/// }
///
/// tidegate_sdk::export_raw_operator!(Echo);
///
/// # fn main() -> Result<(), Failure> {
/// let mut harness = tidegate_sdk::testing::RawHarness::<Echo>::builder().open()?;
/// harness.send("a", "b")?;
/// assert_eq!(harness.take_text(), [("a".into(), "b".into())]);
/// # Ok(())
/// # }
/// ```
pub trait RawOperator: Sized + 'static {
    /// The first call to an instance, once.
    ///
    /// # Errors
    ///
    /// A failure ends the attempt.
    fn open(context: Context) -> Result<Self, Failure>;

    /// Processes one batch, all from one input.
    ///
    /// # Errors
    ///
    /// [`Failure::InvalidRecord`] blames one row; anything else ends the attempt. The instance is
    /// thrown away in either case.
    fn process(&mut self, input: u32, records: Batch) -> Result<Vec<Emission>, Failure>;

    /// From now on a record older than `watermark` is late. Does nothing by default.
    ///
    /// A restored instance is called with the last watermark again, before any record. What it
    /// emits then is sent too, so emit only what is taken out of the state.
    ///
    /// # Errors
    ///
    /// A failure ends the attempt.
    fn advance_watermark(&mut self, _watermark: i64) -> Result<Vec<Emission>, Failure> {
        Ok(Vec::new())
    }

    /// The state after every record so far, in canonical order: equal state gives equal bytes.
    ///
    /// # Errors
    ///
    /// A failure fails this checkpoint; the job goes on.
    fn snapshot(&mut self, checkpoint: u64) -> Result<Vec<StateChunk>, Failure>;

    /// Takes back what `snapshot` gave, for the key groups that this instance owns. Called at
    /// most once, after `open` and before any record.
    ///
    /// # Errors
    ///
    /// [`Failure::IncompatibleState`] if the state can't be read whole.
    fn restore(&mut self, chunks: Vec<StateChunk>) -> Result<(), Failure>;

    /// The checkpoint is durable in every subtask. Does nothing by default.
    ///
    /// # Errors
    ///
    /// A failure ends the attempt.
    fn checkpoint_complete(&mut self, _checkpoint: u64) -> Result<(), Failure> {
        Ok(())
    }

    /// All inputs have ended. Does nothing by default.
    ///
    /// # Errors
    ///
    /// A failure ends the attempt.
    fn finish(&mut self) -> Result<Vec<Emission>, Failure> {
        Ok(Vec::new())
    }
}
