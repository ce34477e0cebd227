//! Random ids without a system call each: xoshiro256++, one state a thread, seeded by the system.

use std::{cell::Cell, num::NonZero};

thread_local! {
    // Four cells: as one of four numbers it would be read in two halves right after it was written
    // in four parts, which processors wait for.
    static STATE: [Cell<u64>; 4] = const { [const { Cell::new(0) }; 4] };
}

#[inline]
pub(crate) fn next() -> u64 {
    STATE
        .try_with(|state| {
            let mut s = [
                state[0].get(),
                state[1].get(),
                state[2].get(),
                state[3].get(),
            ];
            if s == [0; 4] {
                s = seed();
            }
            let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
            let t = s[1] << 17;
            s[2] ^= s[0];
            s[3] ^= s[1];
            s[1] ^= s[2];
            s[0] ^= s[3];
            s[2] ^= t;
            s[3] = s[3].rotate_left(45);
            for (cell, s) in state.iter().zip(s) {
                cell.set(s);
            }
            result
        })
        .unwrap_or_else(|_| seed()[0])
}

pub(crate) fn nonzero_u64() -> NonZero<u64> {
    NonZero::new(next()).unwrap_or(NonZero::<u64>::MIN)
}

pub(crate) fn nonzero_u128() -> NonZero<u128> {
    NonZero::new(u128::from(next()) << 64 | u128::from(next())).unwrap_or(NonZero::<u128>::MIN)
}

#[cold]
fn seed() -> [u64; 4] {
    let (a, b) = uuid::Uuid::new_v4().as_u64_pair();
    let (c, d) = uuid::Uuid::new_v4().as_u64_pair();
    // The version and variant bits of a UUID are fixed, so the state is never all zero.
    [a, b, c, d]
}
