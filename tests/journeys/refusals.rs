//! What does not start, and says why in one sentence.

use std::process::Output;

use super::node::Node;
use super::{Folder, answer, shiji, words};

fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", words(&output.stderr));
    let said = words(&output.stderr);
    let last = said.lines().last().unwrap_or_default().to_owned();
    assert!(last.starts_with("shiji: "), "{said}");
    last
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_service_on_one_data_folder_is_refused() {
    let folder = Folder::new();
    let node = Node::start(&folder).await;
    let mut second = shiji(&folder.data());
    second.args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--ops-listen",
        "127.0.0.1:0",
    ]);
    let said = refusal(&answer(&mut second));
    let owner = format!(
        "another shiji (process {}) is using the data folder",
        node.pid()
    );
    assert!(said.contains(&owner), "{said}");
    assert!(node.is_ready().await, "the first one is not disturbed");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_master_key_and_a_taken_port_are_refused() {
    let folder = Folder::new();
    let node = Node::start(&folder).await;
    let other = Folder::new();
    let mut taken = shiji(&other.data());
    taken.args([
        "serve",
        "--listen",
        &node.public.to_string(),
        "--ops-listen",
        "127.0.0.1:0",
    ]);
    let said = refusal(&answer(&mut taken));
    assert!(
        said.contains("is taken") && said.contains("SHIJI_LISTEN"),
        "{said}"
    );
    node.stop().await;

    let mut foreign = shiji(&folder.data());
    foreign
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--ops-listen",
            "127.0.0.1:0",
        ])
        .env("SHIJI_MASTER_KEY", "00".repeat(32));
    let said = refusal(&answer(&mut foreign));
    assert!(
        said.contains("SHIJI_MASTER_KEY is not the master key of this log"),
        "{said}"
    );
}

#[test]
fn wrong_settings_name_their_key() {
    let folder = Folder::new();
    let said = |variable: &str, value: &str| {
        let mut serve = shiji(&folder.data());
        serve.arg("serve").env("SHIJI_MASTER_KEY", "00".repeat(32));
        refusal(&answer(serve.env(variable, value)))
    };
    assert!(said("SHIJI_UPLOAD_MAX_BYTES", "lots").contains("SHIJI_UPLOAD_MAX_BYTES"));
    assert!(said("DATABASE_URL", "mysql://x").contains("DATABASE_URL"));
    assert!(said("DATABASE_URL", "postgres://nobody@127.0.0.1:1/x").contains("cannot be used"));
    assert!(!folder.data().join("postgres").exists(), "nothing was made");
}

#[test]
fn commands_that_only_look_make_nothing() {
    let folder = Folder::new();
    for words in [
        ["audit", "head"],
        ["audit", "verify"],
        ["projections", "status"],
    ] {
        let said = refusal(&answer(shiji(&folder.data()).args(words)));
        assert!(said.contains("there is no data in"), "{said}");
    }
    assert!(!folder.data().exists());
}
