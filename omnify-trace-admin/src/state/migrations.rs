//! The schema of the state, step by step. One text serves SQLite and Postgres:
//! times and flags are BIGINT, ids are TEXT.

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

const STEPS: &[(i64, &str, &str)] = &[
    (
        1,
        "access and issues",
        include_str!("0001_access_and_issues.sql"),
    ),
    (2, "leases", include_str!("0002_leases.sql")),
];

/// Every step up to now.
pub(super) fn migrator() -> Migrator {
    Migrator::with_migrations(
        STEPS
            .iter()
            .map(|(version, name, sql)| {
                Migration::new(
                    *version,
                    (*name).into(),
                    MigrationType::Simple,
                    sql.into_sql_str(),
                    false,
                )
            })
            .collect(),
    )
}
