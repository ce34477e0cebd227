//! PostgreSQL and Redis for the tests: the distribution's, installed when missing. The tests start
//! and stop servers of their own; one that runs already is left alone.

use std::{fs, path::Path};

use anyhow::Result;

use crate::shell;

/// Installs what is missing.
pub(crate) fn ensure() -> Result<()> {
    let what_for = "the tests against real servers";
    if !shell::exists("initdb") && !debian_has_postgres() {
        shell::apt_install(&["postgresql"], what_for)?;
    }
    if !shell::exists("redis-server") {
        shell::apt_install(&["redis-server"], what_for)?;
    }
    Ok(())
}

/// Debian keeps the server's programs off the `PATH`, one folder for each version.
fn debian_has_postgres() -> bool {
    let versions = fs::read_dir(Path::new("/usr/lib/postgresql"));
    versions.is_ok_and(|mut versions| {
        versions.any(|version| version.is_ok_and(|v| v.path().join("bin/initdb").is_file()))
    })
}
