//! Steps that `#[step]` made known before any of them ran.

/// A step that exists in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepDefinition {
    id: &'static str,
    location: &'static str,
}

inventory::collect!(StepDefinition);

impl StepDefinition {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(id: &'static str, location: &'static str) -> Self {
        Self { id, location }
    }

    /// The step's id.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// `file:line` of its attribute.
    #[must_use]
    pub const fn location(&self) -> &'static str {
        self.location
    }

    /// Every step that the program's `#[step]` attributes define, in the order of their ids.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = inventory::iter::<Self>.into_iter().copied().collect();
        all.sort_unstable();
        all
    }
}

#[doc(hidden)]
pub fn measure_output<T>(output: &T, measure: impl FnOnce(&T) -> u64) {
    super::record_output_bytes(measure(output));
}
