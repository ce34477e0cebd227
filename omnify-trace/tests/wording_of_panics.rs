//! The wording of panics is the toolchain's: each kind is made to happen here, so that a Rust
//! release that words one anew is noticed. And the hook works wherever a panic happens.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    clippy::todo,
    clippy::unimplemented,
    reason = "such code is what is looked for"
)]
#![allow(clippy::unnecessary_literal_unwrap, clippy::let_unit_value)]

use std::cell::RefCell;
use std::hint::black_box;
use std::panic::catch_unwind;

use omnify_trace::testing::{self, Logs};
use omnify_trace::{EventType, operation, panic};

/// What happens, and what it must be called.
const KINDS: &[(fn(), &str)] = &[
    (|| todo!(), "incomplete_code"),
    (|| todo!("refunds {}", 1), "incomplete_code"),
    (|| unimplemented!(), "incomplete_code"),
    (|| unreachable!(), "incomplete_code"),
    (|| unreachable!("no {}", 2), "incomplete_code"),
    (
        || _ = black_box(&[1, 2][..])[black_box(7)],
        "index_out_of_bounds",
    ),
    (
        || _ = black_box(vec![1])[black_box(7)],
        "index_out_of_bounds",
    ),
    (
        || _ = black_box(&[1, 2][..])[black_box(7)..].len(),
        "slice_range",
    ),
    (
        || _ = black_box(&[1, 2][..])[..black_box(7)].len(),
        "slice_range",
    ),
    (
        || _ = black_box(&[1, 2][..])[black_box(2)..black_box(1)].len(),
        "slice_range",
    ),
    (|| _ = black_box("ä")[black_box(1)..].len(), "slice_range"),
    (|| _ = black_box("a")[black_box(7)..].len(), "slice_range"),
    (|| black_box(None::<()>).unwrap(), "unwrap_on_none"),
    (|| black_box(Err::<(), _>("no")).unwrap(), "unwrap_on_err"),
    (
        || _ = black_box(Ok::<_, ()>(1)).unwrap_err(),
        "unwrap_on_err",
    ),
    (|| _ = black_box(1_i32) / black_box(0), "division_by_zero"),
    (|| _ = black_box(1_i32) % black_box(0), "division_by_zero"),
    (|| _ = black_box(i32::MIN) / black_box(-1), "overflow"),
    (
        || _ = black_box(u8::MAX).strict_add(black_box(1)),
        "overflow",
    ),
    (|| _ = black_box(i32::MIN).strict_neg(), "overflow"),
    (borrowed_twice, "already_borrowed"),
    (written_twice, "already_borrowed"),
    (|| assert!(black_box(1) == 2), "assertion"),
    (|| assert_eq!(black_box(1), 2), "assertion"),
    (
        || assert_ne!(black_box(1), 1, "with {}", "text"),
        "assertion",
    ),
    (
        || _ = Vec::<u64>::with_capacity(black_box(usize::MAX)),
        "capacity",
    ),
    (|| panic!("on the disco"), "explicit"),
    (|| black_box(None::<()>).expect("a person"), "explicit"),
    (|| std::panic::panic_any(7_u8), "explicit"),
];

fn borrowed_twice() {
    let cell = RefCell::new(1);
    let _first = cell.borrow();
    let _second = cell.borrow_mut();
}

fn written_twice() {
    let cell = RefCell::new(1);
    let _first = cell.borrow_mut();
    let _second = cell.borrow();
}

fn of_panic(logs: &Logs) -> testing::Event {
    let all = logs.events();
    let mut found = all
        .into_iter()
        .filter(|event| ["panic", "incomplete_code"].contains(&event.event_type()));
    let event = found.next().expect("a panic was told");
    assert!(found.next().is_none(), "and once: {logs:?}");
    event
}

#[test]
fn every_kind_of_panic_is_known_by_its_wording() {
    panic::install();
    for (at, (happens, expected)) in KINDS.iter().enumerate() {
        let logs = testing::capture(|| assert!(catch_unwind(happens).is_err()));
        let event = of_panic(&logs);
        let said = event.get(&["exception", "category"]);
        assert_eq!(said, expected, "number {at}: {}", event.message());
        let sure = event.get(&["extra", "confidence"]);
        assert_eq!(sure == "low", *expected == "explicit", "number {at}");
    }
}

#[test]
fn a_person_may_word_it_like_the_compiler_and_is_believed_less() {
    use panic::{Category, Confidence};
    assert_eq!(panic::category("not implemented: x").1, Confidence::Medium);
    assert_eq!(panic::category("not implemented").1, Confidence::High);
    assert_eq!(
        panic::category("not implemented, sorry").0,
        Category::Explicit
    );
    assert_eq!(panic::category("attempt to escape").0, Category::Explicit);
}

#[test]
fn unfinished_code_is_listed_with_its_place_and_how_often_it_was_reached() {
    panic::install();
    let twice: fn() = || todo!("write the invoice");
    let logs = testing::capture(|| {
        for _ in 0..2 {
            assert!(catch_unwind(twice).is_err());
        }
    });
    let told = logs.all(EventType::IncompleteCode);
    told[0].extra("hits", 1).extra("kind", "todo");
    told[1].extra("hits", 2);
    let list = panic::incomplete_code();
    let entry = list
        .iter()
        .find(|code| code.message.ends_with("write the invoice"));
    let entry = entry.unwrap();
    assert_eq!(entry.hits, 2);
    assert!(
        entry.location.contains("wording_of_panics.rs:"),
        "{entry:?}"
    );
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("in drop");
    }
}

#[omnify_trace::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_told_in_its_context_in_a_thread_a_task_and_a_destructor(logs: Logs) {
    panic::install();
    operation::workflow("w")
        .run_id("r")
        .run(async {
            let thread = omnify_trace::thread("t", || panic!("in thread")).unwrap();
            assert!(thread.join().is_err());
            let task = omnify_trace::spawn("task", async { panic!("in task") });
            assert!(task.await.unwrap_err().is_panic());
            let dropped = omnify_trace::spawn("task", async { drop(PanicsWhenDropped) });
            assert!(dropped.await.unwrap_err().is_panic());
        })
        .await;
    let told = logs.all(EventType::Panic);
    assert_eq!(told.len(), 3, "{logs:?}");
    for (event, text) in told.iter().zip(["in thread", "in task", "in drop"]) {
        event.context("run_id", "r").caused_by(text);
    }
    told[0].extra("thread", "t");
    let _ = logs.only(EventType::WorkflowComplete);
}

#[test]
fn the_earlier_hook_still_runs() {
    use std::sync::atomic::{AtomicU32, Ordering};
    static SEEN: AtomicU32 = AtomicU32::new(0);
    // Set over ours, as a program would that installs its own later, and taken away again.
    panic::install();
    let ours = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        SEEN.fetch_add(1, Ordering::Relaxed);
        ours(info);
    }));
    let logs = testing::capture(|| assert!(catch_unwind(|| panic!("both")).is_err()));
    logs.only(EventType::Panic).caused_by("both");
    assert!(SEEN.load(Ordering::Relaxed) >= 1);
}
