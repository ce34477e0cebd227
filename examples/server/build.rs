//! Embeds the dashboard again whenever it was built again.
fn main() {
    println!("cargo:rerun-if-changed=../dashboard/dist");
    println!("cargo:rerun-if-changed=workflows");
}
