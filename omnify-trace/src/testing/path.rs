//! The way that a run took through its steps.

use super::Event;

/// What one run of a workflow did.
#[derive(Debug, Clone)]
pub struct Workflow {
    run_id: String,
    steps: Vec<Step>,
    end: Option<Event>,
}

#[derive(Debug, Clone)]
struct Step {
    id: String,
    span: String,
    parent: String,
    /// Places of its first and last lines among all.
    from: usize,
    to: usize,
    mark: &'static str,
}

impl Workflow {
    pub(super) fn all(workflow_id: &str, events: &[Event]) -> Vec<Self> {
        let starts = events.iter().filter(|event| {
            event.event_type() == "workflow_start"
                && event.text(&["context", "workflow_id"]) == workflow_id
        });
        starts
            .map(|start| Self::of(start.text(&["context", "run_id"]), events))
            .collect()
    }

    fn of(run_id: &str, events: &[Event]) -> Self {
        let mut run = Self {
            run_id: run_id.to_owned(),
            steps: vec![],
            end: None,
        };
        for (at, event) in events.iter().enumerate() {
            if event.text(&["context", "run_id"]) != run_id {
                continue;
            }
            match event.event_type() {
                "workflow_step" | "workflow_step_error" => run.take(at, event),
                "workflow_complete" | "workflow_error" => run.end = Some(event.clone()),
                _ => {}
            }
        }
        run
    }

    fn take(&mut self, at: usize, event: &Event) {
        let span = event.text(&["context", "span_id"]);
        let mark = match (event.event_type(), event.text(&["extra", "status"])) {
            ("workflow_step_error", _) => "!",
            (_, "skipped") => "-",
            (_, "completed") => "",
            _ => "?",
        };
        match self.steps.iter_mut().find(|step| step.span == span) {
            Some(step) => (step.to, step.mark) = (at, mark),
            None => self.steps.push(Step {
                id: event.text(&["context", "step_id"]).to_owned(),
                span: span.to_owned(),
                parent: event.text(&["context", "parent_span_id"]).to_owned(),
                from: at,
                to: at,
                mark,
            }),
        }
    }

    /// The id of the run.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// The line that tells its end; `None` while it runs.
    #[must_use]
    pub fn end(&self) -> Option<&Event> {
        self.end.as_ref()
    }

    /// Its steps in order: `quote > (stock | price) > charge! > charge`.
    ///
    /// Steps at the same time stand in parentheses, those inside another in its brackets:
    /// `outer[inner]`. Failed steps bear `!`, skipped ones `-`, and those that have not ended `?`.
    #[must_use]
    pub fn path(&self) -> String {
        let is_outer = |step: &&Step| !self.steps.iter().any(|other| other.span == step.parent);
        self.write(&self.steps.iter().filter(is_outer).collect::<Vec<_>>())
    }

    fn write(&self, steps: &[&Step]) -> String {
        let mut groups: Vec<(usize, Vec<String>)> = vec![];
        for step in steps {
            // What has not ended goes on until the end of time.
            let to = if step.mark == "?" {
                usize::MAX
            } else {
                step.to
            };
            let text = self.write_one(step);
            match groups.last_mut() {
                Some((end, group)) if step.from < *end => {
                    *end = (*end).max(to);
                    group.push(text);
                }
                _ => groups.push((to, vec![text])),
            }
        }
        let texts: Vec<_> = groups
            .into_iter()
            .map(|(_, mut group)| match group.len() {
                1 => group.remove(0),
                _ => format!("({})", group.join(" | ")),
            })
            .collect();
        texts.join(" > ")
    }

    fn write_one(&self, step: &Step) -> String {
        let inside: Vec<_> = self
            .steps
            .iter()
            .filter(|other| other.parent == step.span)
            .collect();
        let inside = match inside.as_slice() {
            [] => String::new(),
            inside => format!("[{}]", self.write(inside)),
        };
        format!("{}{}{inside}", step.id, step.mark)
    }
}
