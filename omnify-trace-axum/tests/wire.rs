//! The rules that only a real connection can break: one test each, over sockets on loopback.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects"
)]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::routing::{any, get, post};
use bytes::Bytes;
use futures_util::stream;
use omnify_trace_axum::{StackOptions, stack, upgraded};
use serde_json::Value;
use support::{Captured, capture};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Nothing here takes longer, even on a machine that has other things to do.
const DEADLINE: Duration = Duration::from_secs(20);

/// A server with the whole stack, and what makes `/stream` send its second half.
async fn serve() -> (SocketAddr, Arc<Notify>) {
    let go_on = Arc::new(Notify::new());
    let signal = Arc::clone(&go_on);
    let halves = move || {
        let signal = Arc::clone(&signal);
        let stream = stream::unfold(0, move |half| {
            let signal = Arc::clone(&signal);
            async move {
                match half {
                    0 => Some((
                        Ok::<_, std::io::Error>(Bytes::from_static(b"data: 1\n\n")),
                        1,
                    )),
                    1 => {
                        signal.notified().await;
                        Some((Ok(Bytes::from_static(b"data: 2\n\n")), 2))
                    }
                    _ => None,
                }
            }
        });
        Body::from_stream(stream)
    };
    let events = halves.clone();
    let app = Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route(
            "/upload",
            post(|body: String| async move { body.len().to_string() }),
        )
        .route("/hang", get(std::future::pending::<()>))
        .route("/stream", get(move || async move { halves() }))
        .route(
            "/events",
            get(move || async move { ([("content-type", "text/event-stream")], events()) }),
        )
        .route(
            "/panic",
            get(|| async {
                if true {
                    panic!("out of cheese")
                }
            }),
        )
        .route(
            "/socket",
            any(|upgrade: WebSocketUpgrade| async {
                upgrade.on_upgrade(upgraded(|mut socket: WebSocket| async move {
                    while let Some(Ok(message)) = socket.recv().await {
                        tracing::info!(event_type = "frame", "a frame came");
                        if socket.send(message).await.is_err() {
                            return;
                        }
                    }
                }))
            }),
        );
    let app = stack(app, StackOptions::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async { axum::serve(listener, app).await });
    (address, go_on)
}

/// A connection that a test writes and reads by hand.
struct Wire {
    socket: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    async fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.expect("a connection");
        Self {
            socket,
            read: Vec::new(),
        }
    }

    async fn send(&mut self, text: &str) {
        let text = text.replace('\n', "\r\n");
        let written = self.socket.write_all(text.as_bytes());
        written.await.expect("written");
    }

    /// Reads until `end` has come, and takes everything up to there.
    async fn until(&mut self, end: &[u8]) -> Vec<u8> {
        let reading = async {
            loop {
                let found = self.read.windows(end.len()).position(|part| part == end);
                if let Some(at) = found {
                    return self.read.drain(..at + end.len()).collect();
                }
                let count = self
                    .socket
                    .read_buf(&mut self.read)
                    .await
                    .expect("readable");
                assert_ne!(
                    count,
                    0,
                    "closed after {:?}",
                    String::from_utf8_lossy(&self.read)
                );
            }
        };
        let read = tokio::time::timeout(DEADLINE, reading).await;
        read.expect("in time")
    }

    /// The head of the next answer.
    async fn head(&mut self) -> String {
        let head = self.until(b"\r\n\r\n").await;
        String::from_utf8(head).expect("text").to_ascii_lowercase()
    }
}

impl Captured {
    /// The one end of the one request, once it is there.
    async fn ended(&self) -> Value {
        let ending = async {
            while self.request_events().len() < 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let ended = tokio::time::timeout(DEADLINE, ending).await;
        ended.expect("the request ends");
        self.end()
    }
}

#[tokio::test]
async fn a_websocket_upgrade_completes_its_request_once_and_what_the_socket_does_has_its_context() {
    let log = capture();
    let (address, _) = serve().await;
    let mut wire = Wire::connect(address).await;
    wire.send("GET /socket HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n").await;
    let head = wire.head().await;
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(head.contains("x-request-id: "), "{head}");
    let end = log.ended().await;
    assert_eq!(end["event_type"], "request_complete");
    assert_eq!(end["extra"]["status_code"], 101);
    assert_eq!(end["extra"]["stream"], "upgrade");
    // A masked text frame `hi`, which comes back bare.
    let frame = [0x81, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'i' ^ 2];
    wire.socket.write_all(&frame).await.expect("written");
    wire.until(b"\x81\x02hi").await;
    drop(wire);
    assert_eq!(log.request_events().len(), 2, "closing it is no second end");
    // What goes on after the upgrade has the request's ids, in a span of its own.
    let (end, frame) = (&end["context"], &log.of("frame")[0]["context"]);
    assert_eq!(frame["request_id"], end["request_id"]);
    assert_eq!(frame["trace_id"], end["trace_id"]);
    assert_eq!(frame["parent_span_id"], end["span_id"]);
}

#[tokio::test]
async fn a_reader_who_leaves_server_sent_events_completes_the_request() {
    let log = capture();
    let (address, _) = serve().await;
    let mut wire = Wire::connect(address).await;
    wire.send("GET /events HTTP/1.1\nHost: x\n\n").await;
    wire.until(b"data: 1\n\n").await;
    assert_eq!(log.request_events(), ["request_start"], "it goes on");
    drop(wire);
    let end = log.ended().await;
    assert_eq!(end["event_type"], "request_complete");
    assert_eq!(end["extra"]["stream"], "event_stream");
    assert_eq!(end["extra"]["response_bytes"], 9);
}

#[tokio::test]
async fn a_head_request_completes_with_its_head_and_no_body() {
    let log = capture();
    let (address, _) = serve().await;
    let mut wire = Wire::connect(address).await;
    wire.send("HEAD /hello HTTP/1.1\nHost: x\n\nGET /hello HTTP/1.1\nHost: x\n\n")
        .await;
    let head = wire.head().await;
    assert!(
        head.starts_with("http/1.1 200") && head.contains("content-length: 5"),
        "{head}"
    );
    // Had a body come, the next answer would not begin here.
    assert!(wire.head().await.starts_with("http/1.1 200"));
    wire.until(b"hello").await;
    let ends = log.of("request_complete");
    assert_eq!(ends.len(), 2);
    assert_eq!(ends[0]["extra"]["method"], "HEAD");
    assert_eq!(ends[0]["extra"]["response_bytes"], 0);
    assert_eq!(ends[1]["extra"]["response_bytes"], 5);
}

#[tokio::test]
async fn an_interim_100_continue_is_no_end_of_the_request() {
    let log = capture();
    let (address, _) = serve().await;
    let mut wire = Wire::connect(address).await;
    wire.send("POST /upload HTTP/1.1\nHost: x\nContent-Length: 4\nExpect: 100-continue\n\n")
        .await;
    let interim = wire.head().await;
    assert!(interim.starts_with("http/1.1 100"), "{interim}");
    assert_eq!(log.request_events(), ["request_start"]);
    wire.send("body").await;
    assert!(wire.head().await.starts_with("http/1.1 200"));
    let end = log.ended().await;
    assert_eq!(end["event_type"], "request_complete");
    assert_eq!(end["extra"]["status_code"], 200);
    assert_eq!(log.of("request_start")[0]["extra"]["request_bytes"], 4);
}

#[tokio::test]
async fn a_streamed_answer_ends_with_its_last_byte_not_with_its_head() {
    let log = capture();
    let (address, go_on) = serve().await;
    let mut wire = Wire::connect(address).await;
    wire.send("GET /stream HTTP/1.1\nHost: x\n\n").await;
    assert!(wire.head().await.starts_with("http/1.1 200"));
    wire.until(b"data: 1\n\n").await;
    assert_eq!(log.request_events(), ["request_start"]);
    go_on.notify_one();
    wire.until(b"0\r\n\r\n").await;
    let end = log.ended().await;
    assert_eq!(end["event_type"], "request_complete");
    assert_eq!(end["extra"]["response_bytes"], 18);
    assert!(end["extra"]["duration_ms"].as_f64() > end["extra"]["ttfb_ms"].as_f64());
}

#[tokio::test]
async fn a_client_that_hangs_up_before_the_answer_has_cancelled() {
    let log = capture();
    let (address, _) = serve().await;
    let mut wire = Wire::connect(address).await;
    wire.send("GET /hang HTTP/1.1\nHost: x\n\n").await;
    let started = async {
        while log.request_events().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let started = tokio::time::timeout(DEADLINE, started).await;
    started.expect("the request arrives");
    drop(wire);
    let end = log.ended().await;
    assert_eq!(end["event_type"], "request_cancelled");
    assert_eq!(end["level"], "INFO", "nobody's fault");
    assert_eq!(end["extra"].get("status_code"), None);
}

#[tokio::test]
async fn a_client_that_hangs_up_within_a_plain_body_has_cancelled() {
    let log = capture();
    let (address, _) = serve().await;
    let mut wire = Wire::connect(address).await;
    wire.send("GET /stream HTTP/1.1\nHost: x\n\n").await;
    wire.until(b"data: 1\n\n").await;
    drop(wire);
    let end = log.ended().await;
    assert_eq!(end["event_type"], "request_cancelled");
    assert_eq!(end["extra"]["status_code"], 200);
    assert_eq!(end["extra"]["response_bytes"], 9);
}

#[tokio::test]
async fn a_handler_that_panics_is_answered_with_its_ids_and_the_connection_lives_on() {
    let log = capture();
    let (address, _) = serve().await;
    let mut wire = Wire::connect(address).await;
    wire.send("GET /panic HTTP/1.1\nHost: x\n\n").await;
    let head = wire.head().await;
    assert!(head.starts_with("http/1.1 500"), "{head}");
    assert!(
        head.contains("content-type: application/problem+json"),
        "{head}"
    );
    let problem = wire.until(b"}").await;
    let problem: Value = serde_json::from_slice(&problem).expect("JSON");
    let end = log.ended().await;
    assert_eq!(end["event_type"], "request_error");
    assert_eq!(problem["request_id"], end["context"]["request_id"]);
    assert_eq!(problem["trace_id"], end["context"]["trace_id"]);
    assert!(!problem.to_string().contains("cheese"));
    wire.send("GET /hello HTTP/1.1\nHost: x\n\n").await;
    assert!(wire.head().await.starts_with("http/1.1 200"));
}
