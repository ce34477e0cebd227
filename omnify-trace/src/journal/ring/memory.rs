//! The bytes under the ring: where they lie, and every access to them. What makes an access sound
//! are the invariants of the [ring](super); here is only how it is done.

use std::alloc::{self, Layout};
use std::fs::File;
use std::io;
use std::ptr::NonNull;

use memmap2::{MmapOptions, MmapRaw};

use super::sync::AtomicU64;
use super::{DATA_AT, HEADER_BYTES};
use crate::journal::header::Header;

const _: () = assert!(size_of::<Header>() <= HEADER_BYTES);

/// Where the bytes live.
enum Region {
    /// The file. Held for its `Drop`.
    Mapped(#[expect(dead_code, reason = "unmaps when dropped")] MmapRaw),
    /// Plain memory, for tests, Miri and a directory that holds no ring file.
    Heap(Layout),
}

/// [`DATA_AT`] bytes of header and table, and a ring's data after them.
pub(super) struct Memory {
    region: Region,
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: `base` points into memory that `region` owns and that lives as long as this value. What
// is shared and changes is atomic, or guarded by those who call the `unsafe` functions.
unsafe impl Send for Memory {}
// SAFETY: as above.
unsafe impl Sync for Memory {}

impl Memory {
    /// A file of exactly `DATA_AT + capacity` bytes.
    pub(super) fn map(file: &File, capacity: usize) -> io::Result<Self> {
        let len = DATA_AT + capacity;
        if file.metadata()?.len() != len as u64 {
            return Err(io::Error::other("the ring file has another size"));
        }
        let map = MmapOptions::new().len(len).populate().map_raw(file)?;
        let base = NonNull::new(map.as_mut_ptr()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self {
            region: Region::Mapped(map),
            base,
            len,
        })
    }

    /// Zeros in plain memory.
    pub(super) fn heap(capacity: usize) -> io::Result<Self> {
        let len = DATA_AT + capacity;
        let layout = Layout::from_size_align(len, HEADER_BYTES).map_err(io::Error::other)?;
        // SAFETY: the layout's size is not zero.
        let base = NonNull::new(unsafe { alloc::alloc_zeroed(layout) })
            .ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self {
            region: Region::Heap(layout),
            base,
            len,
        })
    }

    /// Whether the bytes go with the process.
    pub(super) fn is_volatile(&self) -> bool {
        matches!(self.region, Region::Heap(_))
    }

    /// The control page.
    #[inline]
    pub(super) fn header(&self) -> &Header {
        // SAFETY: `base` is page-aligned and `Header` fits the first page; it is made of atomics
        // only, for which every bit pattern is valid.
        unsafe { self.base.cast::<Header>().as_ref() }
    }

    /// The word at an offset that is a multiple of eight.
    #[inline]
    pub(super) fn word(&self, offset: usize) -> &AtomicU64 {
        debug_assert!(offset.is_multiple_of(8) && offset + 8 <= self.len);
        // SAFETY: inside the memory and 8-aligned: both are masked by the ring. Plain writes of the
        // same bytes (a line in another lap, zeroing) are ordered by `tail`: invariants 2 and 3.
        unsafe { AtomicU64::from_ptr(self.base.as_ptr().add(offset).cast()) }
    }

    /// # Safety
    /// The bytes at `offset` lie in the memory and are the caller's alone.
    #[inline]
    pub(super) unsafe fn write(&self, offset: usize, bytes: &[u8]) {
        debug_assert!(offset + bytes.len() <= self.len);
        // SAFETY: promised by the caller; and `bytes`, being borrowed, lies elsewhere.
        unsafe {
            let to = self.base.as_ptr().add(offset);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
    }

    /// # Safety
    /// The bytes at `offset` lie in the memory and nobody writes them while the slice lives.
    #[inline]
    pub(super) unsafe fn read(&self, offset: usize, len: usize) -> &[u8] {
        debug_assert!(offset + len <= self.len);
        // SAFETY: promised by the caller.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr().add(offset), len) }
    }

    /// # Safety
    /// The bytes at `offset` lie in the memory and are the caller's alone.
    pub(super) unsafe fn zero(&self, offset: usize, len: usize) {
        debug_assert!(offset + len <= self.len);
        // SAFETY: promised by the caller.
        unsafe { self.base.as_ptr().add(offset).write_bytes(0, len) };
    }

    /// Asks the processor for the memory at an offset, to be written soon.
    #[inline]
    pub(super) fn prefetch(&self, offset: usize) {
        debug_assert!(offset < self.len);
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
            // SAFETY: inside the memory; and a prefetch reads and writes nothing.
            unsafe { _mm_prefetch::<_MM_HINT_ET0>(self.base.as_ptr().add(offset).cast()) };
        }
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        let _ = offset;
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Region::Heap(layout) = self.region {
            // SAFETY: allocated with this layout in `heap`, and nothing borrows it any more.
            unsafe { alloc::dealloc(self.base.as_ptr(), layout) };
        }
    }
}
