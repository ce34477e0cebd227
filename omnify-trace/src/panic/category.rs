//! What kind of panic it was, by the wording of the standard library and the compiler.

/// What went wrong, as far as a panic's message tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Category {
    /// `todo!`, `unimplemented!` or `unreachable!`: code that nobody has written yet.
    IncompleteCode(Incomplete),
    /// An index or a key that is not there.
    IndexOutOfBounds,
    /// A range that does not lie inside its slice or string.
    SliceRange,
    /// `unwrap` or `expect` of `None`.
    UnwrapOnNone,
    /// `unwrap`, `expect` or their kin of the wrong side of a `Result`.
    UnwrapOnErr,
    /// Arithmetic whose result does not fit.
    Overflow,
    /// Division or remainder by zero.
    DivisionByZero,
    /// A `RefCell` borrowed twice.
    AlreadyBorrowed,
    /// `assert!`, `assert_eq!`, `assert_ne!`.
    Assertion,
    /// A collection that cannot grow.
    Capacity,
    /// A future polled after its end.
    ResumedAfterEnd,
    /// Anything else: somebody wrote `panic!`, `expect`, or a message of their own.
    Explicit,
}

/// How sure the category is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Confidence {
    /// Nothing in the message tells.
    Low,
    /// The message begins as the standard library's does, and so may one that a person wrote.
    Medium,
    /// The message has the standard library's whole form.
    High,
}

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

impl Category {
    /// The name on the wire: `exception.category`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IncompleteCode(_) => "incomplete_code",
            Self::IndexOutOfBounds => "index_out_of_bounds",
            Self::SliceRange => "slice_range",
            Self::UnwrapOnNone => "unwrap_on_none",
            Self::UnwrapOnErr => "unwrap_on_err",
            Self::Overflow => "overflow",
            Self::DivisionByZero => "division_by_zero",
            Self::AlreadyBorrowed => "already_borrowed",
            Self::Assertion => "assertion",
            Self::Capacity => "capacity",
            Self::ResumedAfterEnd => "resumed_after_end",
            Self::Explicit => "explicit",
        }
    }
}

impl Confidence {
    /// The name on the wire: `high`, `medium` or `low`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// How a wording is to be found in a message.
enum Form {
    /// It is the whole message.
    Whole,
    /// The message begins with it, and ends or goes on after a colon or on another line.
    Headed,
    /// The message begins with it, and has this further on.
    With(&'static str),
}

use Category::{
    AlreadyBorrowed, Assertion, Capacity, DivisionByZero, IncompleteCode, IndexOutOfBounds,
    Overflow, ResumedAfterEnd, SliceRange, UnwrapOnErr, UnwrapOnNone,
};
use Form::{Headed, Whole, With};

/// The wordings of Rust 1.95; `tests/wording_of_panics.rs` holds them to the toolchain's.
const WORDINGS: &[(&str, Form, Category)] = &[
    (
        "not yet implemented",
        Headed,
        IncompleteCode(Incomplete::Todo),
    ),
    (
        "not implemented",
        Headed,
        IncompleteCode(Incomplete::Unimplemented),
    ),
    (
        "internal error: entered unreachable code",
        Headed,
        IncompleteCode(Incomplete::Unreachable),
    ),
    (
        "index out of bounds: the len is ",
        With(" but the index is "),
        IndexOutOfBounds,
    ),
    (
        "range start index ",
        With("out of range for slice"),
        SliceRange,
    ),
    (
        "range end index ",
        With("out of range for slice"),
        SliceRange,
    ),
    ("slice index starts at ", With("but ends at "), SliceRange),
    ("byte index ", With(" is not a char boundary; "), SliceRange),
    ("start byte index ", With(" is "), SliceRange),
    ("end byte index ", With(" is "), SliceRange),
    ("byte range starts at ", With("but ends at "), SliceRange),
    (
        "called `Option::unwrap()` on a `None` value",
        Whole,
        UnwrapOnNone,
    ),
    (
        "called `Result::unwrap()` on an `Err` value",
        Headed,
        UnwrapOnErr,
    ),
    (
        "called `Result::unwrap_err()` on an `Ok` value",
        Headed,
        UnwrapOnErr,
    ),
    ("attempt to divide by zero", Whole, DivisionByZero),
    (
        "attempt to calculate the remainder with a divisor of zero",
        Whole,
        DivisionByZero,
    ),
    ("attempt to ", With(" with overflow"), Overflow),
    ("already borrowed", Headed, AlreadyBorrowed),
    ("already mutably borrowed", Headed, AlreadyBorrowed),
    ("RefCell already borrowed", Whole, AlreadyBorrowed),
    ("RefCell already mutably borrowed", Whole, AlreadyBorrowed),
    ("assertion `left == right` failed", Headed, Assertion),
    ("assertion `left != right` failed", Headed, Assertion),
    ("assertion `left matches right` failed", Headed, Assertion),
    ("assertion failed: ", With(""), Assertion),
    ("capacity overflow", Whole, Capacity),
    ("`async fn` resumed after ", With(""), ResumedAfterEnd),
];

/// Reads the standard library's wording of a panic message.
///
/// ```
/// use omnify_trace::panic::{Category, Confidence, Incomplete, category};
/// let (what, how_sure) = category("index out of bounds: the len is 3 but the index is 7");
/// assert_eq!((what, how_sure), (Category::IndexOutOfBounds, Confidence::High));
/// let (what, how_sure) = category("not yet implemented: refunds");
/// assert_eq!(what, Category::IncompleteCode(Incomplete::Todo));
/// assert_eq!(how_sure, Confidence::Medium);
/// assert_eq!(category("no more coffee"), (Category::Explicit, Confidence::Low));
/// ```
#[must_use]
pub fn category(message: &str) -> (Category, Confidence) {
    WORDINGS
        .iter()
        .find_map(|(wording, form, category)| {
            let rest = message.strip_prefix(wording)?;
            let sure = match form {
                Whole if rest.is_empty() => Confidence::High,
                Whole => return None,
                With(part) => rest.contains(part).then_some(Confidence::High)?,
                Headed if rest.is_empty() => Confidence::High,
                // `panic!("not implemented: …")` reads the same.
                Headed if matches!(category, IncompleteCode(_)) => {
                    rest.starts_with(": ").then_some(Confidence::Medium)?
                }
                Headed => rest.starts_with([':', '\n']).then_some(Confidence::High)?,
            };
            Some((*category, sure))
        })
        .unwrap_or((Category::Explicit, Confidence::Low))
}

/// Which unfinished code a panic message tells of, if it does.
///
/// ```
/// use omnify_trace::panic::{Incomplete, incomplete};
/// assert_eq!(incomplete("not yet implemented: refunds"), Some(Incomplete::Todo));
/// assert_eq!(incomplete("not yet implemented by us"), None);
/// ```
#[must_use]
pub fn incomplete(message: &str) -> Option<Incomplete> {
    match category(message).0 {
        IncompleteCode(kind) => Some(kind),
        _ => None,
    }
}
