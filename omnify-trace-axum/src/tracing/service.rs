//! From a request's head to its span and its first event.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::extract::MatchedPath;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body::Body;
use omnify_trace::context::{CorrelationContext, RunId, SpanId, TraceId, WorkflowId};
use omnify_trace::propagation::{
    Extraction, RemoteContext, TraceFlags,
    baggage::{BAGGAGE_RUN_ID, BAGGAGE_WORKFLOW_ID},
    extract,
    request_id::valid as request_id_rule,
};
use tower_service::Service;
use tracing::Span;

use super::active::Active;
use super::arrival::{self, Arrival, Name};
use super::caller::Caller;
use super::client_address::{self, AddressText};
use super::future::{Called, REQUEST_ID, ResponseFuture};
use super::head::Head;
use super::hooks::{OnEnd, OnRequest, Start, TARGET};
use super::layer::Config;
use super::query::redact_query;
use super::request_id;
use crate::classify::Classify;

/// The service of [`TracingLayer`](super::TracingLayer).
#[derive(Debug)]
pub struct TracingService<S, C, R, E> {
    inner: S,
    config: Arc<Config<C, R, E>>,
}

impl<S, C, R, E> TracingService<S, C, R, E> {
    pub(super) fn new(inner: S, config: Arc<Config<C, R, E>>) -> Self {
        Self { inner, config }
    }
}

impl<S: Clone, C, R, E> Clone for TracingService<S, C, R, E> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            config: Arc::clone(&self.config),
        }
    }
}

impl<S, ReqBody, ResBody, C, R, E> Service<Request<ReqBody>> for TracingService<S, C, R, E>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body<Data = Bytes>,
    C: Classify,
    R: OnRequest,
    E: OnEnd,
{
    type Response = Response<super::ResponseBody<ResBody, C, R, E>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, C, R, E>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let config = &self.config;
        let (active, caller, arrived) = arrive(config, &request);
        let arrival = &active.arrival;
        let entered = arrival.span.enter();
        config
            .on_request
            .on_request(&arrived.start(&request, arrival));
        let hands_in = config.settings.hands_in;
        let at_hand = hands_in.then(|| (arrival::leave(arrival), caller.leave()));
        // A service may panic before it returns its future. What goes through `catch_unwind` by
        // value is copied on each side: request and future go by reference.
        let mut request = Some(request);
        let mut called = Called::Panicked { payload: None };
        let caught = catch_unwind(AssertUnwindSafe(|| {
            if let Some(request) = request.take() {
                called = Called::Running {
                    future: self.inner.call(request),
                };
            }
        }));
        if let Err(payload) = caught {
            called = Called::Panicked {
                payload: Some(payload),
            };
        }
        drop(at_hand);
        drop(entered);
        ResponseFuture::new(called, active)
    }
}

/// What the first event tells, and nobody has to remember.
struct Arrived<'r> {
    head: Head<'r>,
    client: Option<AddressText>,
    query: Option<Cow<'r, str>>,
    conflict: Option<&'static str>,
}

impl Arrived<'_> {
    fn start<'a, B>(&'a self, request: &'a Request<B>, arrival: &'a Arrival) -> Start<'a> {
        Start {
            method: &arrival.method,
            route: arrival.route.as_ref().map(MatchedPath::as_str),
            path: arrival.path(),
            query: self.query.as_deref(),
            client_address: self.client.as_ref().map(AddressText::as_str),
            headers: request.headers(),
            user_agent: self.head.user_agent.get(),
            content_length: self.head.content_length.get(),
            quiet: arrival.quiet,
            conflict: self.conflict,
        }
    }
}

/// Finds out what a request says of itself, and opens its span.
fn arrive<'r, B, C, R, E>(
    config: &Arc<Config<C, R, E>>,
    request: &'r Request<B>,
) -> (Active<C, R, E>, Caller, Arrived<'r>)
where
    C: Classify,
    E: OnEnd,
{
    let started = Instant::now();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let head = Head::of(request.headers());
    let extraction = extract(&head);
    let name = match extraction.request_id.valid() {
        Some(id) => given(request.headers(), id),
        None => Name::Minted(request_id::mint(now)),
    };
    let request_id = name.as_str().unwrap_or("invalid");
    let session = extraction.session_id.as_deref().or_else(|| {
        let name = config.settings.session_cookie?;
        cookie(request.headers(), name)
    });
    let caller = Caller::of(&config.settings, head.authorization.get(), now);
    let span = open(
        &extraction,
        &Named {
            request_id,
            session,
            user: caller.user(),
            organization: caller.organization(),
        },
    );
    let (method, uri) = (request.method(), request.uri());
    let arrival = Arrival {
        span,
        method: method.clone(),
        uri: uri.clone(),
        name,
        route: request.extensions().get::<MatchedPath>().cloned(),
        quiet: config.settings.is_quiet(uri.path()),
        started,
        second: now.as_secs(),
        latest: AtomicU64::new(0),
    };
    // From here on, whatever happens, the request ends once.
    let active = Active {
        config: Arc::clone(config),
        arrival: Arc::new(arrival),
        head: None,
        response_bytes: 0,
        finished: false,
    };
    let peer = client_address::peer(request.extensions());
    let client = config.settings.proxies.client(peer, request.headers());
    let arrived = Arrived {
        conflict: extraction.conflict.map(|conflict| conflict.format.as_str()),
        client: client.map(AddressText::new),
        query: uri.query().map(redact_query),
        head,
    };
    (active, caller, arrived)
}

/// The caller's own header value where it is kept: a reference count instead of a copy.
fn given(headers: &HeaderMap, id: &str) -> Name {
    match headers.get(&REQUEST_ID) {
        Some(value) if value.as_bytes() == id.as_bytes() => Name::Given(value.clone()),
        // It was the correlation id that was kept.
        _ => HeaderValue::from_str(id).map_or(Name::None, Name::Given),
    }
}

/// What a request's span can be told at once, besides its place in a trace.
struct Named<'a> {
    request_id: &'a str,
    session: Option<&'a str>,
    user: Option<&'a str>,
    organization: Option<&'a str>,
}

/// The request's span: its ids, and room for the identity that another layer may find.
fn open(extraction: &Extraction<'_>, named: &Named<'_>) -> Span {
    let Some(remote) = extraction.trace.remote() else {
        if extraction.baggage.is_empty() {
            return span(named, None, None);
        }
        let context = carried(extraction, CorrelationContext::builder()).build();
        return context.attach(|| span(named, None, None));
    };
    let trace_id = TraceId::from_u128(remote.trace_id).map(TraceId::to_hex);
    let parent_id = remote
        .parent_span_id
        .and_then(SpanId::from_u64)
        .map(SpanId::to_hex);
    let trace_id = trace_id
        .as_ref()
        .and_then(|hex| std::str::from_utf8(hex).ok());
    let parent_id = parent_id
        .as_ref()
        .and_then(|hex| std::str::from_utf8(hex).ok());
    // Flags that differ from those of a trace begun here have to be carried on as they came.
    let is_like_ours = remote.flags == TraceFlags::SAMPLED.with(TraceFlags::RANDOM);
    if extraction.tracestate.is_none() && extraction.baggage.is_empty() && is_like_ours {
        return span(named, trace_id, parent_id);
    }
    context_of(extraction, remote).attach(|| span(named, trace_id, parent_id))
}

/// What the fields of a span cannot say: flags, tracestate, baggage and the run that it names.
fn context_of(extraction: &Extraction<'_>, remote: &RemoteContext) -> CorrelationContext {
    let builder = CorrelationContext::builder()
        .trace_id(TraceId::from_u128(remote.trace_id))
        .span_id(remote.parent_span_id.and_then(SpanId::from_u64))
        .trace_flags(remote.flags.bits())
        .trace_state(extraction.tracestate.as_deref().map(Arc::from));
    carried(extraction, builder).build()
}

fn carried(
    extraction: &Extraction<'_>,
    mut builder: omnify_trace::context::ContextBuilder,
) -> omnify_trace::context::ContextBuilder {
    if !extraction.baggage.is_empty() {
        for (key, value) in extraction.baggage.iter() {
            builder = match key {
                BAGGAGE_RUN_ID => builder.run_id(value.parse::<RunId>().ok()),
                BAGGAGE_WORKFLOW_ID => builder.workflow_id(value.parse::<WorkflowId>().ok()),
                _ => builder,
            }
            .baggage(key, &*value);
        }
    }
    builder
}

/// The value of a cookie, if it is harmless.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let mut pairs = cookies.flat_map(|value| value.as_bytes().split(|&byte| byte == b';'));
    pairs.find_map(|pair| {
        let (key, value) = std::str::from_utf8(pair).ok()?.trim().split_once('=')?;
        (key == name)
            .then(|| request_id_rule(value.trim_matches('"').as_bytes()))
            .flatten()
    })
}

fn span(named: &Named<'_>, trace_id: Option<&str>, parent_span_id: Option<&str>) -> Span {
    tracing::error_span!(
        target: TARGET,
        "request",
        request_id = named.request_id,
        trace_id,
        parent_span_id,
        session_id = named.session,
        user_id = named.user,
        organization_id = named.organization,
    )
}
