//! Record path: batch in → [record] → `on_record` → output.
//!
//! One record, read in place: nothing is copied, and a failed conversion knows its row.

use std::fmt::Display;
use std::str;

use serde::Deserialize;

use crate::batch::NO_TIMESTAMP;
use crate::failure::Failure;
use crate::field::{FromField, Le64};

/// One record of the stream, read in place.
///
/// Every method that can fail returns a [`Failure::InvalidRecord`] with the record's row, so that
/// `?` in `on_record` sends exactly this record to the dead-letter output if the job has one.
///
/// ```
/// use tidegate_sdk::prelude::*;
///
/// fn cents(record: Record<'_>) -> Result<i64, Failure> {
///     let amount: i64 = record.value_as()?;
///     if amount < 0 {
///         return Err(record.invalid("a negative amount"));
///     }
///     Ok(amount * 100)
/// }
/// # let _ = cents;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    pub(crate) input: u32,
    pub(crate) row: u32,
    pub(crate) timestamp: i64,
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
}

impl<'a> Record<'a> {
    /// Returns the key, which is empty for a record without a key.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn has_key(record: Record<'_>) -> bool {
    ///     !record.key().is_empty()
    /// }
    /// # let _ = has_key;
    /// ```
    #[inline]
    #[must_use]
    pub fn key(&self) -> &'a [u8] {
        self.key
    }

    /// Returns the value.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn words(record: Record<'_>) -> usize {
    ///     record.value().split(u8::is_ascii_whitespace).count()
    /// }
    /// # let _ = words;
    /// ```
    #[inline]
    #[must_use]
    pub fn value(&self) -> &'a [u8] {
        self.value
    }

    /// Returns the event time in milliseconds since the Unix epoch, if the record has a timestamp.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn minute(record: Record<'_>) -> Result<i64, Failure> {
    ///     let at = record.timestamp().ok_or_else(|| record.invalid("no timestamp"))?;
    ///     Ok(at.div_euclid(60_000))
    /// }
    /// # let _ = minute;
    /// ```
    #[inline]
    #[must_use]
    pub fn timestamp(&self) -> Option<i64> {
        (self.timestamp != NO_TIMESTAMP).then_some(self.timestamp)
    }

    /// Returns the index of the input that the record came from, for an operator with several
    /// inputs.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn is_order(record: Record<'_>) -> bool {
    ///     record.input() == 0
    /// }
    /// # let _ = is_order;
    /// ```
    #[inline]
    #[must_use]
    pub fn input(&self) -> u32 {
        self.input
    }

    /// Returns the row of the record in its batch. Batches are cut anywhere: a row means nothing in
    /// the stream, and serves only for a [`Failure::InvalidRecord`].
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn refuse(record: Record<'_>) -> Failure {
    ///     Failure::InvalidRecord { row: record.row(), reason: "refused".to_owned() }
    /// }
    /// # let _ = refuse;
    /// ```
    #[inline]
    #[must_use]
    pub fn row(&self) -> u32 {
        self.row
    }

    /// Returns the key as text.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn country(record: Record<'_>) -> Result<String, Failure> {
    ///     Ok(record.key_str()?.to_uppercase())
    /// }
    /// # let _ = country;
    /// ```
    ///
    /// # Errors
    ///
    /// [`Failure::InvalidRecord`] if the key is not UTF-8.
    #[inline]
    pub fn key_str(&self) -> Result<&'a str, Failure> {
        str::from_utf8(self.key).map_err(|_| self.invalid("the key is not UTF-8 text"))
    }

    /// Returns the value as text.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn shout(record: Record<'_>) -> Result<String, Failure> {
    ///     Ok(record.value_str()?.to_uppercase())
    /// }
    /// # let _ = shout;
    /// ```
    ///
    /// # Errors
    ///
    /// [`Failure::InvalidRecord`] if the value is not UTF-8.
    #[inline]
    pub fn value_str(&self) -> Result<&'a str, Failure> {
        str::from_utf8(self.value).map_err(|_| self.invalid("the value is not UTF-8 text"))
    }

    /// Returns the key as a number or another [`FromField`] type; numbers are decimal text.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn user(record: Record<'_>) -> Result<u32, Failure> {
    ///     record.key_as()
    /// }
    /// # let _ = user;
    /// ```
    ///
    /// # Errors
    ///
    /// [`Failure::InvalidRecord`] if the key can't be read so.
    #[inline]
    pub fn key_as<T: FromField>(&self) -> Result<T, Failure> {
        T::from_field(self.key).map_err(|expected| self.unexpected("key", &expected))
    }

    /// Returns the value as a number or another [`FromField`] type; numbers are decimal text.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn price(record: Record<'_>) -> Result<f64, Failure> {
    ///     record.value_as()
    /// }
    /// # let _ = price;
    /// ```
    ///
    /// # Errors
    ///
    /// [`Failure::InvalidRecord`] if the value can't be read so.
    #[inline]
    pub fn value_as<T: FromField>(&self) -> Result<T, Failure> {
        T::from_field(self.value).map_err(|expected| self.unexpected("value", &expected))
    }

    /// Returns the value as a signed number of eight little-endian bytes: `value_as::<Le64>`,
    /// unwrapped.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn is_odd(record: Record<'_>) -> Result<bool, Failure> {
    ///     Ok(record.value_le64()? & 1 == 1)
    /// }
    /// # let _ = is_odd;
    /// ```
    ///
    /// # Errors
    ///
    /// [`Failure::InvalidRecord`] if the value is not eight bytes long.
    #[inline]
    pub fn value_le64(&self) -> Result<i64, Failure> {
        self.value_as::<Le64>().map(|Le64(number)| number)
    }

    /// Returns the value as JSON.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// #[derive(serde::Deserialize)]
    /// struct Order<'a> {
    ///     item: &'a str,
    ///     amount: u32,
    /// }
    ///
    /// fn amount(record: Record<'_>) -> Result<u32, Failure> {
    ///     let order: Order<'_> = record.value_json()?;
    ///     if order.item.is_empty() {
    ///         return Err(record.invalid("an order of nothing"));
    ///     }
    ///     Ok(order.amount)
    /// }
    /// # let _ = amount;
    /// ```
    ///
    /// # Errors
    ///
    /// [`Failure::InvalidRecord`] with serde's message if the value can't be read so.
    pub fn value_json<T: Deserialize<'a>>(&self) -> Result<T, Failure> {
        serde_json::from_slice(self.value)
            .map_err(|error| self.invalid(format_args!("the value: {error}")))
    }

    /// Makes the failure that rejects this record for the given reason.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn refuse_empty(record: Record<'_>) -> Result<(), Failure> {
    ///     if record.value().is_empty() {
    ///         return Err(record.invalid("an empty value"));
    ///     }
    ///     Ok(())
    /// }
    /// # let _ = refuse_empty;
    /// ```
    #[cold]
    #[must_use]
    pub fn invalid(&self, reason: impl Display) -> Failure {
        Failure::InvalidRecord {
            row: self.row,
            reason: reason.to_string(),
        }
    }

    #[cold]
    fn unexpected(&self, field: &str, expected: &str) -> Failure {
        self.invalid(format_args!("the {field} is not {expected}"))
    }
}
