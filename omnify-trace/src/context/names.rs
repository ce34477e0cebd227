//! Ids that are short texts: validated once, cloned by reference count.

use std::{fmt, str::FromStr, sync::Arc};

/// An id that breaks the rule of its kind (code `OT0005`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidId {
    kind: &'static str,
    value: Box<str>,
    rule: &'static str,
}

impl InvalidId {
    pub(crate) fn new(kind: &'static str, value: &str, rule: &'static str) -> Self {
        // A hostile header may be long; the error is for a person.
        let value = value.chars().take(64).collect::<String>().into();
        Self { kind, value, rule }
    }

    /// The stable code, with a paragraph in `docs/errors.md`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "OT0005"
    }

    /// Which id it is, by its field name.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "OT0005: {} {:?} is not valid: it must be {}",
            self.kind, self.value, self.rule
        )
    }
}

impl std::error::Error for InvalidId {}

const NAME_RULE: &str = "1 to 256 bytes of text without control characters";
const REQUEST_RULE: &str = "1 to 128 characters of A-Z a-z 0-9 . _ + / = -";

fn is_name(text: &str) -> bool {
    (1..=256).contains(&text.len()) && !text.chars().any(char::is_control)
}

fn is_request_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._+/=-".contains(&b))
}

macro_rules! names {
    ($($(#[doc = $doc:literal])* $name:ident: $kind:literal, $rule:ident, $valid:ident;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Validates and wraps a text.
            ///
            /// # Errors
            /// [`InvalidId`] if the text breaks the rule of this kind of id.
            pub fn new(text: impl AsRef<str> + Into<Arc<str>>) -> Result<Self, InvalidId> {
                if $valid(text.as_ref()) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidId::new($kind, text.as_ref(), $rule))
                }
            }

            /// The wire form.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    )*};
}

names! {
    /// One request, as named by `X-Request-ID`: 1 to 128 of `[A-Za-z0-9._+/=-]`.
    RequestId: "request_id", REQUEST_RULE, is_request_id;
    /// A browser session.
    SessionId: "session_id", NAME_RULE, is_name;
    /// The user on whose behalf work is done.
    UserId: "user_id", NAME_RULE, is_name;
    /// The user's organization: the customer.
    OrganizationId: "organization_id", NAME_RULE, is_name;
    /// A workflow's definition.
    WorkflowId: "workflow_id", NAME_RULE, is_name;
    /// One run of a workflow.
    RunId: "run_id", NAME_RULE, is_name;
    /// One step of a run.
    StepId: "step_id", NAME_RULE, is_name;
    /// The agent or model that acts.
    AgentName: "agent", NAME_RULE, is_name;
}

#[cfg(feature = "runtime")]
impl RequestId {
    /// A new id: a UUID of version 7, so that ids sort by time.
    #[must_use]
    pub fn random() -> Self {
        Self(uuid::Uuid::now_v7().to_string().into())
    }
}

#[cfg(feature = "runtime")]
impl RunId {
    /// A new id: a UUID of version 7, so that runs sort by time.
    #[must_use]
    pub fn random() -> Self {
        Self(uuid::Uuid::now_v7().to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_with_a_line_break_is_refused_and_named() {
        let error = "a\nb".parse::<RequestId>().unwrap_err();
        assert_eq!(error.kind(), "request_id");
        assert!(
            error
                .to_string()
                .starts_with("OT0005: request_id \"a\\nb\"")
        );
        assert!("x".repeat(129).parse::<RequestId>().is_err());
        assert!("auth0|5f7c, née".parse::<UserId>().is_ok());
        assert!("".parse::<UserId>().is_err());
    }
}
