//! The path from the generated exports to a [`RawOperator`], and the macros that an author's crate
//! calls.
//!
//! Invariant: an instance has one operator, which `open` makes. A call before `open`, or a second
//! `open`, is the host's mistake and fails without touching the operator.

use std::marker::PhantomData;

use crate::batch::{Batch, Column, Emission, StateChunk};
use crate::bindings::exports::tidegate::operator::operator as wit;
use crate::bindings::tidegate::operator::types;
use crate::context::Context;
use crate::failure::Failure;
use crate::raw::RawOperator;

/// Exports an [`Operator`](crate::Operator) as the operator of this crate's component.
///
/// Call it once, at the top level of a crate with `crate-type = ["cdylib"]`. Outside of
/// WebAssembly it does nothing, so that the crate's tests run natively.
///
/// ```
/// # use tidegate_sdk::prelude::*;
/// # struct Count;
/// # impl Operator for Count {
/// #     type Config = ();
/// #     type State = u64;
/// #     fn open(_config: (), _context: &Context) -> Result<Self, Failure> { Ok(Self) }
/// #     fn on_record(
/// #         &mut self,
/// #         _record: Record<'_>,
/// #         _count: &mut u64,
/// #         _out: &mut Output,
/// #     ) -> Result<(), Failure> { Ok(()) }
/// # }
/// tidegate_sdk::export_operator!(Count);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_operator {
    ($operator:ty) => {
        $crate::export_raw_operator!($crate::Typed<$operator>);
    };
}

/// Exports a [`RawOperator`](crate::raw::RawOperator) as the operator of this crate's component.
///
/// Works like [`export_operator!`](crate::export_operator), one level lower.
///
/// ```
/// # use tidegate_sdk::raw::{Batch, Emission, RawOperator, StateChunk};
/// # use tidegate_sdk::{Context, Failure};
/// # struct Echo;
/// # impl RawOperator for Echo {
/// #     fn open(_context: Context) -> Result<Self, Failure> { Ok(Self) }
/// #     fn process(&mut self, _: u32, records: Batch) -> Result<Vec<Emission>, Failure> {
/// #         Ok(vec![Emission { port: 0, records }])
/// #     }
/// #     fn snapshot(&mut self, _: u64) -> Result<Vec<StateChunk>, Failure> { Ok(vec![]) }
/// #     fn restore(&mut self, _: Vec<StateChunk>) -> Result<(), Failure> { Ok(()) }
/// # }
/// tidegate_sdk::export_raw_operator!(Echo);
/// # fn main() {}
/// ```
#[rustfmt::skip]
#[macro_export]
macro_rules! export_raw_operator {
    ($operator:ty) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "exports of a component are unsafe by nature")]
        const _: () = {
            // The names in here would hide an author's operator of the same name.
            ::std::thread_local! {
                static INSTANCE: ::std::cell::RefCell<::std::option::Option<$operator>> =
                    const { ::std::cell::RefCell::new(::std::option::Option::None) };
            }

            struct TidegateSlot;

            impl $crate::__private::Slot for TidegateSlot {
                type Operator = $operator;

                fn with<TidegateReturned>(
                    call: impl ::std::ops::FnOnce(
                        &mut ::std::option::Option<$operator>,
                    ) -> TidegateReturned,
                ) -> TidegateReturned {
                    INSTANCE.with_borrow_mut(call)
                }
            }

            type TidegateComponent = $crate::__private::Exports<TidegateSlot>;
            $crate::__private::export_bindings!(TidegateComponent with_types_in $crate::bindings);
        };

        // A native build exports nothing; this use keeps the operator from being dead code.
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() = $crate::__private::can_be_exported::<$operator>;
    };
}

/// Makes the compiler check the macro's argument in a build that exports nothing.
pub fn can_be_exported<R: RawOperator>() {}

/// The macro's place for the operator: a static can't be generic, so the author's crate has it.
pub trait Slot {
    /// The operator.
    type Operator: RawOperator;

    /// Runs `call` on the place of the operator, which is empty until `open`.
    fn with<T>(call: impl FnOnce(&mut Option<Self::Operator>) -> T) -> T;
}

/// The exports of the component, as the bindings require them.
#[derive(Debug)]
pub struct Exports<S>(PhantomData<S>);

impl<S: Slot> Exports<S> {
    fn call<T>(
        call: impl FnOnce(&mut S::Operator) -> Result<T, Failure>,
    ) -> Result<T, types::Failure> {
        let outcome = S::with(|slot| match slot {
            Some(operator) => call(operator),
            None => Err(Failure::other(
                "the operator was called before it was opened",
            )),
        });
        outcome.map_err(types::Failure::from)
    }
}

impl<S: Slot> wit::Guest for Exports<S> {
    fn open(context: types::Context) -> Result<(), types::Failure> {
        report_panics();
        S::with(|slot| {
            if slot.is_some() {
                return Err(Failure::other("the operator was opened twice"));
            }
            *slot = Some(S::Operator::open(context.into())?);
            Ok(())
        })
        .map_err(types::Failure::from)
    }

    fn process(input: u32, records: types::Batch) -> Result<Vec<types::Emission>, types::Failure> {
        Self::call(|operator| operator.process(input, records.into())).map(lower)
    }

    fn advance_watermark(watermark: i64) -> Result<Vec<types::Emission>, types::Failure> {
        Self::call(|operator| operator.advance_watermark(watermark)).map(lower)
    }

    fn snapshot(checkpoint: u64) -> Result<Vec<types::StateChunk>, types::Failure> {
        Self::call(|operator| operator.snapshot(checkpoint))
            .map(|chunks| chunks.into_iter().map(Into::into).collect())
    }

    fn restore(chunks: Vec<types::StateChunk>) -> Result<(), types::Failure> {
        let chunks = chunks.into_iter().map(Into::into).collect();
        Self::call(|operator| operator.restore(chunks))
    }

    fn checkpoint_complete(checkpoint: u64) -> Result<(), types::Failure> {
        Self::call(|operator| operator.checkpoint_complete(checkpoint))
    }

    fn finish() -> Result<Vec<types::Emission>, types::Failure> {
        Self::call(RawOperator::finish).map(lower)
    }
}

/// Logs each panic: a trap carries no message, so the host takes it from the log.
#[cfg(target_arch = "wasm32")]
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        crate::host::log(crate::host::Level::Error, panic);
    }));
}

/// Does nothing: in a native test the test runner shows panics.
#[cfg(not(target_arch = "wasm32"))]
fn report_panics() {}

fn lower(emissions: Vec<Emission>) -> Vec<types::Emission> {
    emissions.into_iter().map(Into::into).collect()
}

impl From<types::Column> for Column {
    fn from(column: types::Column) -> Self {
        Self {
            offsets: column.offsets,
            data: column.data,
        }
    }
}

impl From<Column> for types::Column {
    fn from(column: Column) -> Self {
        Self {
            offsets: column.offsets,
            data: column.data,
        }
    }
}

impl From<types::Batch> for Batch {
    fn from(batch: types::Batch) -> Self {
        Self {
            timestamps: batch.timestamps,
            keys: batch.keys.into(),
            values: batch.values.into(),
        }
    }
}

impl From<Emission> for types::Emission {
    fn from(emission: Emission) -> Self {
        let Emission { port, records } = emission;
        let records = types::Batch {
            timestamps: records.timestamps,
            keys: records.keys.into(),
            values: records.values.into(),
        };
        Self { port, records }
    }
}

impl From<types::StateChunk> for StateChunk {
    fn from(chunk: types::StateChunk) -> Self {
        Self {
            name: chunk.name,
            schema_version: chunk.schema_version,
            key_group: chunk.key_group,
            bytes: chunk.bytes,
        }
    }
}

impl From<StateChunk> for types::StateChunk {
    fn from(chunk: StateChunk) -> Self {
        Self {
            name: chunk.name,
            schema_version: chunk.schema_version,
            key_group: chunk.key_group,
            bytes: chunk.bytes,
        }
    }
}

impl From<types::Context> for Context {
    fn from(context: types::Context) -> Self {
        Self {
            job: context.job,
            operator: context.operator,
            subtask: context.subtask,
            parallelism: context.parallelism,
            max_parallelism: context.max_parallelism,
            first_key_group: context.first_key_group,
            last_key_group: context.last_key_group,
            inputs: context.inputs,
            outputs: context.outputs,
            config: context.config,
            hash_seed: context.hash_seed,
        }
    }
}

impl From<Failure> for types::Failure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::InvalidRecord { row, reason } => Self::InvalidRecord((row, reason)),
            Failure::IncompatibleState(reason) => Self::IncompatibleState(reason),
            Failure::Other(reason) => Self::Other(reason),
        }
    }
}
