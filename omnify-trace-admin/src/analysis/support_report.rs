//! A support report for people: Markdown for tickets, HTML for mail and print.

use std::fmt::Write as _;

use super::{Event, LineJson, SupportReport};
use crate::time::rfc3339;

/// Lines of the timeline that are printed.
const TIMELINE: usize = 50;

/// One block of a report.
enum Block {
    Title(String),
    Heading(&'static str),
    Text(String),
    Items(Vec<String>),
}

/// The report as Markdown.
#[must_use]
pub fn to_markdown(report: &SupportReport) -> String {
    let mut out = String::new();
    for block in blocks(report) {
        // Writing to a string cannot fail.
        let _ = match block {
            Block::Title(text) => writeln!(out, "# {}\n", plain(&text)),
            Block::Heading(text) => writeln!(out, "## {text}\n"),
            Block::Text(text) => writeln!(out, "{}\n", plain(&text)),
            Block::Items(items) => {
                for item in items {
                    let _ = writeln!(out, "- {}", plain(&item));
                }
                writeln!(out)
            }
        };
    }
    out
}

/// The report as one HTML page without scripts or outside resources.
#[must_use]
pub fn to_html(report: &SupportReport) -> String {
    let mut body = String::new();
    for block in blocks(report) {
        // Writing to a string cannot fail.
        let _ = match block {
            Block::Title(text) => writeln!(body, "<h1>{}</h1>", escape(&text)),
            Block::Heading(text) => writeln!(body, "<h2>{text}</h2>"),
            Block::Text(text) => writeln!(body, "<p>{}</p>", escape(&text)),
            Block::Items(items) => {
                let _ = writeln!(body, "<ul>");
                for item in items {
                    let _ = writeln!(body, "<li>{}</li>", escape(&item));
                }
                writeln!(body, "</ul>")
            }
        };
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Support report: {}</title></head>\n<body>\n{body}</body>\n</html>\n",
        escape(&report.client_id)
    )
}

fn blocks(report: &SupportReport) -> Vec<Block> {
    let kind = format!("{:?}", report.kind).to_lowercase();
    let mut blocks = vec![
        Block::Title(format!("Support report: {}", report.client_id)),
        Block::Text(format!("{kind}, {} to {}", report.from, report.to)),
    ];
    if let Some(description) = &report.issue_description {
        blocks.push(Block::Text(format!("Reported: {description}")));
    }
    let cause = &report.probable_cause;
    blocks.push(Block::Heading("Probable cause"));
    blocks.push(Block::Text(format!(
        "{} (category {}, confidence {:.0} %)",
        cause.summary,
        cause.category,
        cause.confidence * 100.0
    )));
    if !cause.evidence.is_empty() {
        blocks.push(Block::Text(format!(
            "Evidence: {}",
            cause.evidence.join(", ")
        )));
    }
    blocks.push(Block::Heading("Recommendations"));
    blocks.push(Block::Items(
        report
            .recommendations
            .iter()
            .map(|advice| match advice.evidence.as_slice() {
                [] => advice.text.clone(),
                lines => format!("{} (see {})", advice.text, lines.join(", ")),
            })
            .collect(),
    ));
    blocks.push(Block::Heading("Next steps"));
    blocks.push(Block::Items(report.next_steps.clone()));
    blocks.push(Block::Heading("Figures"));
    blocks.push(Block::Items(vec![
        format!("{} lines, {} errors", report.total_logs, report.error_count),
        format!(
            "workflow runs: {} completed, {} failed, {} active, {} unfinished",
            report.workflows.completed,
            report.workflows.failed,
            report.workflows.active,
            report.workflows.unfinished.len()
        ),
    ]));
    if !report.workflows.unfinished.is_empty() {
        blocks.push(Block::Heading("Unfinished runs"));
        blocks.push(Block::Items(
            report
                .workflows
                .unfinished
                .iter()
                .map(|run| {
                    format!(
                        "{} ({}), {} since {}, in {}",
                        run.name,
                        run.run_id,
                        run.status.as_str(),
                        run.started_at,
                        run.current_step.as_deref().unwrap_or("no step yet")
                    )
                })
                .collect(),
        ));
    }
    if !report.error_patterns.is_empty() {
        blocks.push(Block::Heading("Error patterns"));
        blocks.push(Block::Items(
            report
                .error_patterns
                .iter()
                .map(|pattern| {
                    format!(
                        "{} × {} (last {})",
                        pattern.count, pattern.pattern, pattern.last_seen
                    )
                })
                .collect(),
        ));
    }
    blocks.push(Block::Heading("Timeline"));
    let skipped = report.timeline.len().saturating_sub(TIMELINE);
    blocks.push(Block::Items(
        report.timeline.iter().skip(skipped).map(moment).collect(),
    ));
    blocks
}

fn moment(line: &LineJson) -> String {
    let event = Event::parse(line.0.clone());
    format!(
        "{} {} {}: {}",
        rfc3339(event.time()),
        event.level(),
        event.event_type().unwrap_or("log"),
        event.message()
    )
}

/// Text for HTML: what a log line says must never become markup.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Text for Markdown: one line, and no character that starts markup or HTML.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => out.push(' '),
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '#' | '|' | '!' => {
                out.push('\\');
                out.push(character);
            }
            other => out.push(other),
        }
    }
    out
}
