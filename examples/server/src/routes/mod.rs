//! The application's own API under `/api`: workflows, customers, and (in the demo) things that go wrong.

mod customers;
mod faults;
mod problem;
mod workflows;

use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
    response::{IntoResponse as _, Response},
};
use omnify_trace::CorrelationContext;

pub(crate) use customers::Customers;
use problem::Problem;

use crate::workflow::Engine;

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) customers: Customers,
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only callers with a valid token.
    Identified,
    /// Anyone: the demo's customer page has no login.
    Anyone,
}

/// The routes; with `faults`, also those that misbehave on purpose.
pub(crate) fn router(app: App, access: Access, with_faults: bool) -> Router {
    let mut routes = Router::new()
        .merge(workflows::router())
        .merge(customers::router());
    if with_faults {
        routes = routes.merge(faults::router());
    }
    let routes = routes.with_state(app);
    match access {
        Access::Anyone => routes,
        Access::Identified => routes.layer(from_fn(identified)),
    }
}

/// The identity layer has already looked at the token: whoever it accepted has a user id.
async fn identified(request: Request, next: Next) -> Response {
    let known = CorrelationContext::current().is_some_and(|context| context.user_id().is_some());
    if known {
        return next.run(request).await;
    }
    Problem::unauthorized().into_response()
}
