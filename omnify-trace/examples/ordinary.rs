//! An ordinary run: two steps, a call, a query. No report.
//!
//! `cargo run --example ordinary`, then read `data/logs/workflow.log`.

use omnify_trace::operation;

#[tokio::main]
async fn main() -> Result<(), omnify_trace::Error> {
    let _guard = omnify_trace::init()?;
    operation::workflow("order")
        .name("Order")
        .run(async {
            operation::step("quote")
                .run(async {
                    operation::external_api("prices", "GET", "/prices/{id}")
                        .run(async { operation::record_status(200) })
                        .await;
                })
                .await;
            operation::step("store")
                .depends_on(["quote"])
                .run(async {
                    operation::db_query("insert into orders values (1, 'tea')")
                        .run(async {})
                        .await;
                })
                .await;
        })
        .await;
    Ok(())
}
