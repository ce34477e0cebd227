use omnify_trace::{agent, db_query, external_api, step, workflow};

#[workflow("x")]
mod run {}

#[step("x")]
struct Traced;

#[agent("x")]
enum Think {}

#[external_api("x", "GET", "/")]
const CALL: u8 = 1;

#[db_query("select 1")]
impl Traced {}

fn main() {}
