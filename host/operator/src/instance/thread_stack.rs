//! The stack left on the calling thread.
//!
//! wasmtime counts a guest's use of the stack from the start of the call, and does not look at the
//! thread's size. A guest that recurses on a thread with too little left would run into the guard
//! page and end the process. So each entry into a guest checks first.

use std::ops::Range;

use rustix::io::Errno;

use crate::fault::FaultCause;

/// The number of bytes that the host needs besides the guest's stack: for its own frames, for
/// functions of the host (and the log sink) that a guest calls with its own stack used up, and for
/// the zones that a JVM protects at the low end of a thread's stack.
const HOST_BYTES: usize = 128 << 10;

/// Returns the number of bytes that a thread must have left to call a guest with `guest_bytes` of
/// stack.
pub(crate) const fn needed(guest_bytes: usize) -> usize {
    guest_bytes.saturating_add(HOST_BYTES)
}

/// Checks that the calling thread has `needed` bytes of stack left.
pub(crate) fn check(needed: usize) -> Result<(), FaultCause> {
    std::thread_local! {
        static STACK: Result<Range<usize>, Errno> = bounds();
    }
    let local = 0_u8;
    let here = (&raw const local).addr();
    let left = STACK.with(|stack| match stack {
        Ok(stack) if stack.contains(&here) => Ok(here - stack.start),
        // Not the thread's own stack, but a fiber's or the like: its size is unknown.
        Ok(_) => Ok(0),
        Err(errno) => Err(FaultCause::SystemRefused {
            refusal: (*errno).into(),
            trap: None,
        }),
    })?;
    if left < needed {
        return Err(FaultCause::ThreadStack { left, needed });
    }
    Ok(())
}

/// Returns the addresses of the calling thread's stack.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "no crate in use says where a stack ends without bringing assembly along"
)]
fn bounds() -> Result<Range<usize>, Errno> {
    use std::mem::MaybeUninit;
    use std::ptr;

    let checked = |code: libc::c_int| match code {
        0 => Ok(()),
        code => Err(Errno::from_raw_os_error(code)),
    };
    let mut attributes = MaybeUninit::uninit();
    let (mut low, mut bytes) = (ptr::null_mut(), 0);
    // SAFETY: the calling thread is alive, so `pthread_getattr_np` initialises its attributes,
    // unless it returns an error; then they are not read. The other two calls get initialised
    // attributes and pointers to their own variables, and the last call destroys the attributes.
    // The stack itself is neither read nor written.
    unsafe {
        checked(libc::pthread_getattr_np(
            libc::pthread_self(),
            attributes.as_mut_ptr(),
        ))?;
        let found = libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut low, &raw mut bytes);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        checked(found)?;
    }
    Ok(low.addr()..low.addr().saturating_add(bytes))
}

/// On other systems nothing is known of a stack, and every entry is allowed.
#[cfg(not(target_os = "linux"))]
fn bounds() -> Result<Range<usize>, Errno> {
    Ok(0..usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the bytes left on a new thread with a stack of `bytes`, as a refusal names them.
    fn left_of(bytes: usize) -> usize {
        let thread = std::thread::Builder::new().stack_size(bytes);
        let thread = thread.spawn(|| check(usize::MAX)).expect("a thread");
        match thread.join().expect("it does not panic") {
            Err(FaultCause::ThreadStack { left, .. }) => left,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_bytes_left_are_nearly_all_of_a_new_threads_stack() {
        // Large and growing, so that no thread reuses the stack of one that has ended.
        for mib in [8, 16, 32] {
            let (bytes, slack) = (mib << 20, 32 << 10);
            let left = left_of(bytes);
            assert!(
                (bytes - slack..=bytes + slack).contains(&left),
                "{left} of {bytes}"
            );
        }
    }

    #[test]
    fn a_thread_with_as_much_as_is_needed_passes() {
        assert_eq!(check(64 << 10), Ok(()));
    }
}
