use omnify_trace::{db_query, external_api};

#[external_api("crm", "POST")]
async fn call() {}

#[external_api(host = "crm.example")]
async fn call_without() {}

#[db_query()]
async fn query() {}

fn main() {}
