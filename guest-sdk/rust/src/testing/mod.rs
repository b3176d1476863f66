//! Runs an operator in an ordinary `cargo test`, without WebAssembly.
//!
//! [`Harness`] plays the host: it opens the operator, hands it records, and collects what it
//! emits. A snapshot can be taken anywhere and restored into a new instance, also at another
//! parallelism, where each instance gets the key groups that it owns.
//!
//! ```
//! use tidegate_sdk::prelude::*;
//! use tidegate_sdk::testing::Harness;
//! # struct Count;
//! # impl Operator for Count {
//! #     type Config = ();
//! #     type State = u64;
//! #     fn open(_config: (), _context: &Context) -> Result<Self, Failure> { Ok(Self) }
//! #     fn on_record(
//! #         &mut self,
//! #         record: Record<'_>,
//! #         count: &mut u64,
//! #         out: &mut Output,
//! #     ) -> Result<(), Failure> {
//! #         *count += 1;
//! #         out.emit(record.key(), *count);
//! #         Ok(())
//! #     }
//! # }
//!
//! let mut harness = Harness::<Count>::builder().open()?;
//! harness.send_all([("a", ""), ("b", "")])?;
//! harness.take_output();
//!
//! // A failure: a new instance takes over from the snapshot.
//! let mut restored = Harness::<Count>::builder().restore(&harness.snapshot()?)?;
//! restored.send("a", "")?;
//! assert_eq!(restored.take_text(), [("a".into(), "2".into())]);
//! # Ok::<(), Failure>(())
//! ```

mod builder;
mod harness;

pub use builder::Builder;
pub use harness::{Emitted, Harness, RawHarness};
