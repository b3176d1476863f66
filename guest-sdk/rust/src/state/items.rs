//! Operator state: the state that belongs to no key, as a list of items that can move alone.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::batch::StateChunk;
use crate::failure::Failure;
use crate::state::format::{read_item, write_item};
use crate::state::{read_state, unknown_version};

/// Takes the items of operator state at a checkpoint; the argument of
/// [`operator_state`](crate::Operator::operator_state).
///
/// ```
/// use tidegate_sdk::prelude::*;
///
/// fn write(offsets: &[(u32, u64)], items: &mut Items) -> Result<(), Failure> {
///     // One item for each partition, so that they can be dealt out.
///     for partition_and_offset in offsets {
///         items.push(partition_and_offset)?;
///     }
///     Ok(())
/// }
/// # let _ = write;
/// ```
#[derive(Debug, Default)]
pub struct Items {
    chunks: Vec<Vec<u8>>,
}

impl Items {
    /// Adds an item. The order of the items is part of the state, so it must not be that of a
    /// hash map.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// let mut items = Items::default();
    /// items.push(&("partition", 7_u64))?;
    /// # Ok::<(), Failure>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If serde can't write the item.
    pub fn push<T: Serialize>(&mut self, item: &T) -> Result<(), Failure> {
        self.chunks.push(write_item(item)?);
        Ok(())
    }

    pub(crate) fn into_chunks(self) -> impl Iterator<Item = Vec<u8>> {
        self.chunks.into_iter()
    }
}

/// The items of operator state that this subtask receives at a restore; the argument of
/// [`restore_operator_state`](crate::Operator::restore_operator_state).
///
/// ```
/// use tidegate_sdk::prelude::*;
///
/// fn read(items: RestoredItems) -> Result<Vec<(u32, u64)>, Failure> {
///     match items.version() {
///         // Version 1 had 32-bit offsets.
///         1 => {
///             let old = items.read_version::<(u32, u32)>(1)?;
///             Ok(old.into_iter().map(|(partition, at)| (partition, at.into())).collect())
///         }
///         _ => items.read(),
///     }
/// }
/// # let _ = read;
/// ```
#[derive(Debug, Default)]
pub struct RestoredItems {
    chunks: Vec<StateChunk>,
    /// The version that the operator writes now.
    current: u32,
}

impl RestoredItems {
    /// Returns the number of items.
    ///
    /// ```
    /// assert_eq!(tidegate_sdk::RestoredItems::default().len(), 0);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Returns true if there is no item.
    ///
    /// ```
    /// assert!(tidegate_sdk::RestoredItems::default().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Returns the [`STATE_VERSION`](crate::Operator::STATE_VERSION) of the operator that wrote the
    /// items; 0 if there are no items.
    ///
    /// ```
    /// assert_eq!(tidegate_sdk::RestoredItems::default().version(), 0);
    /// ```
    #[must_use]
    pub fn version(&self) -> u32 {
        self.chunks.first().map_or(0, |chunk| chunk.schema_version)
    }

    /// Returns all items, in the order in which they were dealt out, as this version writes them.
    ///
    /// ```
    /// let items = tidegate_sdk::RestoredItems::default().read::<u64>()?;
    /// assert!(items.is_empty());
    /// # Ok::<(), tidegate_sdk::Failure>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Failure::IncompatibleState`] if another version wrote them, or one is not exactly a `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<Vec<T>, Failure> {
        self.read_version(self.current)
    }

    /// Returns all items as `version` wrote them, to read those of an older version.
    ///
    /// ```
    /// let items = tidegate_sdk::RestoredItems::default().read_version::<u32>(1)?;
    /// assert!(items.is_empty());
    /// # Ok::<(), tidegate_sdk::Failure>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Failure::IncompatibleState`] if another version wrote them, or one is not exactly a `T`.
    pub fn read_version<T: DeserializeOwned>(&self, version: u32) -> Result<Vec<T>, Failure> {
        if !self.is_empty() && self.version() != version {
            return Err(unknown_version(self.version()));
        }
        let items = self.chunks.iter().map(|chunk| {
            let value = read_item(&chunk.bytes)
                .map_err(|rule| Failure::IncompatibleState(format!("an item: {rule}")))?;
            read_state(value)
        });
        items.collect()
    }

    pub(crate) fn of_version(current: u32) -> Self {
        Self {
            chunks: Vec::new(),
            current,
        }
    }

    pub(crate) fn push(&mut self, chunk: StateChunk) -> Result<(), Failure> {
        if !self.is_empty() && chunk.schema_version != self.version() {
            return Err(Failure::incompatible_state(
                "its items of operator state have different versions",
            ));
        }
        self.chunks.push(chunk);
        Ok(())
    }
}
