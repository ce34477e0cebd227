use omnify_trace::workflow;

#[workflow(name = "X", "x")]
async fn traced() {}

fn main() {}
