//! A flag that a forked child finds lowered: one load tells a producer that it may write.
//!
//! The ring is shared memory, so a child could write into its parent's; killed in the middle of a
//! line, it would block the parent for ever. The flag lies in a page that the kernel wipes in the
//! child (`MADV_WIPEONFORK`), so that finding out costs no system call.

use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};

const PAGE: usize = 4096;

/// Raised in the process that made it, until it is lowered.
pub(in crate::journal) struct Alive {
    flag: NonNull<AtomicU64>,
    /// A page of our own, or else a box: then a fork goes unnoticed.
    is_page: bool,
}

// SAFETY: the flag is an atomic, owned by this value until it is dropped.
unsafe impl Send for Alive {}
// SAFETY: as above.
unsafe impl Sync for Alive {}

impl Alive {
    pub(in crate::journal) fn new() -> Self {
        let alive = wiped_page().map_or_else(
            || Self {
                flag: NonNull::from(Box::leak(Box::default())),
                is_page: false,
            },
            |flag| Self {
                flag,
                is_page: true,
            },
        );
        alive.flag().store(1, Release);
        alive
    }

    #[inline]
    pub(in crate::journal) fn is_set(&self) -> bool {
        self.flag().load(Acquire) == 1
    }

    pub(in crate::journal) fn lower(&self) {
        self.flag().store(0, Release);
    }

    fn flag(&self) -> &AtomicU64 {
        // SAFETY: points to a live, aligned atomic: a page of zeros or a box.
        unsafe { self.flag.as_ref() }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        // SAFETY: made by `wiped_page` with this length, or by `Box::leak`; nothing borrows it.
        unsafe {
            if self.is_page {
                #[cfg(all(target_os = "linux", not(miri)))]
                let _ = rustix::mm::munmap(self.flag.as_ptr().cast(), PAGE);
            } else {
                drop(Box::from_raw(self.flag.as_ptr()));
            }
        }
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
fn wiped_page() -> Option<NonNull<AtomicU64>> {
    use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
    // SAFETY: a new private mapping at an address of the kernel's choice; unmapped if it is not
    // wiped on fork, and else by `Drop`.
    unsafe {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let page = mmap_anonymous(std::ptr::null_mut(), PAGE, access, MapFlags::PRIVATE).ok()?;
        if madvise(page, PAGE, Advice::LinuxWipeOnFork).is_err() {
            let _ = munmap(page, PAGE);
            return None;
        }
        NonNull::new(page.cast())
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn wiped_page() -> Option<NonNull<AtomicU64>> {
    None
}
