//! Where context is read from and written to: HTTP headers, message attributes, anything with names and values.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

/// A carrier to read from.
///
/// One pass over all entries instead of a look-up per known header: a request has a dozen headers,
/// and ten look-ups by name cost more than looking at each of them once.
pub trait Extractor {
    /// Shows every entry, in order, to `visit`. Names may have any case.
    fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a str, &'a [u8]));
}

/// A carrier to write to.
pub trait Injector {
    /// Sets an entry, replacing one of the same name. `name` is lowercase; `value` is visible ASCII.
    fn set(&mut self, name: &'static str, value: &str);
}

#[cfg(feature = "http")]
impl Extractor for http::HeaderMap {
    fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a str, &'a [u8])) {
        for (name, value) in self {
            visit(name.as_str(), value.as_bytes());
        }
    }
}

#[cfg(feature = "http")]
impl Injector for http::HeaderMap {
    fn set(&mut self, name: &'static str, value: &str) {
        // A value of visible ASCII is always a header value; anything else is left out.
        if let Ok(value) = http::HeaderValue::from_str(value) {
            self.insert(http::HeaderName::from_static(name), value);
        }
    }
}

impl<V: AsRef<[u8]>, S: BuildHasher> Extractor for HashMap<String, V, S> {
    fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a str, &'a [u8])) {
        for (name, value) in self {
            visit(name, value.as_ref());
        }
    }
}

impl<V: From<String>, S: BuildHasher> Injector for HashMap<String, V, S> {
    fn set(&mut self, name: &'static str, value: &str) {
        self.insert(name.to_owned(), V::from(value.to_owned()));
    }
}

impl<V: AsRef<[u8]>> Extractor for BTreeMap<String, V> {
    fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a str, &'a [u8])) {
        for (name, value) in self {
            visit(name, value.as_ref());
        }
    }
}

impl<V: From<String>> Injector for BTreeMap<String, V> {
    fn set(&mut self, name: &'static str, value: &str) {
        self.insert(name.to_owned(), V::from(value.to_owned()));
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Extractor for [(N, V)] {
    fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a str, &'a [u8])) {
        for (name, value) in self {
            visit(name.as_ref(), value.as_ref());
        }
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> Extractor for Vec<(N, V)> {
    fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a str, &'a [u8])) {
        self.as_slice().visit(visit);
    }
}

impl<N: AsRef<str> + From<&'static str>, V: From<String>> Injector for Vec<(N, V)> {
    fn set(&mut self, name: &'static str, value: &str) {
        self.retain(|(known, _)| !known.as_ref().eq_ignore_ascii_case(name));
        self.push((N::from(name), V::from(value.to_owned())));
    }
}
