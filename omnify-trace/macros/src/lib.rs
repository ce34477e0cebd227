//! Attribute macros of omnify-trace: a function becomes an operation.
//!
//! Use them through `omnify_trace`, which documents each of them with an example.
//!
//! What lives here: `kind` (what each attribute takes), `arguments` (reading it), `function`
//! (which shape the function has), `expand` (the code around the body), `test` (the test attribute).

mod arguments;
mod expand;
mod function;
mod kind;
mod test;

use proc_macro::TokenStream;

use kind::Kind;

macro_rules! attributes {
    ($($(#[doc = $doc:literal])* $name:ident => $kind:ident,)*) => {$(
        $(#[doc = $doc])*
        #[proc_macro_attribute]
        pub fn $name(arguments: TokenStream, item: TokenStream) -> TokenStream {
            expand::operation(Kind::$kind, arguments.into(), item.into())
                .unwrap_or_else(syn::Error::into_compile_error)
                .into()
        }
    )*};
}

attributes! {
    /// Each call of the function is a run of a workflow.
    ///
    /// `#[workflow("id")]`, and after it any of `name = "…"`, `run_id = …`, `steps = 4`,
    /// `input_bytes = …`, `output_bytes = |output| …`, `budget = Duration`, `fields(…)`.
    /// The id defaults to the function's name. Nothing of the arguments is recorded unless
    /// `fields(…)` names it, with the syntax of `tracing`'s macros.
    workflow => Workflow,
    /// Each call of the function is an attempt of a step.
    ///
    /// `#[step("id")]`, and after it any of `name = "…"`, `attempt = …`, `max_attempts = …`,
    /// `will_retry = …`, `depends_on = ["a", "b"]`, `agent_type = "…"`, `input_bytes = …`,
    /// `output_bytes = |output| …`, `budget = Duration`, `fields(…)`.
    step => Step,
    /// Each call of the function is a call of an agent or model.
    ///
    /// `#[agent("name")]`, and after it any of `provider = "…"`, `model = "…"`,
    /// `operation = "chat"`, `budget = Duration`, `fields(…)`.
    agent => Agent,
    /// Each call of the function is one attempt of a call to another service.
    ///
    /// `#[external_api("api", "METHOD", "/route/{id}")]`, and after it any of `host = "…"`,
    /// `attempt = …`, `budget = Duration`, `fields(…)`.
    external_api => ExternalApi,
    /// Each call of the function is a database query.
    ///
    /// `#[db_query("select …")]`, and after it any of `system = "…"`, `slow_after = Duration`,
    /// `budget = Duration`, `fields(…)`.
    db_query => DbQuery,
}

/// The function is a test, everything of which is captured: see `omnify_trace::testing`.
///
/// It may be async or not, and may take the capture as its one argument, of type
/// `omnify_trace::testing::Logs`. `flavor = "multi_thread"` and `worker_threads = 4` choose the
/// runtime; it defaults to one of a single thread.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    test::expand(arguments.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
