//! Refusals of the operating system: a limit of the process or machine, which a component meets
//! while it is compiled, instantiated or called, but has not caused.
//!
//! The engine passes on such an error among its own, somewhere in a chain.
//! [`SystemRefusal::behind`] finds all of them, so that no component, operator or record is blamed
//! for one.

use std::error::Error;
use std::{fmt, io};

use rustix::io::Errno;

/// The system refused a resource that a component needs: memory, a file, a thread.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SystemRefusal {
    code: i32,
}

impl SystemRefusal {
    /// Returns the system's error.
    #[must_use]
    pub fn to_io_error(self) -> io::Error {
        io::Error::from_raw_os_error(self.code)
    }

    /// Returns the system's refusal behind an error of the engine, if there is one.
    pub(crate) fn behind(error: &wasmtime::Error) -> Option<Self> {
        if error.is::<wasmtime::OutOfMemory>() {
            return Some(Errno::NOMEM.into());
        }
        error.chain().find_map(Self::of_link)
    }

    /// Returns the system's refusal that is the error of a system call.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        error.raw_os_error().map(|code| Self { code })
    }

    fn of_link(error: &(dyn Error + 'static)) -> Option<Self> {
        if let Some(errno) = error.downcast_ref::<Errno>() {
            return Some((*errno).into());
        }
        error.downcast_ref().and_then(Self::of)
    }
}

impl From<Errno> for SystemRefusal {
    fn from(errno: Errno) -> Self {
        let code = errno.raw_os_error();
        Self { code }
    }
}

impl fmt::Display for SystemRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_io_error().fmt(f)
    }
}

impl fmt::Debug for SystemRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SystemRefusal({self})")
    }
}

impl Error for SystemRefusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_system_is_found_wherever_it_stands_in_a_chain() {
        let found = |error: wasmtime::Error| {
            let refusal = SystemRefusal::behind(&error.context("outer").context("outermost"));
            refusal.map(|refusal| refusal.to_io_error().kind())
        };
        let memfd = io::Error::from_raw_os_error(Errno::FBIG.raw_os_error());
        assert_eq!(found(memfd.into()), Some(io::ErrorKind::FileTooLarge));
        assert_eq!(found(Errno::NOMEM.into()), Some(io::ErrorKind::OutOfMemory));
    }

    #[test]
    fn an_error_of_a_guest_or_of_the_validator_is_none_of_the_system() {
        let texts = ["File too large (os error 27)", "unknown import"];
        for text in texts {
            let error = wasmtime::Error::msg(text);
            assert_eq!(SystemRefusal::behind(&error), None);
            let error = wasmtime::Error::new(io::Error::other(text));
            assert_eq!(SystemRefusal::behind(&error), None);
        }
        let trap = wasmtime::Trap::UnreachableCodeReached;
        assert_eq!(SystemRefusal::behind(&wasmtime::Error::new(trap)), None);
    }
}
