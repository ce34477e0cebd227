//! Steady, lifelike traffic from outside: most of it goes well, some does not.

use std::time::Duration;

use rand::RngExt as _;
use reqwest::{Client, Method};
use serde_json::json;

use super::{
    Tokens,
    cast::{self, Person},
    visitor::Visitor,
};

/// What a visitor comes for.
#[derive(Debug, Clone, Copy)]
enum Visit {
    Browse,
    Onboard(&'static str),
    Campaign { needs_approval: bool },
    Invoice { email: &'static str },
    Report,
    SlowPage,
    Panic,
    Unfinished,
    Broken,
    PageError,
    GiveUp,
    Scanner,
}

/// Everything once in the first seconds, so that each tab has something to show; the hang comes
/// first because it takes longest to be noticed.
const OPENING: [Visit; 14] = [
    Visit::Onboard("Tarpit Industries"),
    Visit::Onboard(""),
    Visit::Campaign {
        needs_approval: true,
    },
    Visit::Browse,
    Visit::Report,
    Visit::Panic,
    Visit::Unfinished,
    Visit::Onboard("Brittle Glass"),
    Visit::Invoice {
        email: "billing@northwind.example",
    },
    Visit::PageError,
    Visit::Onboard("Glacier Logistics"),
    Visit::Scanner,
    Visit::SlowPage,
    Visit::GiveUp,
];

/// What comes after, each with how often in a thousand visits.
const MIX: [(Visit, u32); 14] = [
    (Visit::Browse, 560),
    (Visit::Onboard(""), 170),
    (
        Visit::Campaign {
            needs_approval: false,
        },
        70,
    ),
    (
        Visit::Invoice {
            email: "billing@harbor.example",
        },
        70,
    ),
    (Visit::Report, 30),
    (Visit::SlowPage, 25),
    (Visit::GiveUp, 15),
    (Visit::PageError, 15),
    (Visit::Broken, 15),
    (Visit::Onboard("Glacier Logistics"), 10),
    (Visit::Onboard("Brittle Glass"), 8),
    (Visit::Scanner, 6),
    (Visit::Onboard("Tarpit Industries"), 3),
    (Visit::Unfinished, 3),
];

/// Visits until it is dropped.
pub(crate) async fn run(base: String, tokens: Tokens) {
    let Ok(client) = Client::builder().timeout(Duration::from_secs(40)).build() else {
        return;
    };
    let visit = |visit| {
        let (client, base, tokens) = (client.clone(), base.clone(), tokens.clone());
        // Outside people are not part of any of our traces.
        drop(tokio::spawn(async move {
            come(visit, &client, &base, &tokens).await;
        }));
    };
    for next in OPENING {
        visit(next);
        tokio::time::sleep(Duration::from_millis(350)).await;
    }
    loop {
        visit(pick());
        tokio::time::sleep(Duration::from_millis(between(150, 900))).await;
    }
}

fn pick() -> Visit {
    let mut left = rand::rng().random_range(0..1000);
    for (visit, weight) in MIX {
        if left < weight {
            return visit;
        }
        left -= weight;
    }
    Visit::Browse
}

fn between(low: u64, high: u64) -> u64 {
    rand::rng().random_range(low..high)
}

async fn come(visit: Visit, client: &Client, base: &str, tokens: &Tokens) {
    if matches!(visit, Visit::Scanner) {
        return scan(client, base).await;
    }
    let person = cast::person();
    let mut visitor = Visitor::open(client, base, person, tokens);
    match visit {
        Visit::Browse => browse(&mut visitor).await,
        Visit::Onboard("") => {
            start(&mut visitor, "client-onboarding", cast::company(), person).await;
        }
        Visit::Onboard(company) => start(&mut visitor, "client-onboarding", company, person).await,
        Visit::Campaign { needs_approval } => campaign(&mut visitor, needs_approval).await,
        Visit::Invoice { email } => {
            let body = json!({"company": cast::company(), "email": email});
            visitor
                .click(
                    "Send reminder",
                    Method::POST,
                    "/api/workflows/invoice-followup/runs",
                    Some(body),
                )
                .await;
        }
        Visit::Report => {
            visitor.navigate("/reports");
            visitor
                .click(
                    "Revenue report",
                    Method::GET,
                    "/api/reports/revenue?rows=90",
                    None,
                )
                .await;
        }
        Visit::SlowPage => {
            let ms = between(1_200, 3_500);
            let path = format!("/api/demo/slow?ms={ms}");
            visitor.click("Export", Method::GET, &path, None).await;
        }
        Visit::Panic => {
            visitor
                .click(
                    "Place order",
                    Method::POST,
                    "/api/demo/panic",
                    Some(json!({"items": []})),
                )
                .await;
        }
        Visit::Unfinished => {
            visitor
                .click(
                    "Refund in euro",
                    Method::POST,
                    "/api/demo/unfinished",
                    Some(json!({})),
                )
                .await;
        }
        Visit::Broken => {
            visitor
                .click("Open ledger", Method::GET, "/api/demo/broken", None)
                .await;
        }
        Visit::PageError => {
            visitor.navigate("/orders");
            visitor.page_error(
                "Cannot read properties of undefined (reading 'total')",
                "TypeError: Cannot read properties of undefined (reading 'total')\n    at OrderRow (/assets/app.js:210:18)",
            );
        }
        Visit::GiveUp => {
            visitor
                .give_up("/api/demo/slow?ms=4000", Duration::from_millis(400))
                .await;
        }
        Visit::Scanner => {}
    }
    visitor.leave().await;
}

async fn browse(visitor: &mut Visitor) {
    visitor.navigate("/customers");
    visitor
        .click("Customers", Method::GET, "/api/customers?limit=20", None)
        .await;
    for _ in 0..between(1, 4) {
        tokio::time::sleep(Duration::from_millis(between(50, 400))).await;
        // A few of these do not exist any more.
        let path = format!("/api/customers/{}", between(1, 208));
        visitor.click("Customer", Method::GET, &path, None).await;
    }
}

async fn start(visitor: &mut Visitor, workflow: &str, company: &str, person: Person) {
    let body = json!({
        "company": company, "plan": "growth",
        "email": format!("{}@{}.example", person.user, person.organization),
    });
    let path = format!("/api/workflows/{workflow}/runs");
    let answer = visitor
        .click("Start onboarding", Method::POST, &path, Some(body))
        .await;
    if answer.status == 202 {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let run = answer.body["run_id"].as_str().unwrap_or_default();
        visitor
            .click("Refresh", Method::GET, &format!("/api/runs/{run}"), None)
            .await;
    }
}

/// Starts a campaign; half a minute later, somebody in legal says yes.
async fn campaign(visitor: &mut Visitor, needs_approval: bool) {
    let body = json!({"company": cast::company(), "topic": "spring offer", "needs_approval": needs_approval});
    let answer = visitor
        .click(
            "Launch campaign",
            Method::POST,
            "/api/workflows/campaign-launch/runs",
            Some(body),
        )
        .await;
    if needs_approval && let Some(run) = answer.body["run_id"].as_str() {
        tokio::time::sleep(Duration::from_secs(90)).await;
        let path = format!("/api/runs/{run}/steps/legal/decision");
        visitor
            .click(
                "Approve",
                Method::POST,
                &path,
                Some(json!({"approved": true, "comment": "fine"})),
            )
            .await;
    }
}

/// Somebody looks for an open door. There is none; the log tells that they looked.
async fn scan(client: &Client, base: &str) {
    for path in [
        "/wp-login.php",
        "/.env",
        "/api/customers?after=1%27%20OR%20%271%27=%271",
        "/..%2f..%2fetc/passwd",
        "/?q=%3Cscript%3Ealert(1)%3C/script%3E",
    ] {
        let request = client
            .get(format!("{base}{path}"))
            .header("user-agent", "sqlmap/1.8")
            .send();
        let _ = request.await;
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
}
