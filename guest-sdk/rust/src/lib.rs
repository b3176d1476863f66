//! Write Tidegate operators in Rust.
//!
//! An operator is a type that implements [`Operator`]: its behaviour for each record, and its state
//! for each key. It is compiled to a sandboxed WebAssembly component, and its state is
//! exactly-once: the host snapshots and restores it, and the author writes no code for that.
//!
//! # 1. An operator
//!
//! ```
//! use tidegate_sdk::prelude::*;
//!
//! /// Counts how often each key was seen.
//! struct Count;
//!
//! impl Operator for Count {
//!     type Config = ();
//!     type State = u64;
//!
//!     fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
//!         Ok(Self)
//!     }
//!
//!     fn on_record(
//!         &mut self,
//!         record: Record<'_>,
//!         count: &mut u64,
//!         out: &mut Output,
//!     ) -> Result<(), Failure> {
//!         *count += 1;
//!         out.emit(record.key(), *count);
//!         Ok(())
//!     }
//! }
//!
//! export_operator!(Count);
//!
//! # fn main() -> Result<(), Failure> {
//! // In the crate's tests:
//! let mut harness = tidegate_sdk::testing::Harness::<Count>::builder().open()?;
//! harness.send_all([("a", ""), ("b", ""), ("a", "")])?;
//! assert_eq!(harness.take_text(), [
//!     ("a".into(), "1".into()),
//!     ("b".into(), "1".into()),
//!     ("a".into(), "2".into()),
//! ]);
//! # Ok(())
//! # }
//! ```
//!
//! The crate's `Cargo.toml` sets `crate-type = ["cdylib"]`, and `tidegate build` makes the
//! component.
//!
//! # 2. Reading a record
//!
//! [`Record::key`] and [`Record::value`] are bytes, read in place. [`Record::value_as`] reads
//! decimal text or another [`FromField`] type, [`Record::value_le64`] eight bytes, and
//! [`Record::value_json`] JSON. If one of them fails, `?` blames exactly this record: the job
//! fails, or sends it to the dead-letter output, as the job file says.
//!
//! # 3. Emitting
//!
//! [`Output::emit`] takes byte strings, text, integers and [`Le64`]. A record inherits the
//! timestamp of the one that is being processed. [`Output::emit_to`] names a port.
//!
//! # 4. State
//!
//! `State` is any serde type with a default: one value for each key. A key whose state
//! [`is_vacant`](Operator::is_vacant) is forgotten. [`Operator::on_watermark`] and
//! [`Operator::on_finish`] see all keys, as [`KeyedState`]. State that belongs to no key goes
//! through [`Operator::operator_state`].
//!
//! # 5. Changing the state later
//!
//! Raise [`Operator::STATE_VERSION`] when `State` changes, and read the older versions in
//! [`Operator::migrate`]. State is stored in postcard, which knows no field names: adding,
//! removing or reordering a field changes the layout. `guest-sdk/FORMAT.md` draws the
//! bytes.
//!
//! # 6. Determinism
//!
//! The same input gives the same output and the same snapshot, byte for byte; recovery relies on
//! this. There is no clock and no randomness in the sandbox. The author only has to avoid the order
//! of hash maps: use a `BTreeMap` in state, and wherever order reaches the output. A `BTreeMap` is
//! also right for names that come from records: the seed of a `HashMap` is no secret here.
//!
//! # 7. Testing
//!
//! [`testing::Harness`] runs an operator natively, takes snapshots, and restores them at another
//! parallelism. [`raw`] is the level below, for operators that work on whole columns.

#[doc(hidden)]
pub mod bindings;

mod operator;
mod record;

mod field;
mod output;

mod context;
mod failure;
mod host;

mod state;

mod block;
pub mod raw;
mod typed;

mod batch;
mod builder;
mod bytes;
mod export;

// Tests run natively; in a component the harness would only be dead weight.
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use context::Context;
pub use failure::Failure;
pub use field::{Field, FromField, Le64};
pub use host::{Level, count, log};
pub use operator::Operator;
pub use output::Output;
pub use record::Record;
pub use state::{Items, KeyedState, RestoredItems, read_state, unknown_version};
pub use typed::Typed;

/// The names that an operator's source file needs, for `use tidegate_sdk::prelude::*`.
///
/// ```
/// use tidegate_sdk::prelude::*;
///
/// fn pass_on(record: Record<'_>, out: &mut Output) -> Result<(), Failure> {
///     out.emit(record.key(), record.value());
///     Ok(())
/// }
/// # let _ = pass_on;
/// ```
pub mod prelude {
    pub use crate::export_operator;
    pub use crate::{
        Context, Failure, Field, FromField, Items, KeyedState, Le64, Level, Operator, Output,
        Record, RestoredItems, count, log, read_state, unknown_version,
    };
}

/// The names that the export macros need; not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::bindings::export_bindings;
    pub use crate::export::{Exports, Slot, can_be_exported};
}
