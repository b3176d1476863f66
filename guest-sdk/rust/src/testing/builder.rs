//! The place where a harness's operator runs: its configuration, its subtask, its state.

use std::marker::PhantomData;

use tidegate_key_groups::KeyGroups;

use crate::batch::StateChunk;
use crate::context::Context;
use crate::failure::Failure;
use crate::host::recorder;
use crate::raw::RawOperator;
use crate::testing::harness::RawHarness;

/// The default number of key groups of a job.
const MAX_PARALLELISM: u32 = 128;

/// A seed other than zero, which a guest may take for no seed.
const HASH_SEED: u64 = 0x7469_6465_6761_7465;

/// Makes a [`RawHarness`] or [`Harness`](crate::testing::Harness); their `builder` begins one.
///
/// By default there is one subtask, one input `input`, one output `output`, and no configuration.
///
/// ```
/// # use tidegate_sdk::prelude::*;
/// # use tidegate_sdk::testing::Harness;
/// # #[derive(serde::Deserialize)]
/// # struct Limit { at_least: i64 }
/// # struct Filter { at_least: i64 }
/// # impl Operator for Filter {
/// #     type Config = Limit;
/// #     type State = ();
/// #     fn open(config: Limit, _context: &Context) -> Result<Self, Failure> {
/// #         Ok(Self { at_least: config.at_least })
/// #     }
/// #     fn on_record(
/// #         &mut self,
/// #         record: Record<'_>,
/// #         _state: &mut (),
/// #         out: &mut Output,
/// #     ) -> Result<(), Failure> {
/// #         if record.value_as::<i64>()? >= self.at_least {
/// #             out.emit(record.key(), record.value());
/// #         }
/// #         Ok(())
/// #     }
/// # }
/// let mut harness = Harness::<Filter>::builder()
///     .config(r#"{ "at_least": 10 }"#)
///     .subtask(1, 4)
///     .outputs(["passed", "refused"])
///     .open()?;
/// harness.send_all([("a", "9"), ("b", "10")])?;
/// assert_eq!(harness.take_text(), [("b".into(), "10".into())]);
/// # Ok::<(), Failure>(())
/// ```
#[derive(Debug)]
pub struct Builder<R> {
    context: Context,
    watermark: Option<i64>,
    operator: PhantomData<fn() -> R>,
}

// A derived `Clone` would ask for `R: Clone`.
impl<R> Clone for Builder<R> {
    fn clone(&self) -> Self {
        Self {
            context: self.context.clone(),
            watermark: self.watermark,
            operator: PhantomData,
        }
    }
}

impl<R: RawOperator> Builder<R> {
    pub(crate) fn new() -> Self {
        let context = Context {
            job: "test".to_owned(),
            operator: "operator".to_owned(),
            subtask: 0,
            parallelism: 1,
            max_parallelism: MAX_PARALLELISM,
            first_key_group: 0,
            last_key_group: MAX_PARALLELISM - 1,
            inputs: vec!["input".to_owned()],
            outputs: vec!["output".to_owned()],
            config: "{}".to_owned(),
            hash_seed: HASH_SEED,
        };
        Self {
            context,
            watermark: None,
            operator: PhantomData,
        }
    }

    /// Sets the operator's `config` table, as JSON.
    ///
    /// ```
    /// # use tidegate_sdk::{Typed, testing::Harness, Operator};
    /// fn final_only<O: Operator>() -> Harness<O> {
    ///     let builder = Harness::<O>::builder().config(r#"{ "emit": "final" }"#);
    ///     builder.open().expect("this configuration is right")
    /// }
    /// ```
    #[must_use]
    pub fn config(mut self, json: impl Into<String>) -> Self {
        self.context.config = json.into();
        self
    }

    /// Sets the seed of hash tables. Two harnesses with the same records and different seeds emit
    /// and remember the same.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, testing::Harness, Operator};
    /// fn with_another_seed<O: Operator>() -> Result<Harness<O>, Failure> {
    ///     Harness::<O>::builder().hash_seed(1).open()
    /// }
    /// ```
    #[must_use]
    pub fn hash_seed(mut self, seed: u64) -> Self {
        self.context.hash_seed = seed;
        self
    }

    /// Runs as subtask `subtask` of `parallelism`, from 0.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// fn all_of_three<O: Operator>() -> Result<Vec<Harness<O>>, Failure> {
    ///     (0..3).map(|subtask| Harness::<O>::builder().subtask(subtask, 3).open()).collect()
    /// }
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such subtask.
    #[must_use]
    pub fn subtask(mut self, subtask: u32, parallelism: u32) -> Self {
        assert!(subtask < parallelism, "subtask {subtask} of {parallelism}");
        self.context.subtask = subtask;
        self.context.parallelism = parallelism;
        self
    }

    /// Sets the number of key groups, 128 by default.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// fn with_few_key_groups<O: Operator>() -> Result<Harness<O>, Failure> {
    ///     Harness::<O>::builder().max_parallelism(4).open()
    /// }
    /// ```
    #[must_use]
    pub fn max_parallelism(mut self, key_groups: u32) -> Self {
        self.context.max_parallelism = key_groups;
        self
    }

    /// Names the inputs.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// fn with_two_inputs<O: Operator>() -> Result<Harness<O>, Failure> {
    ///     Harness::<O>::builder().inputs(["orders", "rates"]).open()
    /// }
    /// ```
    #[must_use]
    pub fn inputs<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.context.inputs = names.into_iter().map(Into::into).collect();
        self
    }

    /// Names the output ports.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// fn with_two_outputs<O: Operator>() -> Result<Harness<O>, Failure> {
    ///     Harness::<O>::builder().outputs(["accepted", "refused"]).open()
    /// }
    /// ```
    #[must_use]
    pub fn outputs<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.context.outputs = names.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the watermark of the snapshots for [`restore`](Self::restore): the restored instance
    /// receives it again, before any record, as from the host. For several subtasks, set their
    /// smallest watermark.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// fn rescale<O: Operator>(mut one: Harness<O>) -> Result<Harness<O>, Failure> {
    ///     one.watermark(2_000)?;
    ///     let chunks = one.snapshot()?;
    ///     Harness::<O>::builder().subtask(0, 2).watermark(2_000).restore(&chunks)
    /// }
    /// ```
    #[must_use]
    pub fn watermark(mut self, watermark: i64) -> Self {
        self.watermark = Some(watermark);
        self
    }

    /// Opens a new instance without state.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// fn open<O: Operator>() -> Result<Harness<O>, Failure> {
    ///     Harness::<O>::builder().open()
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The failure of the operator's `open`.
    ///
    /// # Panics
    ///
    /// If there are more subtasks than key groups, or more than 32768 key groups.
    pub fn open(self) -> Result<RawHarness<R>, Failure> {
        let mut context = self.context;
        let (first, last) = key_groups(&context);
        context.first_key_group = first;
        context.last_key_group = last;
        recorder::reset();
        let operator = R::open(context.clone())?;
        Ok(RawHarness::new(operator, context))
    }

    /// Opens a new instance and restores its own part of `chunks`, the snapshots of all subtasks of
    /// an earlier parallelism together.
    ///
    /// ```
    /// # use tidegate_sdk::{Failure, Operator, testing::Harness};
    /// /// From two subtasks to the first of three.
    /// fn rescale<O: Operator>(two: &mut [Harness<O>; 2]) -> Result<Harness<O>, Failure> {
    ///     let chunks = [two[0].snapshot()?, two[1].snapshot()?].concat();
    ///     Harness::<O>::builder().subtask(0, 3).restore(&chunks)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The operator's failure.
    ///
    /// # Panics
    ///
    /// If there are more subtasks than key groups, or more than 32768 key groups.
    pub fn restore(self, chunks: &[StateChunk]) -> Result<RawHarness<R>, Failure> {
        let watermark = self.watermark;
        let mut harness = self.open()?;
        harness.restore(chunks)?;
        if let Some(watermark) = watermark {
            harness.watermark(watermark)?;
        }
        Ok(harness)
    }
}

/// Returns the first and the last key group of a subtask, as the host deals them out.
fn key_groups(context: &Context) -> (u32, u32) {
    let (parallelism, total) = (context.parallelism, context.max_parallelism);
    assert!(
        parallelism <= total,
        "{parallelism} subtasks, {total} key groups"
    );
    let owned = KeyGroups::new(total, parallelism).owned_by(context.subtask);
    owned.into_inner()
}
