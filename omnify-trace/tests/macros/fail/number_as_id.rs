use omnify_trace::step;

#[step(42)]
fn traced() {}

fn main() {}
