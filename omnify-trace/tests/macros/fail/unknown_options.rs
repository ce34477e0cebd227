use omnify_trace::{agent, db_query, external_api, step, workflow};

#[workflow("x", attempt = 1)]
async fn run() {}

#[step("x", atempt = 1)]
fn traced() {}

#[agent("x", modell = "m")]
async fn think() {}

#[external_api("x", "GET", "/", output_bytes = |_| 1)]
async fn call() {}

#[db_query("select 1", slow = 1)]
async fn query() {}

fn main() {}
