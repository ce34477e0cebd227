//! A workflow's definition: its format, and everything that can be wrong with one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::mapping;

/// Steps that one definition may have.
const MAX_STEPS: usize = 200;

/// The definitions that this server ships with.
const BUILT_IN: [(&str, &str); 3] = [
    (
        "client-onboarding.yaml",
        include_str!("../../workflows/client-onboarding.yaml"),
    ),
    (
        "campaign-launch.yaml",
        include_str!("../../workflows/campaign-launch.yaml"),
    ),
    (
        "invoice-followup.yaml",
        include_str!("../../workflows/invoice-followup.yaml"),
    ),
];

/// What may run a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AgentType {
    /// An agent run of an AgentKit service.
    AgentKit,
    /// A call of the GoHighLevel CRM.
    GoHighLevel,
    /// A chat completion of any OpenAI-compatible model.
    OpenAi,
    /// A plain HTTP call.
    Http,
    /// No call at all: the output mapping is the work.
    Transform,
    /// A person says yes or no.
    Approval,
}

impl AgentType {
    /// The name on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AgentKit => "agentkit",
            Self::GoHighLevel => "gohighlevel",
            Self::OpenAi => "openai",
            Self::Http => "http",
            Self::Transform => "transform",
            Self::Approval => "approval",
        }
    }
}

/// A workflow as a person wrote it, checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Definition {
    /// Stable id: lowercase letters, digits, `-` and `_`.
    pub(crate) workflow_id: String,
    /// For people.
    pub(crate) name: String,
    /// What it is for.
    #[serde(default)]
    pub(crate) description: String,
    /// A run may take so long.
    #[serde(default = "five_minutes", with = "duration")]
    pub(crate) timeout: Duration,
    /// In any order: `depends_on` decides.
    pub(crate) steps: Vec<Step>,
    /// The run's output, mapped from its steps'. Defaults to all outputs by step id.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(crate) output: Value,
}

/// One step.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// Unique in the workflow.
    pub(crate) step_id: String,
    /// For people. Defaults to the id.
    #[serde(default)]
    pub(crate) name: String,
    /// Who does it.
    pub(crate) agent_type: AgentType,
    /// The steps that must have ended first.
    #[serde(default)]
    pub(crate) depends_on: Vec<String>,
    /// What the agent gets: any JSON, with `{{…}}` filled in.
    #[serde(default)]
    pub(crate) input: Value,
    /// What the step gives: any JSON, with `{{result.…}}` filled in. Defaults to the agent's answer.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(crate) output: Value,
    /// The step runs only if this is neither false, null, 0 nor empty. Defaults to always.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(crate) when: Value,
    /// One attempt may take so long.
    #[serde(default = "thirty_seconds", with = "duration")]
    pub(crate) timeout: Duration,
    /// Past this the step counts as stalled. Defaults to the timeout.
    #[serde(
        default,
        with = "optional_duration",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) budget: Option<Duration>,
    /// So many further attempts after a failed one.
    #[serde(default)]
    pub(crate) retries: u32,
}

impl Step {
    /// The name for people.
    pub(crate) fn title(&self) -> &str {
        if self.name.is_empty() {
            &self.step_id
        } else {
            &self.name
        }
    }
}

/// Why a definition cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DefinitionError {
    #[error("OT0701: workflow file {file} cannot be read: {source}")]
    Unreadable {
        file: String,
        source: std::io::Error,
    },
    #[error("OT0702: workflow file {file} is not a workflow definition: {reason}")]
    Malformed { file: String, reason: String },
    #[error("OT0703: workflow `{workflow}` in {file}: {reason}")]
    Invalid {
        file: String,
        workflow: String,
        reason: String,
    },
}

/// All definitions by id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Catalogue(BTreeMap<String, Arc<Definition>>);

impl Catalogue {
    /// The built-in definitions, and those in `dir` (`*.yaml`, `*.yml`, `*.json`), which win.
    pub(crate) fn load(dir: Option<&Path>) -> Result<Self, DefinitionError> {
        let mut all = Self::default();
        for (file, text) in BUILT_IN {
            all.add(Definition::parse(file, text)?);
        }
        let Some(dir) = dir else { return Ok(all) };
        let unreadable = |source| DefinitionError::Unreadable {
            file: dir.display().to_string(),
            source,
        };
        for entry in fs::read_dir(dir).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let wanted = ["yaml", "yml", "json"];
            if !path
                .extension()
                .is_some_and(|e| wanted.iter().any(|w| e == *w))
            {
                continue;
            }
            let file = path.display().to_string();
            let text = fs::read_to_string(&path).map_err(|source| DefinitionError::Unreadable {
                file: file.clone(),
                source,
            })?;
            all.add(Definition::parse(&file, &text)?);
        }
        Ok(all)
    }

    fn add(&mut self, definition: Definition) {
        self.0
            .insert(definition.workflow_id.clone(), Arc::new(definition));
    }

    /// The definition with this id.
    pub(crate) fn get(&self, workflow_id: &str) -> Option<Arc<Definition>> {
        self.0.get(workflow_id).cloned()
    }

    /// Every definition, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.0.values()
    }
}

impl Definition {
    /// Reads and checks one definition. JSON is YAML, so one parser reads both.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, DefinitionError> {
        let definition: Self =
            serde_norway::from_str(text).map_err(|error| DefinitionError::Malformed {
                file: file.to_owned(),
                reason: error.to_string(),
            })?;
        definition
            .check()
            .map_err(|reason| DefinitionError::Invalid {
                file: file.to_owned(),
                workflow: definition.workflow_id.clone(),
                reason,
            })?;
        Ok(definition)
    }

    fn check(&self) -> Result<(), String> {
        check_id("workflow_id", &self.workflow_id)?;
        if self.steps.is_empty() || self.steps.len() > MAX_STEPS {
            return Err(format!(
                "it has {} steps; 1 to {MAX_STEPS} are allowed",
                self.steps.len()
            ));
        }
        let mut ids = BTreeSet::new();
        for step in &self.steps {
            check_id("step_id", &step.step_id)?;
            if !ids.insert(step.step_id.as_str()) {
                return Err(format!(
                    "two steps have the id `{}`; each needs its own",
                    step.step_id
                ));
            }
        }
        for step in &self.steps {
            if let Some(unknown) = step.depends_on.iter().find(|id| !ids.contains(id.as_str())) {
                return Err(format!(
                    "step `{}` depends on `{unknown}`, which is not a step of this workflow",
                    step.step_id
                ));
            }
        }
        self.check_acyclic()?;
        self.check_templates(&ids)
    }

    /// Takes away steps that wait for nothing until none is left; what cannot be taken away is a cycle.
    fn check_acyclic(&self) -> Result<(), String> {
        let mut left: Vec<&Step> = self.steps.iter().collect();
        loop {
            let waiting: BTreeSet<&str> = left.iter().map(|step| step.step_id.as_str()).collect();
            let before = left.len();
            left.retain(|step| {
                step.depends_on
                    .iter()
                    .any(|id| waiting.contains(id.as_str()))
            });
            if left.is_empty() {
                return Ok(());
            }
            if left.len() == before {
                let names: Vec<&str> = waiting.into_iter().collect();
                return Err(format!(
                    "the steps {} wait for each other in a circle",
                    names.join(", ")
                ));
            }
        }
    }

    /// A template may only read the output of a step that is sure to have ended: a dependency,
    /// direct or not.
    fn check_templates(&self, ids: &BTreeSet<&str>) -> Result<(), String> {
        for step in &self.steps {
            let before = self.ancestors(step);
            for value in [&step.input, &step.output, &step.when] {
                for used in mapping::steps_used(value) {
                    if !ids.contains(used.as_str()) {
                        return Err(format!(
                            "step `{}` reads the output of `{used}`, which is not a step",
                            step.step_id
                        ));
                    }
                    if !before.contains(used.as_str()) {
                        return Err(format!(
                            "step `{}` reads the output of `{used}` but does not depend on it; add `{used}` to its depends_on",
                            step.step_id
                        ));
                    }
                }
            }
        }
        match mapping::steps_used(&self.output)
            .into_iter()
            .find(|used| !ids.contains(used.as_str()))
        {
            Some(used) => Err(format!(
                "the workflow's output reads `{used}`, which is not a step"
            )),
            None => Ok(()),
        }
    }

    fn ancestors<'a>(&'a self, step: &'a Step) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut next: Vec<&str> = step.depends_on.iter().map(String::as_str).collect();
        while let Some(id) = next.pop() {
            if found.insert(id) {
                let parents = self
                    .steps
                    .iter()
                    .filter(|s| s.step_id == id)
                    .flat_map(|s| &s.depends_on);
                next.extend(parents.map(String::as_str));
            }
        }
        found
    }
}

fn check_id(what: &str, id: &str) -> Result<(), String> {
    let fine = (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    if fine {
        return Ok(());
    }
    Err(format!(
        "{what} `{id}` must be 1 to 64 lowercase letters, digits, `-` or `_`"
    ))
}

fn five_minutes() -> Duration {
    Duration::from_secs(300)
}

fn thirty_seconds() -> Duration {
    Duration::from_secs(30)
}

/// `30s`, `2m`, `1m 30s`.
mod duration {
    use std::time::Duration;

    use jiff::SignedDuration;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(
        time: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let time = SignedDuration::try_from(*time).unwrap_or(SignedDuration::MAX);
        serializer.serialize_str(&format!("{time:#}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || {
            D::Error::custom(format!(
                "`{text}` is not a time; write it like `30s`, `2m` or `1m 30s`"
            ))
        };
        let time: SignedDuration = text.parse().map_err(|_| wrong())?;
        Duration::try_from(time)
            .ok()
            .filter(|time| !time.is_zero())
            .ok_or_else(wrong)
    }
}

mod optional_duration {
    use std::time::Duration;

    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::duration::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        super::duration::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Definition::parse("test.yaml", text)
            .expect_err("must be refused")
            .to_string()
    }

    #[test]
    fn built_in_definitions_are_valid() {
        let all = Catalogue::load(None).expect("valid");
        assert_eq!(all.iter().count(), BUILT_IN.len());
    }

    #[test]
    fn json_is_read_too() {
        let text = r#"{"workflow_id":"a","name":"A","steps":[{"step_id":"x","agent_type":"transform","timeout":"1m 30s"}]}"#;
        let definition = Definition::parse("a.json", text).expect("valid");
        assert_eq!(definition.steps[0].timeout, Duration::from_secs(90));
    }

    #[test]
    fn a_circle_is_named() {
        let text = "workflow_id: a\nname: A\nsteps:\n- {step_id: x, agent_type: transform, depends_on: [y]}\n- {step_id: y, agent_type: transform, depends_on: [x]}\n- {step_id: z, agent_type: transform}";
        assert!(
            error(text).contains("x, y wait for each other"),
            "{}",
            error(text)
        );
    }

    #[test]
    fn an_unknown_dependency_is_named() {
        let text = "workflow_id: a\nname: A\nsteps:\n- {step_id: x, agent_type: transform, depends_on: [nope]}";
        assert!(error(text).contains("`x` depends on `nope`"));
    }

    #[test]
    fn reading_a_step_without_waiting_for_it_is_refused() {
        let text = "workflow_id: a\nname: A\nsteps:\n- {step_id: x, agent_type: transform}\n- {step_id: y, agent_type: transform, input: '{{steps.x.output}}'}";
        assert!(error(text).contains("add `x` to its depends_on"));
    }

    #[test]
    fn a_wrong_time_and_a_wrong_agent_say_what_is_allowed() {
        let time =
            "workflow_id: a\nname: A\nsteps:\n- {step_id: x, agent_type: transform, timeout: soon}";
        assert!(
            error(time).contains("`soon` is not a time"),
            "{}",
            error(time)
        );
        let agent = "workflow_id: a\nname: A\nsteps:\n- {step_id: x, agent_type: magic}";
        assert!(error(agent).contains("agentkit"), "{}", error(agent));
    }
}
