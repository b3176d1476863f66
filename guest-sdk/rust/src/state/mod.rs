//! The state of an operator, which is written as chunks and read back.
//!
//! [`KeyedState`] holds one value for each key. [`chunk`] writes it in canonical order and reads
//! it back whole or not at all; [`encode`] writes a value; `guest-sdk/FORMAT.md` draws the bytes.
//! [`items`] is the state of no key.

mod ahead;
mod hash;
mod index;
mod key;
mod keyed;
mod order;
mod table;

mod chunk;
mod encode;
mod format;
mod items;
mod written_groups;

pub(crate) use ahead::{Ahead, LOOK_AHEAD_KEYS};
pub(crate) use chunk::{Chunks, read_chunks, write_chunks};
pub use items::{Items, RestoredItems};
pub use keyed::KeyedState;

use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// Reads a value that an earlier version of the operator wrote, to the last byte.
///
/// For [`Operator::migrate`](crate::Operator::migrate).
///
/// ```
/// use tidegate_sdk::prelude::*;
///
/// assert_eq!(read_state::<(u8, bool)>(&[7, 1]), Ok((7, true)));
/// assert!(read_state::<u8>(&[7, 1]).is_err(), "a byte is left over");
/// ```
///
/// # Errors
///
/// [`Failure::IncompatibleState`] if the bytes are not exactly one value of this type.
pub fn read_state<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(Failure::IncompatibleState(format!(
            "a value has {} bytes more than its type",
            rest.len()
        ))),
        Err(error) => Err(Failure::IncompatibleState(format!(
            "a value can't be read: {error}"
        ))),
    }
}

/// Returns the failure with which [`Operator::migrate`](crate::Operator::migrate) rejects a version
/// that it does not know.
///
/// ```
/// use tidegate_sdk::prelude::*;
/// assert!(unknown_version(7).to_string().ends_with("does not read version 7"));
/// ```
#[must_use]
pub fn unknown_version(version: u32) -> Failure {
    Failure::IncompatibleState(format!("this operator does not read version {version}"))
}
