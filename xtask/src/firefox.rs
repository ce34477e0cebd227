//! Firefox for the browser logger's tests: the distribution's, installed when missing. Unlike
//! [`chromium`](crate::chromium) the tests can do without it, and then say so.

use std::path::PathBuf;

use crate::shell;

/// Ubuntu's `firefox` is a snap, which the tests cannot drive; it is still taken if it is there already.
const NAMES: [&str; 2] = ["firefox-esr", "firefox"];

/// Finds Firefox, or installs the distribution's; without either the reason is told.
pub(crate) fn ensure() -> Option<PathBuf> {
    if let Some(found) = find() {
        return Some(found);
    }
    if let Err(reason) = shell::apt_install(&["firefox-esr"], "the browser tests in Firefox") {
        eprintln!("\n!!! NOT TESTED IN FIREFOX: it could not be installed.\n    {reason:#}\n");
        return None;
    }
    find()
}

fn find() -> Option<PathBuf> {
    NAMES.iter().find_map(|name| shell::find(name))
}
