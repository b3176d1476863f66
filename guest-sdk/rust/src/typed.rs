//! Record path: host → batch → [typed] → block → `on_record` → output → host.
//!
//! Makes a [`RawOperator`] of an [`Operator`]: reads the columns row by row, finds the state of
//! each record's key once, and writes and reads the state at checkpoints. Invariant: the state
//! holds a key only if a record of it was processed and its state is not vacant.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::batch::{Batch, Emission, StateChunk};
use crate::block::Block;
use crate::context::Context;
use crate::failure::Failure;
use crate::operator::Operator;
use crate::output::Output;
use crate::raw::RawOperator;
use crate::record::Record;
use crate::state::{Ahead, Chunks, Items, KeyedState, LOOK_AHEAD_KEYS, read_chunks, write_chunks};

/// An [`Operator`] as a [`RawOperator`], which [`export_operator!`](crate::export_operator)
/// exports.
///
/// ```
/// use tidegate_sdk::prelude::*;
/// use tidegate_sdk::raw::RawOperator;
/// use tidegate_sdk::Typed;
///
/// fn can_be_exported<O: Operator>() -> impl Sized {
///     fn check<R: RawOperator>() {}
///     check::<Typed<O>>
/// }
/// # struct Nothing;
/// # impl Operator for Nothing {
/// #     type Config = ();
/// #     type State = ();
/// #     fn open(_config: (), _context: &Context) -> Result<Self, Failure> { Ok(Self) }
/// #     fn on_record(
/// #         &mut self,
/// #         _record: Record<'_>,
/// #         _state: &mut (),
/// #         _out: &mut Output,
/// #     ) -> Result<(), Failure> { Ok(()) }
/// # }
/// # let _ = can_be_exported::<Nothing>();
/// ```
#[derive(Debug)]
pub struct Typed<O: Operator> {
    operator: O,
    keys: KeyedState<O::State>,
    out: Output,
}

impl<O: Operator> Typed<O> {
    /// True if there is state to keep for a key.
    const KEEPS_STATE: bool = size_of::<O::State>() > 0;

    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn keys(&self) -> &KeyedState<O::State> {
        &self.keys
    }

    /// Processes one record for an operator without keyed state.
    #[inline(always)]
    fn process_stateless(&mut self, record: Record<'_>) -> Result<(), Failure> {
        self.operator
            .on_record(record, &mut O::State::default(), &mut self.out)
    }

    /// Processes one record with the state of its key, which is at `place` as far as is known.
    #[inline(always)]
    fn process_keyed(&mut self, place: u32, record: Record<'_>) -> Result<(), Failure> {
        let Self {
            operator,
            keys,
            out,
        } = self;
        keys.update(
            place,
            record.key,
            |state| operator.on_record(record, state, out),
            O::is_vacant,
        )
    }

    fn process_rows(&mut self, input: u32, batch: &Batch) -> Result<(), Failure> {
        let mut ahead = Ahead::new();
        let keys = batch.keys.words();
        let mut block = Block::new(input, batch, keys);
        for start in (0..batch.len()).step_by(LOOK_AHEAD_KEYS) {
            let rows = start..batch.len().min(start + LOOK_AHEAD_KEYS);
            if Self::KEEPS_STATE {
                self.keys
                    .look_ahead(&batch.keys, keys, rows.clone(), &mut ahead);
            }
            self.process_block(block.read(rows), &ahead.places)?;
        }
        Ok(())
    }

    /// Processes a block. Only here is `on_record` called, so that the compiler inlines it.
    #[inline(never)]
    fn process_block(
        &mut self,
        records: &[Record<'_>],
        places: &[u32; LOOK_AHEAD_KEYS],
    ) -> Result<(), Failure> {
        for (record, place) in records.iter().zip(places) {
            self.out.inherit(record.timestamp);
            if Self::KEEPS_STATE {
                self.process_keyed(*place, *record)?;
            } else {
                self.process_stateless(*record)?;
            }
        }
        Ok(())
    }

    /// Returns the emissions of a call that succeeded, and drops those of a call that failed.
    fn emitted(&mut self, outcome: Result<(), Failure>) -> Result<Vec<Emission>, Failure> {
        match outcome {
            Ok(()) => self.out.take(),
            Err(failure) => {
                self.out.discard();
                Err(failure)
            }
        }
    }
}

impl<O: Operator> RawOperator for Typed<O> {
    fn open(context: Context) -> Result<Self, Failure> {
        let config = parse_config(&context.config)?;
        Ok(Self {
            operator: O::open(config, &context)?,
            keys: KeyedState::new(&context),
            out: Output::new(context.outputs.len()),
        })
    }

    fn process(&mut self, input: u32, records: Batch) -> Result<Vec<Emission>, Failure> {
        self.out.reserve();
        let outcome = self.process_rows(input, &records);
        self.emitted(outcome)
    }

    fn advance_watermark(&mut self, watermark: i64) -> Result<Vec<Emission>, Failure> {
        let outcome = self
            .operator
            .on_watermark(watermark, &mut self.keys, &mut self.out);
        self.keys.forget(O::is_vacant);
        self.emitted(outcome)
    }

    fn snapshot(&mut self, _checkpoint: u64) -> Result<Vec<StateChunk>, Failure> {
        let mut items = Items::default();
        self.operator.operator_state(&mut items)?;
        write_chunks(&mut self.keys, items, O::STATE_VERSION)
    }

    fn restore(&mut self, chunks: Vec<StateChunk>) -> Result<(), Failure> {
        let Chunks { keyed, items } = Chunks::sort_out(chunks, O::STATE_VERSION)?;
        if !Self::KEEPS_STATE && !keyed.is_empty() {
            return Err(Failure::incompatible_state(
                "it has keyed state, and this operator keeps none",
            ));
        }
        read_chunks(&mut self.keys, &keyed, O::STATE_VERSION, O::migrate)?;
        if !items.is_empty() {
            self.operator.restore_operator_state(items)?;
        }
        Ok(())
    }

    fn checkpoint_complete(&mut self, checkpoint: u64) -> Result<(), Failure> {
        self.operator.on_checkpoint_complete(checkpoint)
    }

    fn finish(&mut self) -> Result<Vec<Emission>, Failure> {
        let outcome = self.operator.on_finish(&mut self.keys, &mut self.out);
        self.keys.forget(O::is_vacant);
        self.emitted(outcome)
    }
}

/// Reads the `config` table. An empty table is also read as `()`. An error names the path of its
/// key, and no place in the JSON, which the author of a job file has not seen.
fn parse_config<C: DeserializeOwned>(json: &str) -> Result<C, Failure> {
    let table = match json.trim() {
        "" | "null" => "{}",
        table => table,
    };
    let fails = |reason: String| Failure::Other(format!("the operator's config: {reason}"));
    let table: Value = serde_json::from_str(table).map_err(|error| fails(error.to_string()))?;
    let is_empty = table.as_object().is_some_and(serde_json::Map::is_empty);
    let error = match serde_path_to_error::deserialize(table) {
        Ok(config) => return Ok(config),
        Err(error) => error,
    };
    if is_empty && let Ok(config) = serde_json::from_value(Value::Null) {
        return Ok(config);
    }
    Err(fails(match error.path().to_string().as_str() {
        "." => error.inner().to_string(),
        path => format!("`{path}`: {}", error.inner()),
    }))
}
