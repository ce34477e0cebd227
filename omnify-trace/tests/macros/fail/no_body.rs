use omnify_trace::step;

trait Traced {
    #[step("x")]
    async fn traced(&self);
}

fn main() {}
