//! Filter directives: `info,hyper=warn,shop::cart=trace`.

use std::{fmt, str::FromStr};

use tracing_core::{Level, LevelFilter};

use crate::Error;

/// Which level each target may speak at. The longest matching target decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directives {
    default: LevelFilter,
    /// Longest target first.
    targets: Vec<(String, LevelFilter)>,
}

impl Directives {
    /// One level for all.
    #[must_use]
    pub const fn all(level: LevelFilter) -> Self {
        Self {
            default: level,
            targets: Vec::new(),
        }
    }

    /// The level of targets that no directive names.
    #[must_use]
    pub const fn default_level(&self) -> LevelFilter {
        self.default
    }

    /// Changes the level of targets that no directive names.
    pub fn set_default(&mut self, level: LevelFilter) {
        self.default = level;
    }

    /// The directives that name a target.
    pub fn targets(&self) -> impl Iterator<Item = (&str, LevelFilter)> {
        self.targets
            .iter()
            .map(|(target, level)| (target.as_str(), *level))
    }

    /// Sets a target's level, or with `None` takes its directive away.
    pub fn set_target(&mut self, target: &str, level: Option<LevelFilter>) {
        self.targets.retain(|(known, _)| known != target);
        if let Some(level) = level {
            self.targets.push((target.to_owned(), level));
            self.targets
                .sort_by_key(|(target, _)| std::cmp::Reverse(target.len()));
        }
    }

    /// The level that this target may speak at.
    #[must_use]
    pub fn level_for(&self, target: &str) -> LevelFilter {
        self.targets
            .iter()
            .find(|(prefix, _)| matches(prefix, target))
            .map_or(self.default, |(_, level)| *level)
    }

    /// Whether an event or span of this level and target may speak.
    #[must_use]
    pub fn allow(&self, level: Level, target: &str) -> bool {
        level <= self.level_for(target)
    }

    /// The most verbose level of any target.
    #[must_use]
    pub fn most_verbose(&self) -> LevelFilter {
        self.targets
            .iter()
            .map(|(_, level)| *level)
            .fold(self.default, LevelFilter::max)
    }
}

/// `shop` covers `shop` and `shop::cart`, not `shopping`.
fn matches(prefix: &str, target: &str) -> bool {
    target
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::") || rest.starts_with('.'))
}

impl FromStr for Directives {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut directives = Self::all(LevelFilter::ERROR);
        for directive in text.split(',').map(str::trim).filter(|d| !d.is_empty()) {
            let wrong = |reason: String| Error::Filter {
                directive: directive.to_owned(),
                reason,
            };
            if directive.contains(['[', ']', '{', '}']) {
                return Err(wrong(
                    "directives on spans and fields are not understood; levels for one user, organization or workflow are set at run time".to_owned(),
                ));
            }
            match directive.split_once('=') {
                Some((target, level)) => {
                    let level = level_of(level.trim())
                        .ok_or_else(|| wrong(format!("{level:?} is no level")))?;
                    directives.set_target(target.trim(), Some(level));
                }
                // A name alone is a target, everything of which is wanted: as `env_logger` has it.
                None => match level_of(directive) {
                    Some(level) => directives.default = level,
                    None if is_target(directive) => {
                        directives.set_target(directive, Some(LevelFilter::TRACE));
                    }
                    None => return Err(wrong("it is neither a level nor a target".to_owned())),
                },
            }
        }
        Ok(directives)
    }
}

fn is_target(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '.'))
}

/// Only names: `tracing`'s own parser takes bare digits too, which are a typing error here.
pub(crate) fn level_of(text: &str) -> Option<LevelFilter> {
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

impl fmt::Display for Directives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.default)?;
        for (target, level) in &self.targets {
            write!(f, ",{target}={level}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_target_decides() {
        let directives: Directives = "info, hyper=warn,shop::cart=trace ,shop=off"
            .parse()
            .unwrap();
        assert!(directives.allow(Level::INFO, "anything"));
        assert!(!directives.allow(Level::DEBUG, "anything"));
        assert!(!directives.allow(Level::INFO, "hyper::client"));
        assert!(directives.allow(Level::TRACE, "shop::cart::item"));
        assert!(!directives.allow(Level::ERROR, "shop::pay"));
        assert!(directives.allow(Level::INFO, "shopping"));
        assert_eq!(
            directives.to_string(),
            "info,shop::cart=trace,hyper=warn,shop=off"
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for wrong in ["shop=loud", "[span{x=1}]=debug", "a b", "7"] {
            let error = wrong.parse::<Directives>().unwrap_err();
            assert_eq!(error.code(), "OT0003", "{wrong}");
        }
    }
}
