//! Who may ask, and for what: API tokens, password logins, sessions, roles, organizations.
//!
//! A caller is a [`Principal`]. A principal of one organization reads through
//! [`Scoped`], a [`LogStore`](crate::store::LogStore) that adds the organization to each
//! question, so that no route can forget it.

mod limiter;
mod password;
mod scope;
mod secrets;

use serde::{Deserialize, Serialize};

pub use limiter::LoginLimiter;
pub use password::{hash_password, verify_password};
pub use scope::{Scoped, belongs_to};
pub use secrets::{hash, new_secret};

/// What a caller may do. Each role may do what the one before may.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Also writes support reports and changes issues.
    Support,
    /// Also changes levels, alerts, tokens and users.
    Admin,
}

impl Role {
    /// The wire name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn from_wire(name: &str) -> Option<Self> {
        [Self::Viewer, Self::Support, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == name)
    }
}

/// A caller who proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// For the audit.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The only organization whose lines they may see; `None` for all.
    pub organization_id: Option<String>,
    /// How they proved it.
    pub proof: Proof,
}

/// How a caller proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// `Authorization: Bearer`, which no foreign page can make a browser send.
    Token,
    /// The session cookie, so mutating calls have to repeat the CSRF token.
    Session {
        /// Hash of the cookie's value.
        hash: String,
        /// What mutating calls repeat in `X-CSRF-Token`.
        csrf_token: String,
        /// Unix nanoseconds.
        expires_at: i64,
    },
}
