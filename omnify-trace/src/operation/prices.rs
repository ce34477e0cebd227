//! What models cost, so that token counts become money.

use std::collections::HashMap;
use std::sync::OnceLock;

use parking_lot::RwLock;

static PRICES: OnceLock<RwLock<HashMap<String, Price>>> = OnceLock::new();

/// US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Price {
    input: f64,
    output: f64,
}

/// Prices by model, for the whole process. An agent call that records tokens and no cost of its
/// own gets its cost from here, by the model that it names.
///
/// ```
/// use omnify_trace::{EventType, operation, testing};
///
/// operation::Prices::new().model("gpt-x", 2.5, 10.0).apply();
/// let logs = testing::capture(|| {
///     let call = operation::agent("researcher").model("gpt-x");
///     call.run_sync(|| operation::record_usage(1_000_000, 100_000));
/// });
/// logs.only(EventType::AgentComplete).extra("cost_usd", 3.5);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "prices hold once they are applied"]
pub struct Prices(HashMap<String, Price>);

impl Prices {
    /// No prices.
    pub fn new() -> Self {
        Self::default()
    }

    /// A model's price in US dollars for a million tokens of prompt and of answer.
    pub fn model(mut self, model: impl Into<String>, input: f64, output: f64) -> Self {
        self.0.insert(model.into(), Price { input, output });
        self
    }

    /// Makes them hold from now on, in place of those before.
    pub fn apply(self) {
        *PRICES.get_or_init(RwLock::default).write() = self.0;
    }
}

/// What these tokens of a model cost in US dollars, if its price is known.
pub(crate) fn cost(model: Option<&str>, input: Option<u64>, output: Option<u64>) -> Option<f64> {
    if input.is_none() && output.is_none() {
        return None;
    }
    let price = *PRICES.get()?.read().get(model?)?;
    let of = |tokens: Option<u64>, price: f64| tokens.unwrap_or(0) as f64 * price / 1e6;
    Some(of(input, price.input) + of(output, price.output))
}
