//! Rows changed by hand, as the database's superuser.

use serde_json::Value;
use shiji::postgres::private;
use sqlx::{ConnectOptions, Executor};

use super::node::Node;
use super::{Folder, answer, shiji, words};

/// Exit code and answer of `audit verify`.
fn verify(folder: &Folder, more: &[&str]) -> (Option<i32>, Value) {
    let output = answer(
        shiji(&folder.data())
            .args(["audit", "verify", "--json"])
            .args(more),
    );
    let answer = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", words(&output.stderr)));
    (output.status.code(), answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_by_hand_is_found_at_its_position_and_a_cut_tail_by_a_kept_head() {
    let folder = Folder::new();
    let node = Node::start(&folder).await;
    let client = node.client().await;
    for number in 0..5 {
        client.create(&format!("task {number}")).await;
    }
    let head = answer(shiji(&folder.data()).args(["audit", "head"]));
    let head = words(&head.stdout).trim().to_owned();
    let (code, sound) = verify(&folder, &[]);
    assert_eq!((code, &sound["tampering"]), (Some(0), &Value::Null));
    let last = sound["position"].as_i64().unwrap();
    assert_eq!(verify(&folder, &["--from", &head]).0, Some(0));

    let mut superuser = private::running(&folder.data(), "shiji")
        .unwrap()
        .connect()
        .await
        .unwrap();
    let middle = last - 2;
    let payload = |from: &str, to: &str| {
        format!(
            "UPDATE events SET payload = replace(payload::text, '{from}', '{to}')::json WHERE position = {middle}"
        )
    };
    superuser
        .execute(payload("task", "TASK").as_str())
        .await
        .unwrap();
    let (code, found) = verify(&folder, &[]);
    assert_eq!(code, Some(1));
    assert_eq!(found["tampering"]["position"], middle);
    assert_eq!(found["tampering"]["fault"], "changed");
    let human = answer(shiji(&folder.data()).args(["audit", "verify"]));
    assert_eq!(human.status.code(), Some(1));
    assert!(words(&human.stdout).contains(&format!("position {middle}: the event was changed")));

    superuser
        .execute(payload("TASK", "task").as_str())
        .await
        .unwrap();
    assert_eq!(
        verify(&folder, &[]).0,
        Some(0),
        "put back, it is sound again"
    );

    let cut = format!("DELETE FROM events WHERE position >= {last}");
    superuser.execute(cut.as_str()).await.unwrap();
    assert_eq!(
        verify(&folder, &[]).0,
        Some(0),
        "a cut tail shows only against a kept head"
    );
    let (code, found) = verify(&folder, &["--from", &head]);
    assert_eq!(
        (code, &found["tampering"]["fault"]),
        (Some(1), &Value::from("cut_off"))
    );
}
