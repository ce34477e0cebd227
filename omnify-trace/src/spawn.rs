//! Tasks and threads that keep their context.
//!
//! `tokio::spawn` and `std::thread::spawn` start outside every span: the lines of what runs there
//! lose their request, user and workflow. These helpers carry the current span and subscriber
//! over. `docs/lost-context.md` has a snippet that makes clippy point at the plain ones.
//!
//! ```
//! use omnify_trace::{CorrelationContext, JsonLayer, context::UserId, layer::NoSink};
//! use tracing_subscriber::prelude::*;
//!
//! fn user() -> Option<String> {
//!     Some(CorrelationContext::current()?.user_id()?.to_string())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let subscriber = tracing_subscriber::registry().with(JsonLayer::new(NoSink));
//! # let _guard = tracing::subscriber::set_default(subscriber);
//! let context = CorrelationContext::builder().user_id("u-1".parse::<UserId>()?).build();
//! let span = context.span("request");
//! let _entered = span.enter();
//! assert_eq!(user().as_deref(), Some("u-1"));
//!
//! let thread = omnify_trace::thread("worker", user)?;
//! let task = omnify_trace::spawn("task", async { user() });
//! let blocking = omnify_trace::spawn_blocking("blocking", user);
//! let mut set = tokio::task::JoinSet::new();
//! omnify_trace::spawn::spawn_in(&mut set, "member", async { user() });
//! # drop(_entered);
//!
//! assert_eq!(thread.join().unwrap().as_deref(), Some("u-1"));
//! assert_eq!(task.await?.as_deref(), Some("u-1"));
//! assert_eq!(blocking.await?.as_deref(), Some("u-1"));
//! assert_eq!(set.join_next().await.unwrap()?.as_deref(), Some("u-1"));
//! # Ok(())
//! # }
//! ```
//!
//! An `await` needs no helper: a future that is instrumented with its span is inside it whenever it
//! is polled, on whatever worker.
//!
//! ```
//! # use omnify_trace::{CorrelationContext, JsonLayer, context::UserId, layer::NoSink};
//! # use tracing_subscriber::prelude::*;
//! use tracing::Instrument as _;
//! # fn user() -> Option<String> {
//! #     Some(CorrelationContext::current()?.user_id()?.to_string())
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let subscriber = tracing_subscriber::registry().with(JsonLayer::new(NoSink));
//! # let _guard = tracing::subscriber::set_default(subscriber);
//! async fn handle() -> Option<String> {
//!     tokio::task::yield_now().await;
//!     user()
//! }
//! let for_user = |id: &str| tracing::info_span!("request", user_id = id);
//! let one = handle().instrument(for_user("u-1"));
//! let two = handle().instrument(for_user("u-2"));
//! let (one, two) = tokio::join!(one, two);
//! assert_eq!((one.as_deref(), two.as_deref()), (Some("u-1"), Some("u-2")));
//! assert_eq!(user(), None);
//! # Ok(())
//! # }
//! ```
//!
//! A message in a channel does not know who sent it: send the context along.
//!
//! ```
//! # use omnify_trace::{CorrelationContext, JsonLayer, context::UserId, layer::NoSink};
//! # use tracing_subscriber::prelude::*;
//! # let subscriber = tracing_subscriber::registry().with(JsonLayer::new(NoSink));
//! # let _guard = tracing::subscriber::set_default(subscriber);
//! # let user = || Some(CorrelationContext::current()?.user_id()?.to_string());
//! let (sender, receiver) = std::sync::mpsc::channel();
//! tracing::info_span!("request", user_id = "u-1")
//!     .in_scope(|| sender.send((CorrelationContext::current(), "invoice 7")))?;
//! let (context, invoice) = receiver.recv()?;
//! assert_eq!(user(), None);
//! let work = || (invoice, user());
//! let (_, whose) = context.unwrap_or_default().span("print").in_scope(work);
//! assert_eq!(whose.as_deref(), Some("u-1"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Between processes [`propagation`](crate::propagation) writes it into headers or attributes.

use tracing::{Span, dispatcher};

/// A span for the new task or thread, child of the current one.
fn child(name: &str) -> Span {
    tracing::error_span!(target: "omnify_trace::context", "task", otel.name = name)
}

/// `tokio::spawn` whose task stays in the current context, under a child span called `name`.
///
/// # Panics
/// As `tokio::spawn` does, outside a runtime.
#[cfg(feature = "tokio")]
pub fn spawn<F>(name: &str, future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    use tracing::instrument::{Instrument as _, WithSubscriber as _};
    let future = crate::operation::carry(future).instrument(child(name));
    if crate::setup::is_global_current() {
        tokio::spawn(future)
    } else {
        // A scoped subscriber (a test's) has to go with the task.
        tokio::spawn(future.with_current_subscriber())
    }
}

/// `JoinSet::spawn` whose task stays in the current context.
///
/// # Panics
/// As `JoinSet::spawn` does, outside a runtime.
#[cfg(feature = "tokio")]
pub fn spawn_in<F>(
    set: &mut tokio::task::JoinSet<F::Output>,
    name: &str,
    future: F,
) -> tokio::task::AbortHandle
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    use tracing::instrument::{Instrument as _, WithSubscriber as _};
    let future = crate::operation::carry(future).instrument(child(name));
    if crate::setup::is_global_current() {
        set.spawn(future)
    } else {
        set.spawn(future.with_current_subscriber())
    }
}

/// `tokio::task::spawn_blocking` whose closure stays in the current context.
///
/// # Panics
/// As `spawn_blocking` does, outside a runtime.
#[cfg(feature = "tokio")]
pub fn spawn_blocking<F, R>(name: &str, work: F) -> tokio::task::JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    tokio::task::spawn_blocking(carry(name, work))
}

/// `std::thread::Builder::spawn` whose thread is called `name` and stays in the current context.
///
/// # Errors
/// As `std::thread::Builder::spawn`: the system has no thread left to give.
pub fn thread<F, R>(name: &str, work: F) -> std::io::Result<std::thread::JoinHandle<R>>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(carry(name, work))
}

fn carry<R, F: FnOnce() -> R>(name: &str, work: F) -> impl FnOnce() -> R + use<R, F> {
    let span = child(name);
    let work = crate::operation::carried(work);
    let dispatch =
        (!crate::setup::is_global_current()).then(|| dispatcher::get_default(Clone::clone));
    move || match dispatch {
        Some(dispatch) => dispatcher::with_default(&dispatch, || span.in_scope(work)),
        None => span.in_scope(work),
    }
}
