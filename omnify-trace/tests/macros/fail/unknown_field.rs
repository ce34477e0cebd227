use omnify_trace::step;

#[step("x", fields(amount))]
async fn traced(price: u32) {
    let _ = price;
}

fn main() {}
