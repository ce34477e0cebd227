use omnify_trace::step;

#[step("x")]
async fn traced() -> Result<u32, std::io::Error> {
    Ok("seven")
}

fn main() {}
