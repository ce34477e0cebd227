//! Runs a workflow: every step starts as soon as the steps it depends on have ended.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{StreamExt as _, stream::FuturesUnordered};
use omnify_trace::{CorrelationContext, operation};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{
    Catalogue, Definition,
    definition::{AgentType, Step},
    mapping::{self, Scope},
    runs::{Run, Runs, Status, now},
};
use crate::agent::{AgentError, Agents};

/// Runs that may be open at once.
const MAX_OPEN_RUNS: usize = 500;

/// Why a run could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("OT0721: there is no workflow `{0}`; GET /api/workflows lists them")]
    Unknown(String),
    #[error("OT0722: {MAX_OPEN_RUNS} runs are open already; try again in a moment")]
    Full,
    #[error("OT0723: the run could not be saved")]
    Database(#[from] sqlx::Error),
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error("OT0724: step `{step}` failed")]
    Step {
        step: String,
        #[source]
        source: AgentError,
    },
    #[error("OT0725: the run took longer than its {} s", .0.as_secs_f64())]
    TimedOut(std::time::Duration),
}

/// A person's answer to an approval step.
#[derive(Debug, Deserialize)]
pub(crate) struct Decision {
    /// Yes or no.
    pub(crate) approved: bool,
    /// Why, for the record.
    #[serde(default)]
    pub(crate) comment: String,
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Engine(Arc<Inner>);

struct Inner {
    catalogue: Catalogue,
    agents: Agents,
    runs: Runs,
    places: Arc<Semaphore>,
    /// Approval steps that wait, by run and step.
    approvals: Mutex<HashMap<(String, String), oneshot::Sender<Decision>>>,
}

/// How a step ended.
enum Ended {
    Done(Value),
    Skipped,
    Failed(AgentError),
}

impl Engine {
    /// An engine for these definitions.
    pub(crate) fn new(catalogue: Catalogue, agents: Agents, runs: Runs) -> Self {
        Self(Arc::new(Inner {
            catalogue,
            agents,
            runs,
            places: Arc::new(Semaphore::new(MAX_OPEN_RUNS)),
            approvals: Mutex::default(),
        }))
    }

    /// All definitions.
    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.0.catalogue
    }

    /// What is known of a run.
    pub(crate) async fn run(&self, run_id: &str) -> sqlx::Result<Option<Run>> {
        self.0.runs.get(run_id).await
    }

    /// Starts a run in the background, in the current trace.
    pub(crate) async fn start(&self, workflow_id: &str, input: Value) -> Result<Run, StartError> {
        let definition = self
            .0
            .catalogue
            .get(workflow_id)
            .ok_or_else(|| StartError::Unknown(workflow_id.to_owned()))?;
        let place = Arc::clone(&self.0.places)
            .try_acquire_owned()
            .map_err(|_| StartError::Full)?;
        let mut run = new_run(workflow_id, input);
        // A page that starts its run a second time does not get the first one's.
        if self.0.runs.get(&run.run_id).await?.is_some() {
            run.run_id = new_run_id();
        }
        self.0.runs.begin(&run).await?;
        let work = Arc::clone(&self.0).execute(definition, run.clone(), place);
        drop(omnify_trace::spawn("workflow-run", work));
        Ok(run)
    }

    /// Answers an approval step. False if none waits there.
    pub(crate) fn decide(&self, run_id: &str, step_id: &str, decision: Decision) -> bool {
        let waiting = self
            .0
            .approvals()
            .remove(&(run_id.to_owned(), step_id.to_owned()));
        waiting.is_some_and(|answer| answer.send(decision).is_ok())
    }
}

fn new_run_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

fn new_run(workflow_id: &str, input: Value) -> Run {
    let context = CorrelationContext::current();
    let of = |read: fn(&CorrelationContext) -> Option<String>| context.as_ref().and_then(read);
    Run {
        // The run that the page began, if this is that workflow.
        run_id: context
            .as_ref()
            .filter(|c| c.workflow_id().is_some_and(|id| id.as_str() == workflow_id))
            .and_then(|c| c.run_id().map(ToString::to_string))
            .unwrap_or_else(new_run_id),
        workflow_id: workflow_id.to_owned(),
        status: Status::Active,
        request_id: of(|c| c.request_id().map(ToString::to_string)),
        trace_id: of(|c| c.trace_id().map(|id| id.to_string())),
        user_id: of(|c| c.user_id().map(ToString::to_string)),
        organization_id: of(|c| c.organization_id().map(ToString::to_string)),
        input,
        output: Value::Null,
        error: None,
        started_at: now(),
        ended_at: None,
    }
}

impl Inner {
    fn approvals(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<(String, String), oneshot::Sender<Decision>>> {
        self.approvals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn execute(
        self: Arc<Self>,
        definition: Arc<Definition>,
        run: Run,
        place: OwnedSemaphorePermit,
    ) {
        let result = operation::workflow(definition.workflow_id.clone())
            .name(definition.name.clone())
            .run_id(run.run_id.clone())
            .steps(definition.steps.len())
            .run(async {
                tokio::time::timeout(definition.timeout, self.walk(&definition, &run))
                    .await
                    .unwrap_or(Err(RunError::TimedOut(definition.timeout)))
            })
            .await;
        let result = result.map_err(|error| chain(&error));
        if let Err(error) = self.runs.end(&run.run_id, &result).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "The end of a run could not be saved"
            );
        }
        drop(place);
    }

    /// Starts whatever waits for nothing, then whatever each ended step sets free. After a failure
    /// nothing new starts, what runs is left to end, and the rest is skipped.
    async fn walk(&self, definition: &Definition, run: &Run) -> Result<Value, RunError> {
        let mut outputs = Map::new();
        let mut waiting: Vec<&Step> = definition.steps.iter().collect();
        let mut running = FuturesUnordered::new();
        let mut ended: Vec<&str> = Vec::new();
        let mut failure = None;
        loop {
            if failure.is_none() {
                let ready = |step: &&Step| {
                    step.depends_on
                        .iter()
                        .all(|id| ended.contains(&id.as_str()))
                };
                for step in waiting.extract_if(.., |step| ready(step)) {
                    let scope = Scope {
                        input: &run.input,
                        steps: &outputs,
                        result: None,
                    };
                    let input = mapping::fill(&step.input, &scope);
                    let wanted = step.when.is_null()
                        || mapping::is_truthy(&mapping::fill(&step.when, &scope));
                    let mapped = (step.agent_type == AgentType::Transform)
                        .then(|| mapping::fill(&step.output, &scope));
                    running.push(async move {
                        (step, self.step(run, step, input, mapped, wanted).await)
                    });
                }
            }
            let Some((step, end)) = running.next().await else {
                break;
            };
            ended.push(&step.step_id);
            match end {
                Ended::Done(answer) => {
                    outputs.insert(
                        step.step_id.clone(),
                        mapped_output(step, run, &outputs, answer),
                    );
                }
                Ended::Skipped => {}
                Ended::Failed(source) => {
                    failure.get_or_insert(RunError::Step {
                        step: step.step_id.clone(),
                        source,
                    });
                }
            }
        }
        for step in waiting {
            describe(step).skip("an earlier step failed");
        }
        match failure {
            Some(failure) => Err(failure),
            None if definition.output.is_null() => Ok(Value::Object(outputs)),
            None => Ok(mapping::fill(
                &definition.output,
                &Scope {
                    input: &run.input,
                    steps: &outputs,
                    result: None,
                },
            )),
        }
    }

    /// One step with all its attempts.
    async fn step(
        &self,
        run: &Run,
        step: &Step,
        input: Value,
        mapped: Option<Value>,
        wanted: bool,
    ) -> Ended {
        if !wanted {
            describe(step).skip("its condition does not hold");
            return Ended::Skipped;
        }
        let attempts = step.retries + 1;
        for attempt in 1.. {
            let result = describe(step)
                .attempt(attempt)
                .budget(step.budget.unwrap_or(step.timeout))
                .will_retry(attempt < attempts)
                .run(async {
                    let work = self.attempt(run, step, input.clone(), mapped.clone());
                    let result = tokio::time::timeout(step.timeout, work)
                        .await
                        .unwrap_or(Err(AgentError::TimedOut(step.timeout)));
                    if result.as_ref().is_err_and(|error| !error.is_retryable()) {
                        operation::no_retry();
                    }
                    result
                })
                .await;
            match result {
                Ok(answer) => return Ended::Done(answer),
                Err(error) if attempt >= attempts || !error.is_retryable() => {
                    return Ended::Failed(error);
                }
                Err(_) => tokio::time::sleep(backoff(attempt)).await,
            }
        }
        Ended::Skipped
    }

    async fn attempt(
        &self,
        run: &Run,
        step: &Step,
        input: Value,
        mapped: Option<Value>,
    ) -> Result<Value, AgentError> {
        match step.agent_type {
            AgentType::Transform => Ok(mapped.unwrap_or(input)),
            AgentType::Approval => self.approval(run, step).await,
            kind => match self.agents.get(kind) {
                Some(agent) => agent.call(input).await,
                None => Ok(input),
            },
        }
    }

    async fn approval(&self, run: &Run, step: &Step) -> Result<Value, AgentError> {
        let (answer, decision) = oneshot::channel();
        self.approvals()
            .insert((run.run_id.clone(), step.step_id.clone()), answer);
        match operation::waiting_for_human(decision).await {
            Ok(Decision {
                approved: true,
                comment,
            }) => Ok(serde_json::json!({"approved": true, "comment": comment})),
            Ok(Decision { comment, .. }) => Err(AgentError::Declined(comment)),
            Err(_) => Err(AgentError::Declined(
                "the question was withdrawn".to_owned(),
            )),
        }
    }
}

/// What all attempts of a step have in common.
fn describe(step: &Step) -> operation::Step {
    operation::step(step.step_id.clone())
        .name(step.title().to_owned())
        .depends_on(&step.depends_on)
        .agent_type(step.agent_type.as_str())
}

fn mapped_output(step: &Step, run: &Run, outputs: &Map<String, Value>, answer: Value) -> Value {
    if step.output.is_null() || step.agent_type == AgentType::Transform {
        return answer;
    }
    mapping::fill(
        &step.output,
        &Scope {
            input: &run.input,
            steps: outputs,
            result: Some(&answer),
        },
    )
}

/// 200 ms, 400 ms, 800 ms, … at most 10 s.
fn backoff(attempt: u32) -> std::time::Duration {
    std::time::Duration::from_millis(200 << attempt.saturating_sub(1).min(6))
        .min(std::time::Duration::from_secs(10))
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
