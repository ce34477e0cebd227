use omnify_trace::step;

#[step("x", attempt = 1, attempt = 2)]
fn traced() {}

fn main() {}
