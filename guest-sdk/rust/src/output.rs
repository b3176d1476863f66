//! Record path: `on_record` → [output] → emissions → host.
//!
//! Builds the columns that the host takes, directly: an emitted record is copied once. The records
//! of one port are in the order in which they were emitted.

use crate::batch::{Emission, NO_TIMESTAMP};
use crate::builder::{BatchBuilder, Size};
use crate::failure::Failure;
use crate::field::Field;

/// The output ports of an operator, out of which it sends its records.
///
/// Keys and values are of any type that is a [`Field`]: byte strings, text, integers (as decimal
/// text), [`Le64`](crate::Le64), or `()` for an empty field. A record inherits the timestamp of the
/// record that is being processed; outside of `on_record` it has no timestamp.
///
/// ```
/// use tidegate_sdk::prelude::*;
///
/// fn both_ways(record: Record<'_>, out: &mut Output) {
///     out.emit(record.key(), "forth");
///     out.emit_to(1, record.value(), 42);
/// }
/// # let _ = both_ways;
/// ```
#[derive(Debug)]
pub struct Output {
    /// Port 0, apart because nearly every record goes there.
    main: BatchBuilder,
    /// Ports 1 and up.
    side: Vec<BatchBuilder>,
    /// The number of ports, at least 1.
    ports: u32,
    /// The timestamp that records inherit.
    inherited: i64,
    /// The first port that a record named and the operator does not have.
    unknown_port: Option<u32>,
    /// The size of the last call's output on port 0, for which the next call reserves room.
    expected: Size,
}

impl Output {
    pub(crate) fn new(ports: usize) -> Self {
        Self {
            main: BatchBuilder::default(),
            side: Vec::new(),
            ports: u32::try_from(ports).unwrap_or(u32::MAX).max(1),
            inherited: NO_TIMESTAMP,
            unknown_port: None,
            expected: Size::default(),
        }
    }

    /// Sends a record out of port 0, the main output.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn swap(record: Record<'_>, out: &mut Output) {
    ///     out.emit(record.value(), record.key());
    /// }
    /// # let _ = swap;
    /// ```
    #[inline(always)]
    pub fn emit(&mut self, key: impl Field, value: impl Field) {
        self.main.push(self.inherited, key, value);
    }

    /// Sends a record out of `port`.
    ///
    /// If the operator has no such port in the job file, the call fails after it has returned.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn split(record: Record<'_>, out: &mut Output) {
    ///     let port = u32::from(record.key().is_empty());
    ///     out.emit_to(port, record.key(), record.value());
    /// }
    /// # let _ = split;
    /// ```
    #[inline(always)]
    pub fn emit_to(&mut self, port: u32, key: impl Field, value: impl Field) {
        let inherited = self.inherited;
        if let Some(batch) = self.port(port) {
            batch.push(inherited, key, value);
        }
    }

    /// Sends a record out of port 0 with a timestamp of its own, in milliseconds since the Unix
    /// epoch; `None` for no timestamp.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn stamp(record: Record<'_>, out: &mut Output) -> Result<(), Failure> {
    ///     let at: i64 = record.value_as()?;
    ///     out.emit_at(Some(at), record.key(), ());
    ///     Ok(())
    /// }
    /// # let _ = stamp;
    /// ```
    #[inline(always)]
    pub fn emit_at(&mut self, timestamp: Option<i64>, key: impl Field, value: impl Field) {
        self.main
            .push(timestamp.unwrap_or(NO_TIMESTAMP), key, value);
    }

    /// Sends a record out of `port` with a timestamp of its own: [`emit_to`](Self::emit_to) and
    /// [`emit_at`](Self::emit_at) in one.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn late(record: Record<'_>, out: &mut Output) {
    ///     out.send(1, record.timestamp(), record.key(), "too late");
    /// }
    /// # let _ = late;
    /// ```
    #[inline]
    pub fn send(&mut self, port: u32, timestamp: Option<i64>, key: impl Field, value: impl Field) {
        if let Some(batch) = self.port(port) {
            batch.push(timestamp.unwrap_or(NO_TIMESTAMP), key, value);
        }
    }

    /// Sets the timestamp that records inherit from now on.
    #[inline(always)]
    pub(crate) fn inherit(&mut self, timestamp: i64) {
        self.inherited = timestamp;
    }

    /// Reserves room for about as much output as the last call had.
    pub(crate) fn reserve(&mut self) {
        self.main = BatchBuilder::with_capacity(self.expected);
    }

    /// Takes everything that was emitted since the last call.
    pub(crate) fn take(&mut self) -> Result<Vec<Emission>, Failure> {
        self.inherited = NO_TIMESTAMP;
        let main = std::mem::take(&mut self.main);
        let side = std::mem::take(&mut self.side);
        if let Some(port) = self.unknown_port.take() {
            return Err(Failure::Other(format!(
                "a record was emitted to output port {port}, but the operator has {}",
                self.ports
            )));
        }
        let all = (0..).zip(std::iter::once(main).chain(side));
        let emissions = all.filter(|(_, builder)| !builder.is_empty());
        let emissions: Vec<_> = emissions
            .map(|(port, builder)| Emission {
                port,
                records: builder.finish(),
            })
            .collect();
        let main = emissions.first().filter(|emission| emission.port == 0);
        self.expected = main.map_or_else(Size::default, |main| Size::of(&main.records));
        Ok(emissions)
    }

    /// Drops everything that was emitted by a call that failed.
    pub(crate) fn discard(&mut self) {
        self.main = BatchBuilder::default();
        self.side.clear();
        self.unknown_port = None;
        self.inherited = NO_TIMESTAMP;
    }

    #[inline]
    fn port(&mut self, port: u32) -> Option<&mut BatchBuilder> {
        if port == 0 {
            return Some(&mut self.main);
        }
        if port >= self.ports {
            self.unknown_port.get_or_insert(port);
            return None;
        }
        let index = port as usize - 1;
        if self.side.len() <= index {
            self.side.resize_with(index + 1, BatchBuilder::default);
        }
        self.side.get_mut(index)
    }
}

#[cfg(test)]
mod tests;
