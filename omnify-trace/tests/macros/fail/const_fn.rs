use omnify_trace::step;

#[step("x")]
const fn traced() {}

fn main() {}
