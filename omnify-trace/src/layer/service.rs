//! Who speaks.

use super::json;

/// The `service` object of every line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Service {
    /// The service's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// `development`, `test`, `production` or a name of the application's own.
    pub environment: String,
    /// Which of several running copies.
    pub instance: String,
}

impl Service {
    /// A service of this name, the rest unknown.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// `,"service":{…}`
    pub(crate) fn fragment(&self) -> Vec<u8> {
        [b",\"service\":", self.json().as_bytes()].concat()
    }

    /// `{…}`, only what is known.
    #[must_use]
    pub fn json(&self) -> String {
        let mut out = vec![b'{'];
        let members = [
            ("name", &self.name),
            ("version", &self.version),
            ("environment", &self.environment),
            ("instance", &self.instance),
        ];
        let mut comma = false;
        for (name, value) in members.into_iter().filter(|(_, value)| !value.is_empty()) {
            if comma {
                out.push(b',');
            }
            comma = true;
            json::key(&mut out, name);
            json::string(&mut out, value);
        }
        out.push(b'}');
        String::from_utf8_lossy(&out).into_owned()
    }
}
