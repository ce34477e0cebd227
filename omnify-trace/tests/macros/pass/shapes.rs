//! Every shape of function that an attribute may stand on.
#![forbid(unsafe_code)]
#![deny(warnings)]

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use omnify_trace::{agent, db_query, external_api, step, workflow};

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

struct NotAnError;

struct Shop {
    prices: Vec<u32>,
}

trait Sell {
    fn sell(&mut self, what: usize) -> impl Future<Output = Result<u32, String>> + Send;
    fn ask(&self) -> u32 {
        1
    }
}

impl Shop {
    #[step("price", name = "Find the price", attempt = 2, max_attempts = 3, depends_on = ["a", "b"])]
    async fn price(&self, what: usize) -> Fallible<&u32> {
        let number: u32 = "7".parse()?;
        self.prices.get(what + number as usize).ok_or_else(|| "sold out".into())
    }

    #[step(fields(what, shop.size = self.prices.len(), kind = %"fruit", debug = ?self.prices))]
    fn change(&mut self, what: usize) -> Option<&mut u32> {
        if what > 100 {
            return None;
        }
        self.prices.get_mut(what)
    }

    #[step("boxed", budget = Duration::from_secs(1))]
    fn boxed<'a>(&'a self, what: &'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
        Box::pin(async move { what.len() + self.prices.len() })
    }

    #[workflow("consumed")]
    async fn consumed(self) -> Vec<u32> {
        self.prices
    }
}

impl Sell for Shop {
    #[step("sell", agent_type = "till", output_bytes = |sold| if sold.is_ok() { 4 } else { 0 })]
    async fn sell(&mut self, what: usize) -> Result<u32, String> {
        if what == 0 {
            return Err("no".into());
        }
        self.prices.pop().ok_or("none".to_owned())
    }

    #[step("ask")]
    fn ask(&self) -> u32 {
        2
    }
}

#[workflow("generic", run_id = format!("run-{}", value), steps = 2, fields(kind = "x"))]
async fn generic<T: std::fmt::Display + Clone, const N: usize>(value: T) -> [T; N] {
    std::array::from_fn(|_| value.clone())
}

#[agent("researcher", provider = "openai", model = model.to_owned(), fields(model))]
async fn research(model: &str) -> Result<String, NotAnError> {
    omnify_trace::operation::record_usage(1, 2);
    Ok(model.to_owned())
}

#[external_api("crm", "POST", "/contacts/{id}", host = "127.0.0.1:9", fields(contact))]
fn post(contact: u64) -> impl Future<Output = std::io::Result<u64>> {
    async move { Ok(contact) }
}

#[db_query("select * from t where id = $1", system = "sqlite", slow_after = Duration::ZERO)]
fn query() -> impl Iterator<Item = u8> {
    [1, 2].into_iter()
}

#[db_query("select 1", fields(table = "t"))]
async fn query_fields() {}

#[step("own-names", fields(order = step_id, run_id, shop.step_id = step_id))]
fn own_names_as_values(step_id: u32, run_id: u32) -> u32 {
    step_id + run_id
}

#[step]
pub fn r#try(mut count: u32, text: &str) -> &str {
    count += 1;
    &text[count as usize..]
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut shop = Shop { prices: vec![1, 2] };
    assert!(shop.price(0).await.is_err());
    assert!(shop.change(1).is_some());
    assert_eq!(shop.boxed("abc").await, 5);
    assert_eq!(shop.sell(1).await, Ok(2));
    assert_eq!(shop.ask(), 2);
    assert_eq!(shop.consumed().await, [1]);
    assert_eq!(generic::<_, 3>("x").await, ["x"; 3]);
    assert!(research("m").await.is_ok());
    assert_eq!(post(7).await.unwrap(), 7);
    assert_eq!(query().count(), 2);
    query_fields().await;
    assert_eq!(own_names_as_values(3, 4), 7);
    assert_eq!(r#try(0, "ab"), "b");
    let defined = omnify_trace::operation::StepDefinition::all();
    let ids: Vec<_> = defined.iter().map(|step| step.id()).collect();
    assert_eq!(ids, ["ask", "boxed", "change", "own-names", "price", "sell", "try"]);
    tokio::spawn(async { research("sent").await.ok() }).await.unwrap();
}
