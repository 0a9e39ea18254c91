//! Tells cargo that a new file in `migrations/` changes the binary, which the macro that embeds them cannot.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
