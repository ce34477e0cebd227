use omnify_trace::workflow;

#[workflow("")]
async fn traced() {}

fn main() {}
