//! The spans that the lines of a test were written in, as a tree.

use super::Event;

/// A span that some captured line was written in or that lies around one that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    id: String,
    name: String,
    children: Vec<Self>,
}

impl Span {
    pub(super) fn all(events: &[Event]) -> Vec<Self> {
        let mut found: Vec<(String, String, String)> = vec![];
        for event in events {
            let of = |name: &str| event.text(&["context", name]).to_owned();
            let (id, parent) = (of("span_id"), of("parent_span_id"));
            let name = event.text(&["span", "name"]).to_owned();
            if !id.is_empty() && found.iter().all(|(known, ..)| *known != id) {
                found.push((id, parent, name));
            }
        }
        let is_root = |parent: &String| found.iter().all(|(id, ..)| id != parent);
        let roots = found.iter().filter(|(_, parent, _)| is_root(parent));
        roots.map(|root| Self::grow(root, &found)).collect()
    }

    fn grow((id, _, name): &(String, String, String), found: &[(String, String, String)]) -> Self {
        let inside = found.iter().filter(|(_, parent, _)| parent == id);
        Self {
            id: id.clone(),
            name: name.clone(),
            children: inside.map(|span| Self::grow(span, found)).collect(),
        }
    }

    /// 16 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The spans right inside, in the order of their first lines.
    #[must_use]
    pub fn children(&self) -> &[Self] {
        &self.children
    }

    /// It and all inside in one line: `request[step step[external_api]]`.
    #[must_use]
    pub fn tree(&self) -> String {
        let inside: Vec<_> = self.children.iter().map(Self::tree).collect();
        match inside.as_slice() {
            [] => self.name.clone(),
            inside => format!("{}[{}]", self.name, inside.join(" ")),
        }
    }
}
