//! Secrets: made from the system's randomness, kept as SHA-256 only.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// A new secret of 256 random bits with a prefix that secret scanners can look for.
///
/// # Panics
/// Never: without the system's randomness the process-wide generator could not have been seeded.
#[must_use]
pub fn new_secret(prefix: &str) -> String {
    format!("{prefix}{}", hex(&rand::random::<[u8; 32]>()))
}

/// SHA-256 of a secret, hexadecimal. Secrets here have 256 bits of entropy, so that a plain
/// fast hash is as good as a slow one; passwords go through argon2 instead.
#[must_use]
pub fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
