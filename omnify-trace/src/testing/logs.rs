//! The lines of one test.

use std::fmt;

use tracing::Dispatch;
use tracing_core::LevelFilter;
use tracing_subscriber::prelude::*;

use super::{Event, Span, Workflow};
use crate::layer::{Clock, JsonLayer, MemorySink};
use crate::schema::EventType;

/// Types that a run without trouble has none of.
const TROUBLE: [EventType; 13] = [
    EventType::WorkflowError,
    EventType::WorkflowStepError,
    EventType::AgentError,
    EventType::RequestError,
    EventType::SlowQuery,
    EventType::OperationStalled,
    EventType::DeadlockDetected,
    EventType::RuntimeStalled,
    EventType::Panic,
    EventType::IncompleteCode,
    EventType::CrashDetected,
    EventType::LogLoss,
    EventType::SlowRequest,
];

/// What was captured so far. Clones share their lines.
#[derive(Clone)]
pub struct Logs {
    sink: MemorySink,
}

/// Runs a closure and captures what it emits, and what it spawns with this crate's helpers.
pub fn capture(run: impl FnOnce()) -> Logs {
    capture_with(Clock::default(), |_| run())
}

/// The same with a clock of the test's, and the capture at hand while it runs.
pub fn capture_with(clock: Clock, run: impl FnOnce(&Logs)) -> Logs {
    let (logs, dispatch) = Logs::start(clock);
    tracing::dispatcher::with_default(&dispatch, || run(&logs));
    logs
}

impl Logs {
    /// An empty capture, and the subscriber that fills it.
    #[must_use]
    pub fn start(clock: Clock) -> (Self, Dispatch) {
        let sink = MemorySink::new();
        let layer = JsonLayer::new(sink.clone()).clock(clock);
        let subscriber = tracing_subscriber::registry()
            .with(LevelFilter::DEBUG)
            .with(layer);
        (Self { sink }, Dispatch::new(subscriber))
    }

    /// Every line, in the order of their arrival.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.sink.events().into_iter().map(Event).collect()
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sink.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sink.is_empty()
    }

    /// Forgets the lines that `keep` does not want: for tests that run for long.
    pub fn retain(&self, keep: impl FnMut(&str) -> bool) {
        self.sink.retain(keep);
    }

    /// The messages of every line.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        self.events()
            .iter()
            .map(|event| event.message().to_owned())
            .collect()
    }

    /// The lines of one type.
    #[must_use]
    pub fn all(&self, event_type: EventType) -> Vec<Event> {
        let of_type = |event: &Event| event.event_type() == event_type.as_str();
        self.events().into_iter().filter(of_type).collect()
    }

    /// The lines of one step: started, completed, failed, …
    #[must_use]
    pub fn steps(&self, step_id: &str) -> Vec<Event> {
        let of_step = |event: &Event| {
            event.text(&["context", "step_id"]) == step_id
                && event.event_type().starts_with("workflow_step")
        };
        self.events().into_iter().filter(of_step).collect()
    }

    /// The one line of this type.
    ///
    /// # Panics
    /// When there is none, or more than one.
    #[track_caller]
    #[must_use]
    pub fn only(&self, event_type: EventType) -> Event {
        let mut found = self.all(event_type);
        match (found.pop(), found.len()) {
            (Some(event), 0) => event,
            (_, others) => {
                let count = if others == 0 { 0 } else { others + 1 };
                panic!("{count} lines of type {event_type} where one was expected:\n{self:?}")
            }
        }
    }

    /// Asserts that there is no line of this type.
    #[track_caller]
    pub fn none(&self, event_type: EventType) -> &Self {
        assert!(
            self.all(event_type).is_empty(),
            "{event_type} was not expected:\n{self:?}"
        );
        self
    }

    /// Asserts that nothing failed, stalled, panicked or got lost.
    #[track_caller]
    pub fn assert_clean(&self) -> &Self {
        TROUBLE.into_iter().fold(self, Self::none)
    }

    /// The outermost spans that lines were written in, with those inside, in the order of their
    /// first lines. A span that no line was written in does not appear.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        Span::all(&self.events())
    }

    /// Asserts the trees of spans, one text for each outermost span: see [`Span::tree`].
    #[track_caller]
    pub fn assert_spans(&self, expected: &[&str]) -> &Self {
        let found: Vec<_> = self.spans().iter().map(Span::tree).collect();
        assert_eq!(found, expected, "of these lines:\n{self:?}");
        self
    }

    /// Asserts the way of this workflow's only run (see [`Workflow::path`]), and that it completed
    /// and nothing stalled.
    ///
    /// # Panics
    /// When it did not run, or more than once, or took another way, failed or stalled.
    #[track_caller]
    pub fn assert_ran(&self, workflow_id: &str, path: &str) -> &Self {
        let run = self.workflow(workflow_id);
        assert_eq!(run.path(), path, "of these lines:\n{self:?}");
        let end = run.end().map(Event::event_type);
        assert_eq!(end, Some("workflow_complete"), "of these lines:\n{self:?}");
        self.none(EventType::OperationStalled)
            .none(EventType::DeadlockDetected)
            .none(EventType::RuntimeStalled)
    }

    /// What the only run of this workflow did.
    ///
    /// # Panics
    /// When it did not run, or more than once.
    #[track_caller]
    #[must_use]
    pub fn workflow(&self, workflow_id: &str) -> Workflow {
        let mut runs = self.workflows(workflow_id);
        match (runs.pop(), runs.is_empty()) {
            (Some(run), true) => run,
            _ => panic!("not one run of workflow {workflow_id}:\n{self:?}"),
        }
    }

    /// What every run of this workflow did, in the order of their starts.
    #[must_use]
    pub fn workflows(&self, workflow_id: &str) -> Vec<Workflow> {
        Workflow::all(workflow_id, &self.events())
    }

    /// The steps that `#[step]` defines anywhere in this test program and that did not run here.
    #[cfg(feature = "macros")]
    #[must_use]
    pub fn steps_never_run(&self) -> Vec<crate::operation::StepDefinition> {
        let mut defined = crate::operation::StepDefinition::all();
        defined.retain(|step| self.steps(step.id()).is_empty());
        defined
    }

    /// Polls until there is a line of this type, such as a report of the watchdog's; false when
    /// none came in time. Blocks its thread.
    #[must_use]
    pub fn wait_for(&self, event_type: EventType, patience: std::time::Duration) -> bool {
        let deadline = std::time::Instant::now() + patience;
        while self.all(event_type).is_empty() {
            if std::time::Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        true
    }
}

/// The lines in short, for failures.
impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for event in self.events() {
            let (level, kind) = (event.text(&["level"]), event.event_type());
            writeln!(
                f,
                "  {level:5} {kind:20} {} {}",
                event.message(),
                event.get(&["extra"])
            )?;
        }
        Ok(())
    }
}
