//! Which paths of a line a field name may mean.

use omnify_trace::schema::fields;

/// Keys of schema v1 that stand at the top of a line and hold one value.
const TOP: [&str; 6] = [
    fields::LEVEL,
    fields::MESSAGE,
    fields::EVENT_TYPE,
    fields::TARGET,
    fields::SOURCE,
    fields::TIMESTAMP,
];

/// The paths that `field` may stand for, the likeliest first. A condition on the field holds
/// if it holds for one of them; its value is the first that the line has.
///
/// A dotted name is a path as it stands, or one under `extra` (`db.statement`). A bare name
/// is a top-level key of the schema, one of the context's, or an own field: in `extra`, on a
/// span, or at the top of a foreign line.
#[must_use]
pub(crate) fn candidates(field: &str) -> Vec<String> {
    let under = |parent: &str| format!("{parent}.{field}");
    if TOP.contains(&field) {
        return vec![field.to_owned()];
    }
    if field == fields::SERVICE {
        return vec![format!("{}.name", fields::SERVICE), field.to_owned()];
    }
    if fields::CONTEXT_FIELDS.contains(&field) {
        return vec![under(fields::CONTEXT), field.to_owned()];
    }
    let in_span = format!("{}.fields.{field}", fields::SPAN);
    if !field.contains('.') {
        return vec![under(fields::EXTRA), field.to_owned(), in_span];
    }
    let parents = [
        fields::SERVICE,
        fields::CONTEXT,
        fields::SPAN,
        fields::EXTRA,
        fields::EXCEPTION,
    ];
    let parent = field.split('.').next().unwrap_or_default();
    if parents.contains(&parent) {
        vec![field.to_owned()]
    } else {
        vec![field.to_owned(), under(fields::EXTRA), in_span]
    }
}

#[cfg(test)]
mod tests {
    use super::candidates;

    #[test]
    fn names_find_their_place() {
        assert_eq!(candidates("level"), ["level"]);
        assert_eq!(candidates("user_id"), ["context.user_id", "user_id"]);
        assert_eq!(candidates("context.user_id"), ["context.user_id"]);
        assert_eq!(
            candidates("duration_ms"),
            [
                "extra.duration_ms",
                "duration_ms",
                "span.fields.duration_ms"
            ]
        );
        assert_eq!(candidates("db.statement")[1], "extra.db.statement");
        assert_eq!(candidates("service"), ["service.name", "service"]);
    }
}
