//! The place of an operator instance in its job.

/// The place of an operator instance in its job; the argument of `open`.
///
/// ```
/// use tidegate_sdk::prelude::*;
///
/// struct Greeter {
///     greeting: String,
/// }
///
/// impl Operator for Greeter {
///     type Config = ();
///     type State = ();
///
///     fn open(_config: (), context: &Context) -> Result<Self, Failure> {
///         Ok(Self { greeting: format!("hello from {}", context.operator) })
///     }
///
///     fn on_record(
///         &mut self,
///         record: Record<'_>,
///         _state: &mut (),
///         out: &mut Output,
///     ) -> Result<(), Failure> {
///         out.emit(record.key(), &self.greeting);
///         Ok(())
///     }
/// }
///
/// let mut harness = tidegate_sdk::testing::Harness::<Greeter>::builder().open()?;
/// harness.send("ann", "")?;
/// assert_eq!(harness.take_text(), [("ann".into(), "hello from operator".into())]);
/// # Ok::<(), Failure>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Name of the job.
    pub job: String,
    /// Name of the operator in the job file.
    pub operator: String,
    /// The index of this parallel instance, from 0.
    pub subtask: u32,
    /// The number of parallel instances.
    pub parallelism: u32,
    /// The number of key groups; never changes in the life of a job's state.
    pub max_parallelism: u32,
    /// The first key group that the instance owns.
    pub first_key_group: u32,
    /// The last key group that the instance owns.
    pub last_key_group: u32,
    /// Names of the inputs, by the index that [`Record::input`](crate::Record::input) returns.
    pub inputs: Vec<String>,
    /// Names of the output ports, by port.
    pub outputs: Vec<String>,
    /// The operator's `config` table of the job file, as JSON.
    pub config: String,
    /// The secret seed for the operator's own hash tables whose keys come from records. Neither
    /// emissions nor state may depend on it.
    pub hash_seed: u64,
}

impl Context {
    /// Returns true if the instance owns `key_group`.
    ///
    /// ```
    /// use tidegate_sdk::prelude::*;
    ///
    /// fn first_half(context: &Context) -> bool {
    ///     context.owns(0) && !context.owns(context.max_parallelism - 1)
    /// }
    /// # let _ = first_half;
    /// ```
    #[inline]
    #[must_use]
    pub fn owns(&self, key_group: u32) -> bool {
        (self.first_key_group..=self.last_key_group).contains(&key_group)
    }
}
