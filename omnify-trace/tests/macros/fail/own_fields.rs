use omnify_trace::{agent, external_api, step, workflow};

#[workflow("x", fields(run_id = 1))]
async fn run() {}

#[step("x", fields(step_id = 1))]
async fn traced() {}

#[agent("x", fields(agent = 1))]
async fn think() {}

#[external_api("x", "GET", "/", fields(api = 1))]
async fn call() {}

fn main() {}
