//! What must not be written: by the name of a field, by what text looks like, by type.
//!
//! A field whose name says that it is secret (`password`, `api_key`, `authorization`, …) is
//! written as `"[redacted]"` unless that is switched off; this costs nothing per event, since
//! names are looked at once per callsite. Looking for secrets inside texts costs a scan of each
//! text and is switched on by [`Redactor::patterns`].
//!
//! ```
//! use omnify_trace::redact::{Redactor, Secret};
//! let redactor = Redactor::new().key("shoe_size").patterns();
//! assert!(redactor.is_secret_name("user.password"));
//! assert!(redactor.is_secret_name("shoe_size"));
//! assert_eq!(redactor.clean("Authorization: Bearer abc.def-1"), "Authorization: Bearer [redacted]");
//! assert_eq!(format!("{:?}", Secret::new("hunter2")), "[redacted]");
//! ```

mod names;
mod patterns;
mod secret;

use std::borrow::Cow;

pub use names::is_secret_name;
pub use secret::Secret;

/// What stands where something was taken out.
pub const REDACTED: &str = "[redacted]";

/// Decides what must not be written.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Redactor {
    names: Vec<String>,
    shapes: bool,
    #[cfg(feature = "runtime")]
    expressions: Vec<regex::Regex>,
}

impl Redactor {
    /// Takes out fields with names that say they are secret. Nothing else.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes out fields of this name too; case, `_`, `-` and `.` do not matter.
    pub fn key(mut self, name: &str) -> Self {
        self.names.push(names::plain(name));
        self
    }

    /// Looks into texts too: bearer tokens, JSON web tokens, payment card numbers, AWS keys,
    /// private keys, passwords in URLs, and `password=…`. Defaults to off.
    pub fn patterns(mut self) -> Self {
        self.shapes = true;
        self
    }

    /// Takes what this expression matches out of texts.
    #[cfg(feature = "runtime")]
    pub fn expression(mut self, expression: regex::Regex) -> Self {
        self.expressions.push(expression);
        self
    }

    /// Whether a field of this name must not be written.
    #[must_use]
    pub fn is_secret_name(&self, name: &str) -> bool {
        names::is_secret_name(name)
            || (!self.names.is_empty() && self.names.contains(&names::plain(name)))
    }

    /// Whether fields need a look that their callsite's names did not already give.
    #[cfg(feature = "runtime")]
    pub(crate) fn looks_further(&self) -> bool {
        self.shapes || !self.names.is_empty() || !self.expressions.is_empty()
    }

    /// Whether texts are looked into.
    #[cfg(feature = "runtime")]
    pub(crate) fn looks_into_texts(&self) -> bool {
        self.shapes || !self.expressions.is_empty()
    }

    /// The text without what looks secret; borrowed if nothing does.
    #[must_use]
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let clean = if self.shapes {
            patterns::clean(text)
        } else {
            Cow::Borrowed(text)
        };
        self.clean_by_expressions(clean)
    }

    #[cfg(feature = "runtime")]
    fn clean_by_expressions<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        self.expressions.iter().fold(text, |text, expression| {
            let replaced = expression.replace_all(&text, regex::NoExpand(REDACTED));
            match replaced {
                Cow::Owned(replaced) => Cow::Owned(replaced),
                Cow::Borrowed(_) => text,
            }
        })
    }

    #[cfg(not(feature = "runtime"))]
    fn clean_by_expressions<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        text
    }
}
