use omnify_trace::step;

#[step("a", "b")]
fn traced() {}

fn main() {}
