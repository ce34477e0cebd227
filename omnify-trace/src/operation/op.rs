//! What is known of one operation while it is open.

use std::sync::Arc;
use std::time::Duration;

use tracing::Span;

use super::agent::Agent;
use super::builder::{Step, Workflow};
use super::calls::{DbQuery, ExternalApi};
use super::clock;
use super::current::current_op;
use super::kind::Kind;
use super::learned::{self, Learned};
use super::notes::{Noted, Notes};
use super::settings;
use super::watch::Watch;
use crate::redact::Redactor;

/// So far past its limit a text is searched for secrets.
const LONGEST_SECRET: usize = 8 * 1024;

/// Names are usually literals; those from definitions are owned.
pub(crate) type Text = std::borrow::Cow<'static, str>;

/// What the caller said, by kind.
#[derive(Debug)]
pub(crate) enum Detail {
    Workflow(Workflow),
    Step(Step),
    Agent(Agent),
    ExternalApi(ExternalApi),
    DbQuery(DbQuery),
}

impl Detail {
    /// The smallest: nothing was said.
    const NONE: Self = Self::DbQuery(DbQuery::NONE);
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Op {
    pub(crate) detail: Detail,
    pub(crate) span: Span,
    pub(crate) parent: Option<Arc<Op>>,
    /// By the raw clock.
    pub(crate) started: u64,
    pub(crate) budget: Option<Duration>,
    noted: Noted,
    pub(crate) watch: Watch,
}

/// One of which nothing is known yet.
impl Default for Op {
    fn default() -> Self {
        Self {
            detail: Detail::NONE,
            span: Span::none(),
            parent: None,
            started: 0,
            budget: None,
            noted: Noted::default(),
            watch: Watch::default(),
        }
    }
}

impl Op {
    /// Gives it its place: what it is, its span, the operation around it.
    #[inline]
    pub(super) fn place(&mut self, detail: Detail, span: Span, budget: Option<Duration>) {
        self.detail = detail;
        self.span = span;
        self.parent = current_op();
        self.budget = budget;
    }

    /// Its time begins now.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.started = clock::raw();
        let learned = learned::of(self.kind(), self.lesson());
        let budget = match self.budget {
            Some(budget) => clock::nanos(budget),
            None => learned
                .and_then(Learned::budget)
                .unwrap_or_else(|| settings::assumed_budget(self.kind())),
        };
        let opened = clock::at(self.started);
        let given = self.budget.is_some();
        self.watch.begin(opened, budget, given, learned);
    }

    /// Ends its span, and lets go of whatever others may wait for. What was said of it stays until
    /// the next one takes its place: names are short.
    pub(super) fn clear(&mut self) {
        self.span = Span::none();
        self.parent = None;
        self.noted.forget();
        self.watch.forget();
    }

    /// Notes what became known.
    pub(crate) fn note(&self, note: impl FnOnce(&mut Notes)) {
        self.noted.note(note);
    }

    /// Whether something noted so far is so.
    pub(crate) fn noted(&self, is: impl FnOnce(&Notes) -> bool) -> bool {
        self.noted.is(is)
    }

    /// Everything noted, for its last event.
    pub(crate) fn take_notes(&self) -> Option<Box<Notes>> {
        self.noted.take()
    }

    /// Operations of one kind with the same two parts should take about as long as each other.
    fn lesson(&self) -> [&str; 2] {
        match &self.detail {
            Detail::ExternalApi(call) => [&call.api, &call.route],
            Detail::Step(step) => [&step.id, self.workflow().map_or("", |run| &run.id)],
            _ => [self.name(), ""],
        }
    }

    /// The run that it belongs to.
    pub(crate) fn workflow(&self) -> Option<&Workflow> {
        self.ancestors().find_map(|op| match &op.detail {
            Detail::Workflow(workflow) => Some(workflow),
            _ => None,
        })
    }

    /// The step that it is or belongs to.
    pub(crate) fn step(&self) -> Option<&Step> {
        self.ancestors().find_map(|op| match &op.detail {
            Detail::Step(step) => Some(step),
            _ => None,
        })
    }

    /// The innermost operation, of this one and those around it, that has not ended.
    pub(crate) fn nearest_open(&self) -> Option<&Self> {
        self.ancestors().find(|op| !op.watch.has_ended())
    }

    /// Whether `other` is this operation or around it.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.ancestors().any(|op| std::ptr::eq(op, other))
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.detail {
            Detail::Workflow(_) => Kind::Workflow,
            Detail::Step(_) => Kind::Step,
            Detail::Agent(_) => Kind::Agent,
            Detail::ExternalApi(_) => Kind::ExternalApi,
            Detail::DbQuery(_) => Kind::DbQuery,
        }
    }

    /// The operation's name in reports: the id of a workflow or step, the name of an agent or
    /// API, the statement of a query.
    pub(crate) fn name(&self) -> &str {
        match &self.detail {
            Detail::Workflow(workflow) => &workflow.id,
            Detail::Step(step) => &step.id,
            Detail::Agent(agent) => &agent.name,
            Detail::ExternalApi(call) => &call.api,
            Detail::DbQuery(query) => &query.statement,
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_nanos(clock::raw().saturating_sub(self.started))
    }

    /// This operation and those around it, the innermost first.
    pub(crate) fn ancestors(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |op| op.parent.as_deref())
    }
}

/// An open operation, to be carried to a task or thread of its own, or to be told things.
#[derive(Debug, Clone)]
pub struct Handle(pub(crate) Arc<Op>);

impl Handle {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind()
    }

    /// The id of a workflow or step, the name of an agent or API, the statement of a query.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// What it waits for, as far as it is known.
    #[must_use]
    pub fn wait_kind(&self) -> super::WaitKind {
        self.0.watch.wait_kind()
    }

    /// How long it may take, where that was said.
    #[must_use]
    pub fn budget(&self) -> Option<Duration> {
        self.0.budget
    }

    /// The span that its lines are in.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.0.span
    }

    /// Tokens of prompt and answer. Adds up over several calls.
    pub fn record_usage(&self, input_tokens: u64, output_tokens: u64) {
        self.0.note(|notes| {
            *notes.input_tokens.get_or_insert(0) += input_tokens;
            *notes.output_tokens.get_or_insert(0) += output_tokens;
        });
    }

    /// Cost in US dollars. Adds up over several calls.
    pub fn record_cost(&self, cost_usd: f64) {
        self.0
            .note(|notes| *notes.cost_usd.get_or_insert(0.0) += cost_usd);
    }

    /// The HTTP status of an external call.
    pub fn record_status(&self, status_code: u16) {
        self.0.note(|notes| notes.status_code = Some(status_code));
    }

    /// The rows that a query returned or changed.
    pub fn record_rows(&self, rows: u64) {
        self.0.note(|notes| notes.rows = Some(rows));
    }

    /// The model that answered, where it is not the one that was asked for.
    pub fn record_response_model(&self, model: &str) {
        self.0
            .note(|notes| notes.response_model = Some(model.into()));
    }

    /// What an agent, model or tool was given. Kept only if the call asked for it with
    /// [`content`](super::Agent::content).
    pub fn record_prompt(&self, text: &str) {
        if let Some(text) = self.content(text) {
            self.0.note(|notes| notes.prompt = Some(text));
        }
    }

    /// What an agent, model or tool answered. Kept only if the call asked for it with
    /// [`content`](super::Agent::content).
    pub fn record_answer(&self, text: &str) {
        if let Some(text) = self.content(text) {
            self.0.note(|notes| notes.answer = Some(text));
        }
    }

    /// Cleaned before it is cut: half a secret is one, too.
    fn content(&self, text: &str) -> Option<Box<str>> {
        let Detail::Agent(Agent {
            content: Some(most),
            ..
        }) = self.0.detail
        else {
            return None;
        };
        let near = &text[..text.floor_char_boundary(most.saturating_add(LONGEST_SECRET))];
        let clean = Redactor::new().patterns().clean(near);
        Some(clean[..clean.floor_char_boundary(most)].into())
    }

    /// A failure of the step will not be followed by another attempt.
    pub fn no_retry(&self) {
        self.0.note(|notes| notes.no_retry = true);
    }

    /// The size of the output of a workflow or step.
    pub fn record_output_bytes(&self, bytes: u64) {
        self.0.note(|notes| notes.output_bytes = Some(bytes));
    }
}
