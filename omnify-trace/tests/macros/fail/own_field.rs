use omnify_trace::step;

#[step("x", fields(step_id = 1))]
async fn traced() {}

fn main() {}
