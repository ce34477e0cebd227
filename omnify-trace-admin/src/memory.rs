//! How the C library's allocator keeps what was freed.

/// Lets glibc's allocator have two arenas in this process instead of eight for each processor.
///
/// Each arena keeps for its threads what they freed, and the [store](crate::store) takes in lines,
/// seals and searches on several threads: with two arenas a process that does all of that peaks at
/// two thirds of the memory. Call it first thing in `main`: an arena that is there already stays. Whoever sets
/// `MALLOC_ARENA_MAX` has decided already, and other C libraries and allocators have their own
/// ways: then it does nothing.
pub fn few_arenas() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if std::env::var_os("MALLOC_ARENA_MAX").is_none() {
        // SAFETY: glibc takes this parameter at any time, behind a lock of its own.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, 2) };
    }
}
