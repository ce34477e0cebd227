use omnify_trace::step;

#[step("x")]
struct Traced;

fn main() {}
