use omnify_trace::step;

#[step("x", attempt = "first")]
async fn traced() {}

fn main() {}
