//! The dashboard at `/admin` and the customer page at `/`, embedded in the binary.

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderValue, Response, StatusCode, header},
    routing::get,
};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../dashboard/dist"]
#[allow_missing = true]
struct Files;

/// Scripts and styles from here alone; WebAssembly may be compiled; nobody may frame us.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; object-src 'none'; \
    base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

const NOT_BUILT: &str = "The dashboard is not part of this build.\n\
    Build it with `cargo xtask dashboard`, then build the server again.\n";

/// Pages, scripts, styles.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/", get(page))
        .route("/admin", get(page))
        .route("/admin/", get(page))
        .route("/admin/{*path}", get(page))
        .route("/favicon.ico", get(page))
        .route("/favicon.svg", get(page))
}

async fn page(request: Request) -> Response<Body> {
    let path = request.uri().path().trim_matches('/');
    match find(path) {
        Some((name, file)) => answer(&name, file, request.headers().get(header::IF_NONE_MATCH)),
        None if Files::iter().next().is_none() => text(StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT),
        None => text(StatusCode::NOT_FOUND, "There is no such page.\n"),
    }
}

/// A file of that name, or the page that owns the path: the dashboard does its own routing.
fn find(path: &str) -> Option<(String, EmbeddedFile)> {
    let owner = if path == "admin" || path.starts_with("admin/") {
        "admin/index.html"
    } else {
        "index.html"
    };
    let is_file = path
        .rsplit('/')
        .next()
        .is_some_and(|name| name.contains('.'));
    let name = if is_file { path } else { owner };
    Files::get(name).map(|file| (name.to_owned(), file))
}

fn answer(name: &str, file: EmbeddedFile, known: Option<&HeaderValue>) -> Response<Body> {
    let tag = format!("\"{}\"", hex(&file.metadata.sha256_hash()[..16]));
    let fresh = known.is_some_and(|known| known.as_bytes() == tag.as_bytes());
    // Names under admin/assets/ carry a hash of their content, so they never change.
    let cache = if name.starts_with("admin/assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut response = Response::new(if fresh {
        Body::empty()
    } else {
        Body::from(file.data.into_owned())
    });
    if fresh {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    if let Ok(kind) = HeaderValue::from_str(kind.as_ref()) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CONTENT_SECURITY_POLICY),
    );
    response
}

fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
