//! The rules: which lines speak for which cause, how loudly, and what helps against it.

use omnify_trace::schema::{EventType, fields};

use super::{Cause, Recommendation};
use crate::analysis::{Event, RunStatus, runs::RunDetail};

/// Lines of evidence shown for a cause.
const MOST_EVIDENCE: usize = 10;
/// Beyond so many lines, more of the same do not make a cause likelier.
const LOUDEST: usize = 10;

/// One rule.
struct Rule {
    category: &'static str,
    /// How much one line speaks for the cause, compared with one of another rule.
    weight: f64,
    /// Words of the client's description that speak for it.
    words: &'static [&'static str],
    summary: &'static str,
    advice: &'static str,
    next: &'static str,
}

const RULES: [Rule; 10] = [
    Rule {
        category: "crash",
        weight: 6.0,
        words: &["crash", "restart", "lost", "disappear"],
        summary: "The service's process ended while it worked for this client",
        advice: "Start the interrupted runs again, after checking which of their steps had taken effect.",
        next: "Look at the crash_detected line of that time: was it a kill, an out-of-memory or a panic?",
    },
    Rule {
        category: "unfinished_code",
        weight: 6.0,
        words: &["not implemented", "unfinished", "not supported"],
        summary: "The client reached code that is not finished",
        advice: "Finish the code at the location named, or hide the way to it.",
        next: "Open the incomplete-code list for everything of this kind.",
    },
    Rule {
        category: "panic",
        weight: 5.0,
        words: &["crash", "error 500", "500"],
        summary: "The service panicked while it worked for this client",
        advice: "Give the panic's backtrace to the developers: it is a defect, trying again will not help.",
        next: "Open the error group of the panic and see whether other clients are affected.",
    },
    Rule {
        category: "stalled_operation",
        weight: 4.5,
        words: &[
            "stuck",
            "hang",
            "hung",
            "forever",
            "never finish",
            "waiting",
            "frozen",
            "pending",
        ],
        summary: "An operation for this client hangs",
        advice: "Look at the step that hangs and what it waits for; cancel the run and start it again if the other side has recovered.",
        next: "Open the stalled run and compare the age of its step with its budget.",
    },
    Rule {
        category: "external_service",
        weight: 3.0,
        words: &["integration", "sync", "crm", "email", "api", "third party"],
        summary: "Calls to another service failed",
        advice: "Check the other service's status and our credentials for it; the failed runs can be started again once it answers.",
        next: "Compare the service's error rate on the Performance page before and after the first failure.",
    },
    Rule {
        category: "authentication",
        weight: 2.5,
        words: &[
            "login",
            "log in",
            "sign in",
            "password",
            "access",
            "denied",
            "401",
            "403",
            "logged out",
        ],
        summary: "The client's requests were not authorised",
        advice: "Have the client sign in again; check the expiry and the permissions of the account.",
        next: "Ask the client since when, and from which device, signing in fails.",
    },
    Rule {
        category: "server_error",
        weight: 2.5,
        words: &["error", "500", "broken", "fail"],
        summary: "Requests of this client failed in the service",
        advice: "Open the most frequent error group and give it to the developers with its example line.",
        next: "See whether the error began with a deployment: compare service versions before and after.",
    },
    Rule {
        category: "workflow_failure",
        weight: 2.0,
        words: &["workflow", "process", "automation", "onboarding", "run"],
        summary: "Workflow runs of this client failed",
        advice: "Open the failed run and its failed step; start the run again once the cause is mended.",
        next: "Compare with the last run of the same workflow that completed.",
    },
    Rule {
        category: "browser",
        weight: 1.5,
        words: &[
            "page", "button", "screen", "browser", "click", "blank", "website",
        ],
        summary: "The page itself failed in the client's browser",
        advice: "Reproduce with the client's browser and page; the component stack names the place.",
        next: "Ask for the browser and its version, and whether a reload helps.",
    },
    Rule {
        category: "slow_service",
        weight: 1.0,
        words: &[
            "slow",
            "timeout",
            "takes long",
            "takes ages",
            "loading",
            "lag",
        ],
        summary: "Requests of this client took longer than their budget",
        advice: "Look at the slow requests' routes and queries on the Performance page.",
        next: "See whether other clients were slow at the same time.",
    },
];

/// A cause that something speaks for.
pub(super) struct Finding {
    rule: &'static Rule,
    lines: usize,
    evidence: Vec<String>,
    example: String,
    score: f64,
}

/// Whether a call to another service failed.
pub(super) fn call_failed(event: &Event) -> bool {
    event.text(fields::ERROR).is_some()
        || event.exception("message").is_some()
        || event
            .integer(fields::STATUS_CODE)
            .is_some_and(|code| code >= 400)
}

fn category_of(event: &Event) -> Option<&'static str> {
    Some(match event.kind()? {
        EventType::CrashDetected => "crash",
        EventType::IncompleteCode => "unfinished_code",
        EventType::Panic => "panic",
        EventType::OperationStalled | EventType::DeadlockDetected | EventType::RuntimeStalled => {
            "stalled_operation"
        }
        EventType::ExternalApiCall if call_failed(event) => "external_service",
        EventType::AgentError => "external_service",
        EventType::AuthenticationFailed => "authentication",
        EventType::RequestComplete | EventType::ApiError | EventType::ApiResponse
            if matches!(event.integer(fields::STATUS_CODE), Some(401 | 403)) =>
        {
            "authentication"
        }
        EventType::RequestError => "server_error",
        EventType::ApiError => "server_error",
        EventType::WorkflowError | EventType::WorkflowStepError => "workflow_failure",
        EventType::FrontendError => "browser",
        EventType::SlowRequest | EventType::SlowQuery => "slow_service",
        _ => return None,
    })
}

/// Every cause that a line, a run or the client's words speak for, the likeliest first.
pub(super) fn find(
    notable: &[Event],
    runs: &[RunDetail],
    description: Option<&str>,
) -> Vec<Finding> {
    let description = description.unwrap_or_default().to_lowercase();
    let mut findings: Vec<Finding> = RULES
        .iter()
        .filter_map(|rule| {
            let lines: Vec<&Event> = notable
                .iter()
                .filter(|event| category_of(event) == Some(rule.category))
                .collect();
            let runs = runs_of(rule.category, runs);
            let seen = lines.len() + runs.len();
            let newest = lines.last().map(|event| event.error_text().to_owned());
            let example = newest.or_else(|| runs.first().cloned())?;
            let said = rule.words.iter().any(|word| description.contains(word));
            #[expect(clippy::cast_precision_loss, reason = "at most LOUDEST")]
            let loudness = seen.min(LOUDEST) as f64;
            Some(Finding {
                rule,
                lines: seen,
                evidence: lines
                    .iter()
                    .rev()
                    .take(MOST_EVIDENCE)
                    .map(|event| event.line.id.clone())
                    .collect(),
                example,
                score: rule.weight * loudness.sqrt() * if said { 1.5 } else { 1.0 },
            })
        })
        .collect();
    findings.sort_by(|a, b| b.score.total_cmp(&a.score));
    findings
}

/// What runs add: those that were cut off or hang.
fn runs_of(category: &str, runs: &[RunDetail]) -> Vec<String> {
    let status = match category {
        "crash" => RunStatus::Interrupted,
        "stalled_operation" => RunStatus::Stalled,
        _ => return Vec::new(),
    };
    runs.iter()
        .filter(|detail| detail.run.status == status)
        .map(|detail| {
            let step = detail
                .run
                .current_step
                .as_deref()
                .unwrap_or("its first step");
            format!("run {} of {} in {step}", detail.run.run_id, detail.run.name)
        })
        .collect()
}

/// The likeliest cause. Confidence grows with the evidence and shrinks with rivals.
pub(super) fn probable(findings: &[Finding], total_logs: u64) -> Cause {
    let Some(first) = findings.first() else {
        let summary = if total_logs == 0 {
            "No line names this client in this time: the id or the time may be wrong, or the client's requests never arrived."
        } else {
            "Nothing in this client's lines points to a defect."
        };
        return Cause {
            category: "none".to_owned(),
            confidence: 0.0,
            summary: summary.to_owned(),
            evidence: Vec::new(),
        };
    };
    let all: f64 = findings.iter().map(|finding| finding.score).sum();
    let confidence = first.score / (all + 1.5);
    let times = if first.lines == 1 {
        "once".to_owned()
    } else {
        format!("{} times", first.lines)
    };
    Cause {
        category: first.rule.category.to_owned(),
        confidence: (confidence * 100.0).round() / 100.0,
        summary: format!("{} ({times}), last: {}", first.rule.summary, first.example),
        evidence: first.evidence.clone(),
    }
}

/// What helps against each cause found.
pub(super) fn recommendations(findings: &[Finding]) -> Vec<Recommendation> {
    findings
        .iter()
        .take(4)
        .map(|finding| Recommendation {
            text: finding.rule.advice.to_owned(),
            evidence: finding.evidence.iter().take(3).cloned().collect(),
        })
        .collect()
}

/// What to ask or look at next.
pub(super) fn next_steps(findings: &[Finding], total_logs: u64) -> Vec<String> {
    if findings.is_empty() {
        let step = if total_logs == 0 {
            "Check the client's id, and ask for the request id that the error page showed."
        } else {
            "Ask the client when exactly it happened, and search the logs around that time."
        };
        return vec![step.to_owned()];
    }
    findings
        .iter()
        .take(3)
        .map(|finding| finding.rule.next.to_owned())
        .collect()
}
