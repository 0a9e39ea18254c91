//! An operator asks the log what was, and builds the read tables anew, beside a running service.

use serde_json::{Value, json};
use shiji::postgres::private;
use sqlx::{ConnectOptions, Executor};

use super::node::Node;
use super::{Folder, answer, shiji, words};

/// Exit code and JSON answer of a command.
fn asked(folder: &Folder, words_of: &[&str]) -> (Option<i32>, Value) {
    let output = answer(shiji(&folder.data()).args(words_of).arg("--json"));
    let answer = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", words(&output.stderr)));
    (output.status.code(), answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_says_what_was_and_read_tables_are_built_anew_beside_the_service() {
    let folder = Folder::new();
    let node = Node::start(&folder).await;
    let client = node.client().await;
    for number in 0..5 {
        client.create(&format!("task {number}")).await;
    }
    client.staff("Task/1", &json!({ "StartTask": {} })).await;

    let (code, state) = asked(&folder, &["audit", "state", "Task:1"]);
    assert_eq!((code, &state["version"]), (Some(0), &json!(2)));
    let end = state["position"].as_i64().unwrap();
    let before = (end - 1).to_string();
    let (_, changed) = asked(&folder, &["audit", "state", "Task:1", "--since", &before]);
    let moves = changed["changes"].as_array().unwrap();
    assert_eq!(moves.len(), 1, "{changed}");
    let (_, earlier) = asked(&folder, &["audit", "state", "Task:1", "--at", &before]);
    assert_eq!(earlier["version"], 1);
    assert_eq!(
        asked_code(&folder, &["audit", "state", "Task:1", "--at", "0"]),
        Some(1)
    );

    let (code, replayed) = asked(&folder, &["audit", "replay"]);
    assert_eq!((code, &replayed["findings"]), (Some(0), &json!([])));
    assert_eq!(replayed["aggregates"]["Task"], json!([5, 6]));

    let mut superuser = private::running(&folder.data(), "shiji")
        .unwrap()
        .connect()
        .await
        .unwrap();
    superuser
        .execute("UPDATE tasks_v1.tasks SET input = 'spoilt' WHERE id = 3")
        .await
        .unwrap();
    let rebuild = ["projections", "rebuild", "--all", "--stop-before", "switch"];
    let (code, found) = asked(&folder, &rebuild);
    assert_eq!((code, &found["switched"]), (Some(1), &json!(false)));
    let difference = &found["compared"]["differences"][0];
    assert_eq!(
        *difference,
        json!({ "table": "tasks.tasks", "key": { "id": 3 }, "column": "input", "live": "spoilt", "rebuilt": "task 2" })
    );
    let (code, _) = asked(&folder, &["projections", "switch", "--all"]);
    assert_eq!(code, Some(0));
    client.create("after the switch").await;
    let (code, again) = asked(&folder, &["projections", "rebuild", "tasks"]);
    assert_eq!(
        (code, &again["compared"]["differing"]),
        (Some(0), &json!(0))
    );
    assert_eq!(
        asked(&folder, &["projections", "rollback", "tasks"]).0,
        Some(0)
    );
    let (_, pruned) = asked(&folder, &["projections", "prune"]);
    assert!(!pruned["schemas"].as_array().unwrap().is_empty());

    // What no build could have written is named by the replay, and the stream it stands in.
    superuser
        .execute(
            "UPDATE events SET payload = '{\"TaskStarted\":7}' WHERE event_type = 'TaskStarted'",
        )
        .await
        .unwrap();
    let (code, replayed) = asked(&folder, &["audit", "replay"]);
    assert_eq!(code, Some(1));
    let finding = &replayed["findings"][0];
    assert_eq!(
        (&finding["stream"], &finding["sequence"]),
        (&json!("Task:1"), &json!(2))
    );
}

fn asked_code(folder: &Folder, words_of: &[&str]) -> Option<i32> {
    answer(shiji(&folder.data()).args(words_of)).status.code()
}
