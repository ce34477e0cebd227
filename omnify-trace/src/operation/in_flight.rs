//! Notes of open runs, steps and agent calls in the journal, for the start after a crash.

use std::cell::Cell;
use std::time::SystemTime;

use super::kind::Kind;
use super::op::Op;
use crate::journal::InFlight;
use crate::layer::{self, json, with_current_layer};
use crate::schema::fields;

thread_local! {
    /// The buffer of this thread's notes.
    static NOTE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What a crash report lists of an operation, as one JSON object.
pub(crate) fn describe(out: &mut Vec<u8>, op: &Op) {
    let start = out.len();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            out.push(if out.len() == start { b'{' } else { b',' });
            json::key(out, name);
            json::string(out, value);
        }
    };
    let since = SystemTime::now() - op.elapsed();
    let since = since
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    put(fields::OPERATION_KIND, Some(op.kind().as_str()));
    put(fields::OPERATION, Some(op.name()));
    put(
        fields::RUN_ID,
        op.workflow().and_then(|run| run.run_id.as_deref()),
    );
    put(
        fields::WORKFLOW_ID,
        op.workflow().map(|run| run.id.as_ref()),
    );
    put(fields::STEP_ID, op.step().map(|step| step.id.as_ref()));
    put("started_at", Some(&layer::rfc3339(since)));
    out.push(b'}');
}

/// Notes an operation until the note is dropped.
pub(crate) fn note(op: &Op) -> Option<InFlight> {
    if !matches!(op.kind(), Kind::Workflow | Kind::Step | Kind::Agent) {
        return None;
    }
    with_current_layer(|layer| {
        let mut note = NOTE.try_with(Cell::take).unwrap_or_default();
        note.clear();
        describe(&mut note, op);
        let noted = layer.sink().in_flight(&note);
        let _ = NOTE.try_with(|place| place.set(note));
        noted
    })
    .flatten()
}
