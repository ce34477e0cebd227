//! The cryptography behind every outgoing TLS connection of this crate.

/// Chooses a provider for the process, unless another part of it has chosen one already.
pub(crate) fn provide() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
