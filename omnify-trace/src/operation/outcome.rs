//! Whether an operation's output is a success, and what the failure was.

use std::borrow::Cow;
use std::error::Error;

/// An operation's future was dropped before it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled: dropped before it ended")]
pub struct Cancelled;

/// An operation's code panicked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("panicked: {message}")]
pub struct Panicked {
    /// What the panic said, as far as it is known.
    pub message: Cow<'static, str>,
}

/// How an operation ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict<'a> {
    /// Well.
    Success,
    /// With this error, whose sources become the exception's chain.
    Failure {
        /// The error.
        error: &'a (dyn Error + 'static),
        /// The error's type in Rust, where it is known.
        type_name: &'static str,
    },
    /// With an error that is only text.
    Text(Cow<'a, str>),
}

impl<'a> Verdict<'a> {
    /// A failure by this error.
    #[must_use]
    pub fn failure<E: Error + 'static>(error: &'a E) -> Self {
        Self::Failure {
            error,
            type_name: std::any::type_name::<E>(),
        }
    }
}

/// What an operation may return: decides whether it succeeded.
///
/// Implemented for `Result` with any usual error type, and for plain values, which are always
/// a success. The marker `M` lets errors by trait (`std::error::Error`), boxed errors,
/// `anyhow::Error` and text live side by side; the compiler infers it. For a type that is
/// not listed here, use `run_any`, which takes every output as a success.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether the operation succeeded",
    label = "neither a `Result` with a known error type nor a plain value",
    note = "use `.run_any(…)` (or `.run_sync_any(…)`) where every output is a success",
    note = "or return a `Result` whose error implements `std::error::Error`"
)]
pub trait Outcome<M> {
    /// Success, or the failure.
    fn verdict(&self) -> Verdict<'_>;
}

/// An error that an operation may end with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an error that can be recorded",
    note = "errors implement `std::error::Error`, or are boxed errors, `anyhow::Error` or text"
)]
pub trait Failure<M> {
    /// The failure, for the event.
    fn failure(&self) -> Verdict<'_>;
}

#[doc(hidden)]
pub mod via {
    //! Markers, one for each way of being an error.
    #[derive(Debug)]
    pub struct Plain;
    #[derive(Debug)]
    pub struct Fallible<M>(core::marker::PhantomData<M>);
    #[derive(Debug)]
    pub struct StdError;
    #[derive(Debug)]
    pub struct AsRefError;
    #[derive(Debug)]
    pub struct Boxed;
    #[derive(Debug)]
    pub struct Text;
}

impl<E: Error + 'static> Failure<via::StdError> for E {
    fn failure(&self) -> Verdict<'_> {
        Verdict::failure(self)
    }
}

// `anyhow::Error`, `eyre::Report`, `Box<dyn Error + Send + Sync>`.
impl<E: AsRef<dyn Error + Send + Sync + 'static>> Failure<via::AsRefError> for E {
    fn failure(&self) -> Verdict<'_> {
        Verdict::Failure {
            error: self.as_ref(),
            type_name: "",
        }
    }
}

impl Failure<via::Boxed> for Box<dyn Error> {
    fn failure(&self) -> Verdict<'_> {
        Verdict::Failure {
            error: self.as_ref(),
            type_name: "",
        }
    }
}

impl Failure<via::Boxed> for Box<dyn Error + Send> {
    fn failure(&self) -> Verdict<'_> {
        Verdict::Failure {
            error: self.as_ref(),
            type_name: "",
        }
    }
}

impl Failure<via::Text> for String {
    fn failure(&self) -> Verdict<'_> {
        Verdict::Text(Cow::Borrowed(self))
    }
}

impl Failure<via::Text> for str {
    fn failure(&self) -> Verdict<'_> {
        Verdict::Text(Cow::Borrowed(self))
    }
}

impl Failure<via::Text> for &str {
    fn failure(&self) -> Verdict<'_> {
        Verdict::Text(Cow::Borrowed(self))
    }
}

impl Failure<via::Text> for Cow<'_, str> {
    fn failure(&self) -> Verdict<'_> {
        Verdict::Text(Cow::Borrowed(self))
    }
}

impl<T, E: Failure<M>, M> Outcome<via::Fallible<M>> for Result<T, E> {
    fn verdict(&self) -> Verdict<'_> {
        match self {
            Ok(_) => Verdict::Success,
            Err(error) => error.failure(),
        }
    }
}

macro_rules! plain {
    ($([$($generic:ident)*] $type:ty,)*) => {$(
        impl<$($generic),*> Outcome<via::Plain> for $type {
            fn verdict(&self) -> Verdict<'_> {
                Verdict::Success
            }
        }
    )*};
}

plain! {
    [] (), [] bool, [] char, [] String, [] f32, [] f64,
    [] u8, [] u16, [] u32, [] u64, [] u128, [] usize,
    [] i8, [] i16, [] i32, [] i64, [] i128, [] isize,
    [] std::time::Duration, [] uuid::Uuid, [] serde_json::Value, [] std::convert::Infallible,
    [T] Option<T>, [T] Vec<T>, [T] Box<[T]>, [T] std::sync::Arc<T>, [T] std::rc::Rc<T>,
    [K V S] std::collections::HashMap<K, V, S>, [K V] std::collections::BTreeMap<K, V>,
    [T S] std::collections::HashSet<T, S>, [T] std::collections::BTreeSet<T>,
    [T] std::collections::VecDeque<T>,
    [A] (A,), [A B] (A, B), [A B C] (A, B, C), [A B C D] (A, B, C, D),
}

impl Outcome<via::Plain> for &str {
    fn verdict(&self) -> Verdict<'_> {
        Verdict::Success
    }
}

impl Outcome<via::Plain> for Cow<'_, str> {
    fn verdict(&self) -> Verdict<'_> {
        Verdict::Success
    }
}

#[doc(hidden)]
pub mod probe {
    //! For the macros, which see a concrete return type: method resolution by autoref picks the
    //! most telling way in which an output can be judged, and takes any other as a success.

    use std::error::Error;

    use super::{Failure, Verdict, via};

    #[derive(Debug)]
    pub struct Probe<'a, T>(pub &'a T);

    pub trait Standard<'a> {
        fn verdict(&self) -> Verdict<'a>;
    }
    impl<'a, T, E: Error + 'static> Standard<'a> for &&&&Probe<'a, Result<T, E>> {
        fn verdict(&self) -> Verdict<'a> {
            match self.0 {
                Ok(_) => Verdict::Success,
                Err(error) => Verdict::failure(error),
            }
        }
    }

    pub trait ByReference<'a> {
        fn verdict(&self) -> Verdict<'a>;
    }
    impl<'a, T, E: Failure<via::AsRefError>> ByReference<'a> for &&&Probe<'a, Result<T, E>> {
        fn verdict(&self) -> Verdict<'a> {
            match self.0 {
                Ok(_) => Verdict::Success,
                Err(error) => error.failure(),
            }
        }
    }

    pub trait Boxed<'a> {
        fn verdict(&self) -> Verdict<'a>;
    }
    impl<'a, T, E: Failure<via::Boxed>> Boxed<'a> for &&Probe<'a, Result<T, E>> {
        fn verdict(&self) -> Verdict<'a> {
            match self.0 {
                Ok(_) => Verdict::Success,
                Err(error) => error.failure(),
            }
        }
    }

    pub trait Shown<'a> {
        fn verdict(&self) -> Verdict<'a>;
    }
    impl<'a, T, E: std::fmt::Display> Shown<'a> for &Probe<'a, Result<T, E>> {
        fn verdict(&self) -> Verdict<'a> {
            match self.0 {
                Ok(_) => Verdict::Success,
                Err(error) => Verdict::Text(error.to_string().into()),
            }
        }
    }

    pub trait Anything<'a> {
        fn verdict(&self) -> Verdict<'a>;
    }
    impl<'a, T> Anything<'a> for Probe<'a, T> {
        fn verdict(&self) -> Verdict<'a> {
            Verdict::Success
        }
    }
}
