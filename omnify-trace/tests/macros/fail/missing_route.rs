use omnify_trace::external_api;

#[external_api("crm", "POST")]
async fn traced() {}

fn main() {}
