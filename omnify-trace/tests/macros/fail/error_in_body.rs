use omnify_trace::{agent, db_query, external_api, step, workflow};

#[workflow("x")]
async fn run() {
    let _number: u32 = "seven";
}

#[step("x")]
fn traced() {
    let _number: u32 = "seven";
}

#[agent("x")]
async fn think() -> Result<(), std::io::Error> {
    let _number: u32 = "seven";
    Ok(())
}

#[external_api("x", "GET", "/")]
fn call() -> impl Future<Output = ()> {
    async {
        let _number: u32 = "seven";
    }
}

#[db_query("select 1")]
async fn query(unused: &str) {
    let _number: u32 = "seven";
}

fn main() {}
