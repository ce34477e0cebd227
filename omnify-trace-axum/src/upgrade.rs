//! What goes on after an upgrade still belongs to the request that asked for it.

use tracing::instrument::Instrumented;
use tracing::{Instrument, Span};

use crate::tracing::hooks::TARGET;

/// Carries the request's context into what a WebSocket, or any other upgrade, does.
///
/// The request itself ends with its 101, and its connection goes on in a task of its own, which
/// knows nothing of it. Whatever is logged, and whoever is called, inside of `callback` has the
/// request's ids, user and trace; its spans are children of the request's.
///
/// To be called in the handler. Outside of a request it changes nothing.
///
/// ```
/// use axum::{Router, extract::ws::{WebSocket, WebSocketUpgrade}, routing::any};
/// use omnify_trace_axum::upgraded;
/// let app: Router = Router::new().route("/live", any(|upgrade: WebSocketUpgrade| async {
///     upgrade.on_upgrade(upgraded(|mut socket: WebSocket| async move {
///         while let Some(Ok(message)) = socket.recv().await {
///             tracing::debug!(bytes = message.into_data().len(), "message");
///         }
///     }))
/// }));
/// ```
pub fn upgraded<T, F, R>(callback: F) -> impl FnOnce(T) -> Instrumented<R> + Send + 'static
where
    F: FnOnce(T) -> R + Send + 'static,
    R: Future + Send,
{
    let span = if Span::current().is_none() {
        Span::none()
    } else {
        tracing::error_span!(target: TARGET, "upgraded")
    };
    move |connection| {
        let future = span.in_scope(|| callback(connection));
        future.instrument(span)
    }
}
