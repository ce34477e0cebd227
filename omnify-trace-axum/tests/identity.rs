//! Tokens: which become an identity, and which an event.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::routing::get;
use axum::{Extension, Router};
use bytes::Bytes;
use http::{Response, StatusCode};
use jsonwebtoken::{Algorithm as Signing, EncodingKey, Header, encode};
use omnify_trace_axum::identity::{Algorithm, Identity, IdentityLayer, Jwks, JwksError};
use omnify_trace_axum::{SecurityLayer, StackOptions, stack};
use serde_json::{Value, json};
use support::{Captured, capture, get as request, send};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock")
        .as_secs()
}

fn claims() -> Value {
    json!({"sub": "u-7", "org_id": "acme", "iss": "me", "aud": "shop", "exp": now() + 300})
}

fn app(layer: IdentityLayer) -> Router {
    with(StackOptions::new().identity(layer))
}

fn with(options: StackOptions) -> Router {
    let handler = get(|identity: Option<Extension<Identity>>| async move {
        identity
            .and_then(|Extension(identity)| identity.user_id().map(str::to_owned))
            .unwrap_or_default()
    });
    stack(Router::new().route("/", handler), options)
}

fn layer() -> IdentityLayer {
    IdentityLayer::hs256(SECRET).issuer("me").audience("shop")
}

fn sign(claims: &Value) -> String {
    encode(
        &Header::default(),
        claims,
        &EncodingKey::from_secret(SECRET),
    )
    .expect("a token")
}

async fn call(app: &Router, token: &str) -> Response<String> {
    let mut request = request("/");
    request.headers_mut().insert(
        "authorization",
        format!("Bearer {token}").parse().expect("value"),
    );
    send(app, request).await
}

fn reason(log: &Captured) -> Option<String> {
    log.of("authentication_failed").first()?["extra"]["reason"]
        .as_str()
        .map(str::to_owned)
}

#[tokio::test]
async fn a_good_token_names_user_and_organization() {
    let log = capture();
    let app = app(layer());
    for _ in 0..2 {
        log.sink.clear();
        assert_eq!(call(&app, &sign(&claims())).await.body(), "u-7");
        let end = log.end();
        assert_eq!(end["context"]["user_id"], "u-7");
        assert_eq!(end["context"]["organization_id"], "acme");
    }
    let lines = log.sink.lines();
    assert!(
        lines.iter().all(|(_, line)| !line.contains("eyJ")),
        "a token is never logged"
    );
}

#[tokio::test]
async fn the_claims_that_name_user_and_organization_can_be_chosen() {
    let log = capture();
    let mut claims = claims();
    claims["account"] = json!(4711);
    claims["tenant"] = json!("globex");
    let token = sign(&claims);
    let usual = layer();
    let other = usual
        .clone()
        .user_claim("account")
        .organization_claim("tenant");
    let (usual, other) = (app(usual), app(other));
    // Twice, because a verdict is kept, and each must keep its own.
    for _ in 0..2 {
        assert_eq!(call(&usual, &token).await.body(), "u-7");
        log.sink.clear();
        assert_eq!(call(&other, &token).await.body(), "4711");
        assert_eq!(log.end()["context"]["user_id"], "4711");
        assert_eq!(log.end()["context"]["organization_id"], "globex");
    }
}

#[tokio::test]
async fn a_caller_who_is_known_is_named_from_the_first_line_on() {
    let log = capture();
    let app = app(layer());
    let token = sign(&claims());
    call(&app, &token).await;
    assert!(log.of("request_start")[0]["context"]["user_id"].is_null());
    log.sink.clear();
    assert_eq!(call(&app, &token).await.body(), "u-7");
    let start = &log.of("request_start")[0];
    assert_eq!(start["context"]["user_id"], "u-7");
    assert_eq!(start["context"]["organization_id"], "acme");
    assert_eq!(log.end()["context"]["user_id"], "u-7");
    log.sink.clear();
    // Another token with the same end: nobody is named by a part of a token.
    let forged = format!("x{token}");
    assert_eq!(call(&app, &forged).await.body(), "");
    assert!(log.of("request_start")[0]["context"]["user_id"].is_null());
}

#[tokio::test]
async fn a_known_caller_who_is_stopped_on_the_way_is_not_taken_for_the_next_one() {
    let _log = capture();
    let security = SecurityLayer::new().block_at(5);
    let app = with(StackOptions::new().identity(layer()).security(security));
    let token = sign(&claims());
    call(&app, &token).await;
    assert_eq!(call(&app, &token).await.body(), "u-7");
    let mut attack = request("/?q=1'+union+select+1,2--");
    let value = format!("Bearer {token}").parse().expect("value");
    attack.headers_mut().insert("authorization", value);
    assert_eq!(send(&app, attack).await.status(), 403);
    assert_eq!(send(&app, request("/")).await.body(), "");
}

#[tokio::test]
async fn a_bad_token_is_an_event_and_no_identity() {
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        sign(&claims)
    };
    let without = |name: &str| {
        let mut claims = claims();
        claims.as_object_mut().expect("an object").remove(name);
        sign(&claims)
    };
    let header = |change: fn(&mut Header)| {
        let mut header = Header::default();
        change(&mut header);
        encode(&header, &claims(), &EncodingKey::from_secret(SECRET)).expect("a token")
    };
    let hs384 = encode(
        &Header::new(Signing::HS384),
        &claims(),
        &EncodingKey::from_secret(SECRET),
    )
    .expect("a token");
    let other_key = encode(
        &Header::default(),
        &claims(),
        &EncodingKey::from_secret(b"another"),
    )
    .expect("a token");
    // {"alg":"none","typ":"JWT"}
    let none = format!(
        "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.",
        sign(&claims()).split('.').nth(1).expect("claims")
    );
    let cases = [
        ("expired", with("exp", json!(now() - 120)), "expired"),
        ("exp is missing", without("exp"), "claim"),
        (
            "not yet valid",
            with("nbf", json!(now() + 120)),
            "not_yet_valid",
        ),
        ("another issuer", with("iss", json!("you")), "issuer"),
        ("no issuer", without("iss"), "issuer"),
        ("another audience", with("aud", json!("bank")), "audience"),
        ("no audience", without("aud"), "audience"),
        ("user is an object", with("sub", json!({"a": 1})), "claim"),
        ("another algorithm", hs384, "algorithm"),
        ("no algorithm", none, "malformed"),
        ("another key", other_key, "signature"),
        ("no token at all", "abc".into(), "malformed"),
        (
            "another type",
            header(|header| header.typ = Some("logout+jwt".into())),
            "type",
        ),
        (
            "a dangerous key id",
            header(|header| header.kid = Some("../../etc/passwd\n".into())),
            "unknown_key",
        ),
    ];
    for (case, token, expected) in cases {
        let log = capture();
        let response = call(&app(layer()), &token).await;
        assert_eq!(
            (response.status(), response.body().as_str()),
            (StatusCode::OK, ""),
            "{case}"
        );
        assert_eq!(reason(&log).as_deref(), Some(expected), "{case}");
        assert_eq!(log.end()["context"].get("user_id"), None, "{case}");
        let lines = log.sink.lines();
        assert!(
            lines
                .iter()
                .all(|(_, line)| !line.contains(&token) || token.len() < 4),
            "{case}"
        );
    }
}

#[tokio::test]
async fn where_a_token_is_required_others_get_401() {
    let _log = capture();
    let app = app(layer().required());
    let response = send(&app, request("/")).await;
    assert_eq!(
        (
            response.status().as_u16(),
            response.headers()["www-authenticate"].as_bytes()
        ),
        (401, &b"Bearer"[..])
    );
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let response = call(&app, "abc").await;
    assert_eq!(
        response.headers()["www-authenticate"],
        "Bearer error=\"invalid_token\""
    );
    assert_eq!(call(&app, &sign(&claims())).await.status(), 200);
}

#[tokio::test]
async fn every_algorithm_is_checked_with_its_own_key() {
    let (rsa, ec, ed) = (
        include_bytes!("keys/rsa.pem"),
        include_bytes!("keys/ec.pem"),
        include_bytes!("keys/ed.pem"),
    );
    let public = |algorithm, pem: &[u8]| IdentityLayer::public_key(algorithm, pem).expect("a key");
    let rsa_public = include_bytes!("keys/rsa.pub.pem");
    let cases: Vec<(Signing, EncodingKey, IdentityLayer)> = vec![
        (
            Signing::HS256,
            EncodingKey::from_secret(SECRET),
            IdentityLayer::hs256(SECRET),
        ),
        (
            Signing::HS384,
            EncodingKey::from_secret(SECRET),
            IdentityLayer::hs384(SECRET),
        ),
        (
            Signing::HS512,
            EncodingKey::from_secret(SECRET),
            IdentityLayer::hs512(SECRET),
        ),
        (
            Signing::RS256,
            EncodingKey::from_rsa_pem(rsa).expect("a key"),
            public(Algorithm::Rs256, rsa_public),
        ),
        (
            Signing::PS256,
            EncodingKey::from_rsa_pem(rsa).expect("a key"),
            public(Algorithm::Ps256, rsa_public),
        ),
        (
            Signing::ES256,
            EncodingKey::from_ec_pem(ec).expect("a key"),
            public(Algorithm::Es256, include_bytes!("keys/ec.pub.pem")),
        ),
        (
            Signing::EdDSA,
            EncodingKey::from_ed_pem(ed).expect("a key"),
            public(Algorithm::EdDsa, include_bytes!("keys/ed.pub.pem")),
        ),
    ];
    let apps: Vec<Router> = cases
        .iter()
        .map(|(_, _, layer)| app(layer.clone()))
        .collect();
    for (signing, (algorithm, key, _)) in cases.iter().enumerate() {
        let token = encode(&Header::new(*algorithm), &claims(), key).expect("a token");
        for (checking, app) in apps.iter().enumerate() {
            let _log = capture();
            let expected = if signing == checking { "u-7" } else { "" };
            assert_eq!(
                call(app, &token).await.body(),
                expected,
                "{algorithm:?} seen by {:?}",
                cases[checking].0
            );
        }
    }
}

#[test]
fn wrong_keys_are_refused_when_configured() {
    for (algorithm, pem) in [
        (Algorithm::Rs256, &b"nonsense"[..]),
        (Algorithm::Es256, include_bytes!("keys/rsa.pub.pem")),
        (Algorithm::Hs256, include_bytes!("keys/rsa.pub.pem")),
    ] {
        let error = IdentityLayer::public_key(algorithm, pem).expect_err("no such key");
        assert!(error.to_string().starts_with("OT0221"), "{error}");
    }
}

/// An issuer that publishes a key under the id it is told, and counts how often it is asked.
fn issuer(id: &'static str, asked: Arc<AtomicUsize>) -> Jwks {
    Jwks::new(move || {
        let asked = Arc::clone(&asked);
        async move {
            asked.fetch_add(1, SeqCst);
            tokio::task::yield_now().await;
            let key = EncodingKey::from_ed_pem(include_bytes!("keys/ed.pem")).expect("a key");
            let mut jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, Signing::EdDSA)
                .map_err(|error| JwksError(error.to_string()))?;
            jwk.common.key_id = Some(id.to_owned());
            Ok(Bytes::from(json!({"keys": [jwk]}).to_string()))
        }
    })
}

fn signed_by(id: &str) -> String {
    let mut header = Header::new(Signing::EdDSA);
    header.kid = Some(id.to_owned());
    let key = EncodingKey::from_ed_pem(include_bytes!("keys/ed.pem")).expect("a key");
    encode(&header, &claims(), &key).expect("a token")
}

#[tokio::test]
async fn published_keys_are_fetched_once_however_many_ask() {
    let _log = capture();
    let asked = Arc::new(AtomicUsize::new(0));
    let layer =
        IdentityLayer::jwks(Algorithm::EdDsa, issuer("k1", Arc::clone(&asked))).expect("a layer");
    let app = app(layer);
    let token = signed_by("k1");
    let calls = (0..8).map(|_| call(&app, &token));
    for response in futures_util::future::join_all(calls).await {
        assert_eq!(response.body(), "u-7");
    }
    assert_eq!(asked.load(SeqCst), 1);
}

#[tokio::test]
async fn unknown_key_ids_do_not_make_the_issuer_suffer() {
    let log = capture();
    let asked = Arc::new(AtomicUsize::new(0));
    let layer =
        IdentityLayer::jwks(Algorithm::EdDsa, issuer("k1", Arc::clone(&asked))).expect("a layer");
    let app = app(layer);
    for id in ["a", "b", "c", "d"] {
        assert_eq!(call(&app, &signed_by(id)).await.body(), "");
    }
    assert_eq!(asked.load(SeqCst), 1);
    assert_eq!(reason(&log).as_deref(), Some("unknown_key"));
}

#[tokio::test(start_paused = true)]
async fn rotated_keys_are_fetched_when_a_token_names_one_and_old_ones_end() {
    let _log = capture();
    let published = Arc::new(AtomicUsize::new(0));
    let asked = Arc::new(AtomicUsize::new(0));
    let (now_published, now_asked) = (Arc::clone(&published), Arc::clone(&asked));
    let jwks = Jwks::new(move || {
        now_asked.fetch_add(1, SeqCst);
        let id = ["k1", "k2"][now_published.load(SeqCst)];
        async move {
            let key = EncodingKey::from_ed_pem(include_bytes!("keys/ed.pem")).expect("a key");
            let mut jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, Signing::EdDSA)
                .map_err(|error| JwksError(error.to_string()))?;
            jwk.common.key_id = Some(id.to_owned());
            Ok(Bytes::from(json!({"keys": [jwk]}).to_string()))
        }
    });
    let app = app(IdentityLayer::jwks(Algorithm::EdDsa, jwks).expect("a layer"));
    assert_eq!(call(&app, &signed_by("k1")).await.body(), "u-7");
    published.store(1, SeqCst);
    // The issuer was asked a moment ago: not again for a stranger's key id.
    assert_eq!(call(&app, &signed_by("k2")).await.body(), "");
    tokio::time::advance(std::time::Duration::from_secs(11)).await;
    assert_eq!(call(&app, &signed_by("k2")).await.body(), "u-7");
    assert_eq!(asked.load(SeqCst), 2);
    // What the issuer no longer publishes is no key any more.
    let mut header = Header::new(Signing::EdDSA);
    header.kid = Some("k1".to_owned());
    let key = EncodingKey::from_ed_pem(include_bytes!("keys/ed.pem")).expect("a key");
    let mut other = claims();
    other["sub"] = json!("u-8");
    let token = encode(&header, &other, &key).expect("a token");
    assert_eq!(call(&app, &token).await.body(), "");
}

#[tokio::test(start_paused = true)]
async fn published_keys_are_kept_for_ten_minutes_and_used_on_while_the_issuer_is_away() {
    let _log = capture();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let jwks = Jwks::new(move || {
        let first = count.fetch_add(1, SeqCst) == 0;
        async move {
            if !first {
                return Err(JwksError("away".into()));
            }
            let key = EncodingKey::from_ed_pem(include_bytes!("keys/ed.pem")).expect("a key");
            let mut jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, Signing::EdDSA)
                .map_err(|error| JwksError(error.to_string()))?;
            jwk.common.key_id = Some("k1".to_owned());
            Ok(Bytes::from(json!({"keys": [jwk]}).to_string()))
        }
    });
    let app = app(IdentityLayer::jwks(Algorithm::EdDsa, jwks).expect("a layer"));
    for (minute, times) in [(0, 1), (9, 1), (11, 2)] {
        let mut claims = claims();
        claims["jti"] = json!(minute);
        let mut header = Header::new(Signing::EdDSA);
        header.kid = Some("k1".to_owned());
        let key = EncodingKey::from_ed_pem(include_bytes!("keys/ed.pem")).expect("a key");
        let token = encode(&header, &claims, &key).expect("a token");
        assert_eq!(call(&app, &token).await.body(), "u-7", "minute {minute}");
        assert_eq!(asked.load(SeqCst), times, "minute {minute}");
        let step = if minute == 0 { 9 } else { 2 };
        tokio::time::advance(std::time::Duration::from_secs(step * 60)).await;
    }
}

#[tokio::test]
async fn a_public_key_used_as_a_shared_secret_signs_nothing() {
    // What an attacker knows is the public key; a verifier that took the algorithm from the
    // token's header would take its bytes for a shared secret.
    let public = include_bytes!("keys/rsa.pub.pem");
    let app = app(IdentityLayer::public_key(Algorithm::Rs256, public).expect("a key"));
    for algorithm in [Signing::HS256, Signing::HS384, Signing::HS512] {
        let log = capture();
        let secret = EncodingKey::from_secret(public);
        let token = encode(&Header::new(algorithm), &claims(), &secret).expect("a token");
        assert_eq!(call(&app, &token).await.body(), "");
        assert_eq!(reason(&log).as_deref(), Some("algorithm"));
    }
}

#[tokio::test]
async fn keys_and_addresses_in_a_tokens_header_are_not_followed() {
    let log = capture();
    let mut header = Header::new(Signing::EdDSA);
    let key = EncodingKey::from_ed_pem(include_bytes!("keys/ed.pem")).expect("a key");
    header.jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, Signing::EdDSA).ok();
    header.jku = Some("https://evil.example/keys".to_owned());
    let token = encode(&header, &claims(), &key).expect("a token");
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let empty = Jwks::new(move || {
        counted.fetch_add(1, SeqCst);
        async { Ok(Bytes::from_static(br#"{"keys": []}"#)) }
    });
    let app = app(IdentityLayer::jwks(Algorithm::EdDsa, empty).expect("a layer"));
    assert_eq!(call(&app, &token).await.body(), "");
    assert!(reason(&log).is_some());
    assert_eq!(
        asked.load(SeqCst),
        1,
        "the configured issuer, and nobody else"
    );
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_are_an_event_of_their_own() {
    let log = capture();
    let broken = Jwks::new(|| async { Err(JwksError("no route to host".into())) });
    let app = app(IdentityLayer::jwks(Algorithm::Rs256, broken).expect("a layer"));
    let key = EncodingKey::from_rsa_pem(include_bytes!("keys/rsa.pem")).expect("a key");
    let token = encode(&Header::new(Signing::RS256), &claims(), &key).expect("a token");
    assert_eq!(call(&app, &token).await.body(), "");
    assert_eq!(reason(&log).as_deref(), Some("keys_unavailable"));
}
