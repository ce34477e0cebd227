//! Which lines count as those around a line: of the same service; of a line that names none, of
//! the same file.

use super::{Filter, Line, Query, matcher::Leaves};

const SERVICE: &str = "service.name";

pub(crate) struct Neighbours<'a> {
    line: &'a Line,
    service: Option<String>,
}

impl<'a> Neighbours<'a> {
    pub(crate) fn of(line: &'a Line) -> Self {
        let service = Leaves::of(&line.raw, line.is_json)
            .get(SERVICE)
            .map(|leaf| leaf.text.to_string());
        Self { line, service }
    }

    /// Asks for all neighbours, and of a line without a service also for those of other files.
    pub(crate) fn query(&self) -> Query {
        let field = SERVICE.to_owned();
        let filter = match &self.service {
            Some(name) => Filter::OneOf {
                field,
                values: vec![name.clone()],
            },
            None => Filter::Not(Box::new(Filter::Exists(field))),
        };
        Query {
            filters: vec![filter],
            ..Query::default()
        }
    }

    /// Whether a line that was found is one.
    pub(crate) fn has(&self, other: &Line) -> bool {
        self.service.is_some() || other.file == self.line.file
    }
}
