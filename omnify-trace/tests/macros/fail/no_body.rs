use omnify_trace::{db_query, step};

trait Traced {
    #[step("x")]
    async fn traced(&self);

    #[db_query("select 1")]
    fn query(&self) -> u32;
}

fn main() {}
