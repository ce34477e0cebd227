use omnify_trace::{agent, db_query, external_api, step, workflow};

#[workflow("a", "b")]
async fn run() {}

#[step("a", "b")]
fn traced() {}

#[agent("a", "gpt-x")]
async fn think() {}

#[external_api("a", "GET", "/", 200)]
async fn call() {}

#[db_query("select ?", 7)]
async fn query() {}

fn main() {}
