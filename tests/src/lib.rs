//! What the whole-system tests share.

pub mod crash;
pub mod servers;
