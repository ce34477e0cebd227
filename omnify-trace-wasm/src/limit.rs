//! Limits: the same error a few times a minute, and no more entries than a page can mean.

use alloc::vec::Vec;

use crate::scan;

const MINUTE_MS: f64 = 60_000.0;
/// The same error is sent this often a minute.
const SAME_ERROR: u32 = 5;
/// Errors that are told apart at a time; the oldest is forgotten.
const REMEMBERED: usize = 32;
/// Entries that may come at once.
const BURST: f64 = 200.0;
/// Entries a second in the long run.
const PER_SECOND: f64 = 20.0;

struct Seen {
    fingerprint: u64,
    since: f64,
    count: u32,
    held_back: u32,
    reference: Vec<u8>,
}

/// What to do with an error.
pub(crate) enum Verdict {
    /// Send it; so many equal ones were held back since the last.
    Send { held_back: u32 },
    /// Do not; it was sent lately under this reference.
    Hold { reference: Vec<u8> },
}

/// Which errors were seen lately.
#[derive(Default)]
pub(crate) struct Errors {
    seen: Vec<Seen>,
    /// Where the oldest is once all places are taken.
    oldest: usize,
}

impl Errors {
    /// Judges an error; `reference` is what it will be known by if it is sent.
    pub(crate) fn judge(&mut self, fingerprint: u64, reference: &[u8], now: f64) -> Verdict {
        if let Some(seen) = self
            .seen
            .iter_mut()
            .find(|seen| seen.fingerprint == fingerprint)
        {
            if now - seen.since >= MINUTE_MS {
                seen.since = now;
                seen.count = 0;
            }
            if seen.count >= SAME_ERROR {
                seen.held_back += 1;
                return Verdict::Hold {
                    reference: seen.reference.clone(),
                };
            }
            seen.count += 1;
            seen.reference = reference.into();
            return Verdict::Send {
                held_back: core::mem::take(&mut seen.held_back),
            };
        }
        let first = Seen {
            fingerprint,
            since: now,
            count: 1,
            held_back: 0,
            reference: reference.into(),
        };
        if self.seen.len() < REMEMBERED {
            self.seen.push(first);
        } else if let Some(oldest) = self.seen.get_mut(self.oldest) {
            *oldest = first;
            self.oldest = (self.oldest + 1) % REMEMBERED;
        }
        Verdict::Send { held_back: 0 }
    }
}

/// A token bucket.
pub(crate) struct Bucket {
    tokens: f64,
    filled: f64,
}

impl Bucket {
    pub(crate) fn new(now: f64) -> Self {
        Self {
            tokens: BURST,
            filled: now,
        }
    }

    /// Whether one more entry is fine.
    pub(crate) fn admit(&mut self, now: f64) -> bool {
        let gained = (now - self.filled).max(0.0) * PER_SECOND / 1_000.0;
        self.tokens = (self.tokens + gained).min(BURST);
        self.filled = now;
        let fine = self.tokens >= 1.0;
        if fine {
            self.tokens -= 1.0;
        }
        fine
    }
}

/// What makes two errors the same: type, message without its numbers, the upper frames of the stack
/// without line numbers.
pub(crate) fn fingerprint(kind: &str, message: &str, stack: &str) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325;
    fold(&mut hash, kind);
    fold(&mut hash, message);
    // Chromium's stacks begin with the message, Firefox's and Safari's do not; frames hold an address.
    for frame in scan::split(stack, b'\n')
        .filter(|line| scan::find(line.as_bytes(), b"://").is_some())
        .take(3)
    {
        fold(&mut hash, frame);
    }
    hash
}

/// FNV-1a, closed with a zero; each run of digits counts as one `0`.
fn fold(hash: &mut u64, text: &str) {
    let mut in_digits = false;
    for &byte in text.as_bytes() {
        let digit = byte.is_ascii_digit();
        if !(digit && in_digits) {
            mix(hash, if digit { b'0' } else { byte });
        }
        in_digits = digit;
    }
    mix(hash, 0);
}

fn mix(hash: &mut u64, byte: u8) {
    *hash = (*hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_error_is_sent_five_times_a_minute_and_the_rest_is_counted() {
        let mut errors = Errors::default();
        let sent = (0..20)
            .filter(|at| matches!(errors.judge(1, b"R", f64::from(*at)), Verdict::Send { .. }))
            .count();
        assert_eq!(sent, 5);
        assert!(matches!(
            errors.judge(2, b"S", 20.0),
            Verdict::Send { held_back: 0 }
        ));
        assert!(matches!(
            errors.judge(1, b"T", 60_000.0),
            Verdict::Send { held_back: 15 }
        ));
    }

    #[test]
    fn a_held_back_error_answers_the_reference_that_was_sent() {
        let mut errors = Errors::default();
        for turn in 0..5 {
            errors.judge(1, turn.to_string().as_bytes(), 0.0);
        }
        let Verdict::Hold { reference } = errors.judge(1, b"lost", 1.0) else {
            panic!("sent")
        };
        assert_eq!(reference, b"4");
    }

    #[test]
    fn of_many_errors_the_oldest_is_forgotten() {
        let mut errors = Errors::default();
        for fingerprint in 0..40 {
            errors.judge(fingerprint, b"R", 0.0);
        }
        assert_eq!(errors.seen.len(), REMEMBERED);
        let known = |fingerprint| {
            errors
                .seen
                .iter()
                .any(|seen| seen.fingerprint == fingerprint)
        };
        assert!(!known(7) && known(8) && known(39));
    }

    #[test]
    fn numbers_do_not_make_errors_different_but_words_do() {
        let stack = "Error: x\n    at f (https://a/app.js:1:20)";
        let other_line = "Error: x\n    at f (https://a/app.js:33:4)";
        assert_eq!(
            fingerprint("E", "order 17 failed", stack),
            fingerprint("E", "order 4711 failed", other_line)
        );
        assert_ne!(fingerprint("E", "a", stack), fingerprint("E", "b", stack));
        assert_ne!(fingerprint("E", "a", stack), fingerprint("F", "a", stack));
        assert_ne!(
            fingerprint("E", "a", stack),
            fingerprint("E", "a", "at g (https://a/app.js:1:20)")
        );
    }

    #[test]
    fn a_flood_is_cut_and_recovers() {
        let mut bucket = Bucket::new(0.0);
        assert_eq!((0..1_000).filter(|_| bucket.admit(0.0)).count(), 200);
        assert_eq!((0..1_000).filter(|_| bucket.admit(1_000.0)).count(), 20);
    }
}
