//! The form of numbers and traps in the messages of faults.

use std::fmt;
use std::time::Duration;

use rustix::io::Errno;

use super::TrapReport;
use crate::system_refusal::SystemRefusal;

/// A duration, shown in whole seconds or else in milliseconds.
pub(super) struct ShownDuration(pub(super) Duration);

impl fmt::Display for ShownDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.subsec_nanos() == 0 {
            write!(f, "{} s", self.0.as_secs())
        } else {
            write!(f, "{} ms", self.0.as_millis())
        }
    }
}

/// A number of bytes, shown in the largest unit that divides it.
pub(super) struct ShownBytes(pub(super) u64);

impl fmt::Display for ShownBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let whole = units
            .iter()
            .find(|(size, _)| self.0 >= *size && self.0.is_multiple_of(*size));
        match whole {
            Some((size, unit)) => write!(f, "{} {unit}", self.0 / size),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

/// A hint at the largest user of the refused resource.
pub(super) struct ShownHint(pub(super) SystemRefusal);

impl fmt::Display for ShownHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == SystemRefusal::from(Errno::NOMEM) {
            f.write_str(
                " (each memory of a guest reserves 4 GiB of address space, in several mappings: \
                 see `ulimit -v` and `vm.max_map_count`)",
            )?;
        }
        Ok(())
    }
}

/// The trap of a guest that was refused memory.
pub(super) struct ShownTrap<'a>(pub(super) Option<&'a TrapReport>);

impl fmt::Display for ShownTrap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(trap) => write!(f, ", then trapped: {trap}"),
            None => Ok(()),
        }
    }
}
