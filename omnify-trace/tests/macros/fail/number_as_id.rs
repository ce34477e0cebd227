use omnify_trace::{db_query, external_api, step};

#[step(42)]
fn traced() {}

#[external_api("crm", "GET", 7)]
fn call() {}

#[db_query(1)]
fn query() {}

fn main() {}
