//! The number of a fatal signal, written into the ring's header on the way down, so that the next
//! start can say what ended the process.
//!
//! The handler does what a handler may: atomic loads and stores, `getpid`, `sigaction`, `raise`.
//! It puts the earlier handler back and returns: a fault comes again and goes where it would have
//! gone without us (Rust's own report of a stack overflow, another crash reporter, a core dump).

use std::ptr::{null, null_mut};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Once, OnceLock};

use libc::{c_int, c_void, sigaction, siginfo_t};

use crate::journal::header::Header;

/// Those that end a process by its own fault.
const FATAL: [c_int; 6] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGABRT,
    libc::SIGSYS,
];

/// The header to write to: of the first journal of this process that is open.
static HEADER: AtomicPtr<Header> = AtomicPtr::new(null_mut());
static EARLIER: OnceLock<[sigaction; FATAL.len()]> = OnceLock::new();

/// From now on a fatal signal is noted in this header, unless another one is used already.
pub(super) fn watch(header: &Header) {
    let header = std::ptr::from_ref(header).cast_mut();
    let _ = HEADER.compare_exchange(null_mut(), header, AcqRel, Relaxed);
}

/// To be called before the header's memory goes away.
pub(super) fn forget(header: &Header) {
    let header = std::ptr::from_ref(header).cast_mut();
    let _ = HEADER.compare_exchange(header, null_mut(), AcqRel, Relaxed);
}

/// Puts our handler before those of the fatal signals. Further calls do nothing.
pub(in crate::journal) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let earlier = FATAL.map(|signal| {
            // SAFETY: zeros are a valid `sigaction`: the default action.
            let mut earlier: sigaction = unsafe { std::mem::zeroed() };
            // SAFETY: reads the present action into a valid place.
            unsafe { libc::sigaction(signal, null(), &raw mut earlier) };
            earlier
        });
        // Known before the first of our handlers can run.
        let _ = EARLIER.set(earlier);
        for signal in FATAL {
            // SAFETY: as above.
            let mut ours: sigaction = unsafe { std::mem::zeroed() };
            let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = note;
            ours.sa_sigaction = handler as *const () as usize;
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            // SAFETY: `note` has the signature that `SA_SIGINFO` asks for and is safe to be called
            // in a signal's context; the alternate stack is Rust's own, where there is one.
            unsafe { libc::sigaction(signal, &raw const ours, null_mut()) };
        }
    });
}

extern "C" fn note(signal: c_int, info: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: null, or a header that `forget` takes away before it is unmapped.
    if let Some(header) = unsafe { HEADER.load(Acquire).as_ref() } {
        // SAFETY: always succeeds.
        let pid = unsafe { libc::getpid() };
        // A forked child's death is not its parent's.
        if header.pid.load(Ordering::Relaxed) == pid as u64 {
            header.signal.store(signal as u64, Ordering::Release);
        }
    }
    let earlier = FATAL
        .iter()
        .position(|known| *known == signal)
        .and_then(|at| EARLIER.get()?.get(at));
    if let Some(earlier) = earlier {
        // SAFETY: puts back what was there.
        unsafe { libc::sigaction(signal, std::ptr::from_ref(earlier), null_mut()) };
    }
    // SAFETY: the kernel gives a valid `siginfo_t` to a handler with `SA_SIGINFO`.
    let sent = unsafe { info.as_ref() }.is_none_or(|info| info.si_code <= 0);
    if sent {
        // Sent by somebody, not caused by the next instruction: it would not come again. It is
        // held back until this handler returns.
        // SAFETY: may be called in a handler.
        unsafe { libc::raise(signal) };
    }
}
