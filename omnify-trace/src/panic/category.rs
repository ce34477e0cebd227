//! Which panics are code that nobody has written yet.

/// Code that is not finished, or that its writer believed impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Incomplete {
    /// `todo!`
    Todo,
    /// `unimplemented!`
    Unimplemented,
    /// `unreachable!`
    Unreachable,
}

impl Incomplete {
    /// The name of the macro without its exclamation mark.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Todo => "todo",
            Self::Unimplemented => "unimplemented",
            Self::Unreachable => "unreachable",
        }
    }
}

/// Reads the standard library's wording of a panic message.
///
/// ```
/// use omnify_trace::panic::{Incomplete, incomplete};
/// assert_eq!(incomplete("not yet implemented: refunds"), Some(Incomplete::Todo));
/// assert_eq!(incomplete("not yet implemented by us"), None);
/// ```
#[must_use]
pub fn incomplete(message: &str) -> Option<Incomplete> {
    const WORDINGS: [(&str, Incomplete); 3] = [
        ("not yet implemented", Incomplete::Todo),
        ("not implemented", Incomplete::Unimplemented),
        (
            "internal error: entered unreachable code",
            Incomplete::Unreachable,
        ),
    ];
    WORDINGS.into_iter().find_map(|(wording, kind)| {
        let rest = message.strip_prefix(wording)?;
        (rest.is_empty() || rest.starts_with(": ")).then_some(kind)
    })
}
