//! Levels for one customer, for a limited time.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use tracing_core::LevelFilter;

use super::levels::Shared;
use crate::{
    context::{OrganizationId, RunId, UserId, WorkflowId},
    layer::ContextView,
    schema::fields,
};

/// Whose work is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// What is done for this user.
    User(UserId),
    /// What is done for this organization.
    Organization(OrganizationId),
    /// Every run of this workflow.
    Workflow(WorkflowId),
    /// This run.
    Run(RunId),
}

impl Scope {
    /// The field of the context that is compared.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::User(_) => fields::USER_ID,
            Self::Organization(_) => fields::ORGANIZATION_ID,
            Self::Workflow(_) => fields::WORKFLOW_ID,
            Self::Run(_) => fields::RUN_ID,
        }
    }

    /// The value that it must have.
    #[must_use]
    pub fn value(&self) -> &str {
        match self {
            Self::User(id) => id.as_str(),
            Self::Organization(id) => id.as_str(),
            Self::Workflow(id) => id.as_str(),
            Self::Run(id) => id.as_str(),
        }
    }
}

/// Names a level for one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OverrideId(u64);

impl OverrideId {
    /// As a number, for an API.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The id with this number.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }
}

/// A level for one customer.
#[derive(Debug, Clone)]
pub struct Override {
    id: OverrideId,
    scope: Scope,
    level: LevelFilter,
    until: Instant,
    /// The value as it stands in lines.
    escaped: Vec<u8>,
}

impl Override {
    /// Its name.
    #[must_use]
    pub const fn id(&self) -> OverrideId {
        self.id
    }

    /// Whose work is meant.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The level that it may speak at.
    #[must_use]
    pub const fn level(&self) -> LevelFilter {
        self.level
    }

    /// When it ends.
    #[must_use]
    pub const fn until(&self) -> Instant {
        self.until
    }

    pub(super) fn covers(&self, context: &ContextView<'_>) -> bool {
        context.escaped(self.scope.field()) == self.escaped
    }
}

pub(super) fn add(
    shared: &Arc<Shared>,
    scope: Scope,
    level: LevelFilter,
    time: Duration,
) -> OverrideId {
    let id = OverrideId(shared.next_override.fetch_add(1, Ordering::Relaxed));
    let now = Instant::now();
    // A time beyond what a clock can hold means: until the service ends.
    let until = now
        .checked_add(time)
        .unwrap_or(now + Duration::from_secs(365 * 24 * 3600));
    shared.overrides.write().push(Override {
        id,
        escaped: ContextView::escape(scope.value()),
        scope,
        level,
        until,
    });
    shared.overridden.store(true, Ordering::Relaxed);
    shared.changed();
    end_in_time(Arc::downgrade(shared), until);
    id
}

pub(super) fn remove(shared: &Shared, which: impl Fn(&Override) -> bool) -> bool {
    let mut overrides = shared.overrides.write();
    let before = overrides.len();
    overrides.retain(|one| !which(one));
    let removed = overrides.len() != before;
    shared
        .overridden
        .store(!overrides.is_empty(), Ordering::Relaxed);
    drop(overrides);
    if removed {
        shared.changed();
    }
    removed
}

/// An override holds no longer than its time in any case; this gives its callsites their speed back.
fn end_in_time(shared: Weak<Shared>, until: Instant) {
    let wait = move || {
        // This thread is the logger's own: nothing here may log through it.
        let nobody = tracing::subscriber::NoSubscriber::default();
        tracing::subscriber::with_default(nobody, || {
            thread::sleep(until.saturating_duration_since(Instant::now()));
            if let Some(shared) = shared.upgrade() {
                remove(&shared, |one| one.until() <= Instant::now());
            }
        });
    };
    // Without a thread the override still ends in time; its callsites stay a little slower.
    let _ = thread::Builder::new()
        .name("omnify-levels".to_owned())
        .spawn(wait);
}
