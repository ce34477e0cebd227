use omnify_trace::step;

#[step("x", atempt = 1)]
fn traced() {}

fn main() {}
