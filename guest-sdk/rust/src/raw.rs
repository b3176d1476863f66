//! The lower level: the columnar batch in, emissions and state chunks out.
//!
//! Use it for an operator that works on whole columns, or that lays out its state itself.
//! [`Typed`](crate::Typed) builds everything that [`Operator`](crate::Operator) does on
//! [`RawOperator`].

pub use crate::batch::{Batch, Column, Emission, NO_TIMESTAMP, StateChunk};
use crate::context::Context;
use crate::failure::Failure;

/// An operator as the host sees it. `wit/operator.wit` defines its calls and their order.
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
    /// Makes the operator. The first call to an instance, once.
    ///
    /// # Errors
    ///
    /// A failure ends the attempt.
    fn open(context: Context) -> Result<Self, Failure>;

    /// Processes one batch, all from one input.
    ///
    /// # Errors
    ///
    /// [`Failure::InvalidRecord`] blames one row; any other failure ends the attempt. The host
    /// drops the instance in either case.
    fn process(&mut self, input: u32, records: Batch) -> Result<Vec<Emission>, Failure>;

    /// Handles a new watermark: from now on a record older than `watermark` is late. Does nothing
    /// by default.
    ///
    /// A restored instance is called with the last watermark again, before any record. The host
    /// sends the output of that call too, so emit only what the call takes out of the state.
    ///
    /// # Errors
    ///
    /// A failure ends the attempt.
    fn advance_watermark(&mut self, _watermark: i64) -> Result<Vec<Emission>, Failure> {
        Ok(Vec::new())
    }

    /// Returns the state after every record so far, in canonical order: equal state gives equal
    /// bytes.
    ///
    /// # Errors
    ///
    /// A failure fails this checkpoint; the job continues.
    fn snapshot(&mut self, checkpoint: u64) -> Result<Vec<StateChunk>, Failure>;

    /// Restores what `snapshot` returned, for the key groups that this instance owns. Called at
    /// most once, after `open` and before any record.
    ///
    /// # Errors
    ///
    /// [`Failure::IncompatibleState`] if the state can't be read whole.
    fn restore(&mut self, chunks: Vec<StateChunk>) -> Result<(), Failure>;

    /// Learns that the checkpoint is durable in every subtask. Does nothing by default.
    ///
    /// # Errors
    ///
    /// A failure ends the attempt.
    fn checkpoint_complete(&mut self, _checkpoint: u64) -> Result<(), Failure> {
        Ok(())
    }

    /// Handles the end of all inputs. Does nothing by default.
    ///
    /// # Errors
    ///
    /// A failure ends the attempt.
    fn finish(&mut self) -> Result<Vec<Emission>, Failure> {
        Ok(Vec::new())
    }
}
