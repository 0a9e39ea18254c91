//! An operator asks the log what was, and builds the read tables anew, beside a running service.

use serde_json::{Value, json};
use shiji::postgres::private;
use sqlx::{ConnectOptions, Executor};

use super::node::Node;
use super::{Folder, answer, shiji, words};
use crate::support::processes::eventually;

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

    // And so is what every build could have read, but none would have done.
    superuser
        .execute(
            "UPDATE events SET event_type = 'TaskCompleted', payload = '{\"TaskCompleted\":{}}' WHERE event_type = 'TaskStarted'",
        )
        .await
        .unwrap();
    let (code, replayed) = asked(&folder, &["audit", "replay"]);
    assert_eq!(
        (code, &replayed["findings"]),
        (
            Some(1),
            &json!([{
                "stream": "Task:1",
                "sequence": 2,
                "reason": "only a task in progress comes to a result or an end",
            }])
        )
    );
}

/// Exit code and JSON lines of a command.
fn lines(folder: &Folder, words_of: &[&str]) -> (Option<i32>, Vec<Value>) {
    let output = answer(shiji(&folder.data()).args(words_of).arg("--json"));
    let text = words(&output.stdout);
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
    (output.status.code(), text.lines().map(line).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_says_who_did_what_and_what_came_of_it() {
    let folder = Folder::new();
    let node = Node::start(&folder).await;
    let client = node.client().await;
    for number in 0..5 {
        client.create(&format!("task {number}")).await;
    }
    client.staff("Task/1", &json!({ "StartTask": {} })).await;

    let (code, sum) = asked(&folder, &["audit", "actor", "staff:1", "--summary"]);
    let types = sum["types"].as_array().unwrap();
    let created = types.iter().find(|line| line["type"] == "TaskCreated");
    assert_eq!(
        (
            code,
            &created.unwrap()["events"],
            &created.unwrap()["surface"]
        ),
        (Some(0), &json!(5), &json!("backend"))
    );
    let (_, did) = lines(
        &folder,
        &["audit", "actor", "staff:1", "--aggregate", "Task"],
    );
    assert_eq!(did.len(), 6);
    assert!(
        did.iter()
            .all(|event| event["metadata"]["actor"] == "staff:1")
    );
    assert_eq!(
        lines(&folder, &["audit", "actor", "staff:4711"]),
        (Some(1), vec![])
    );

    let (_, stream) = lines(&folder, &["audit", "stream", "Task:1"]);
    let request = stream[1]["metadata"]["request_id"].as_str().unwrap();
    let (code, traced) = lines(&folder, &["audit", "trace", request]);
    let traced: Vec<_> = traced
        .iter()
        .map(|e| (&e["event_id"], &e["level"]))
        .collect();
    assert_eq!(
        (code, traced),
        (Some(0), vec![(&stream[1]["event_id"], &json!(0))])
    );
    let nothing = uuid::Uuid::nil().to_string();
    assert_eq!(
        lines(&folder, &["audit", "trace", &nothing]),
        (Some(1), vec![])
    );

    let find = |more: &[&str]| {
        let (code, found) = lines(&folder, &[&["audit", "events"], more].concat());
        assert_eq!(code, Some(0));
        found
    };
    let third = find(&["--where", "input=task 3"]);
    assert_eq!((third.len(), &third[0]["stream"]), (1, &json!("Task:4")));
    assert_eq!(
        find(&["--where", "input", "--where", "kind=image"]).len(),
        5
    );
    assert!(find(&["--where", "input=task 3", "--where", "kind=text"]).is_empty());
    // What is sealed is found by what it says only by those who may see it.
    assert!(find(&["--where", "name=admin"]).is_empty());
    let opened = find(&["--where", "name=admin", "--personal"]);
    assert_eq!(
        (opened.len(), &opened[0]["type"]),
        (1, &json!("AccountOpened"))
    );
    assert_eq!(opened[0]["payload"]["AccountOpened"]["name"], "admin");
    assert_eq!(find(&["--where", "name"]).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_broke_off_goes_on_and_comes_to_the_same() {
    let folder = Folder::new();
    let node = Node::start(&folder).await;
    let client = node.client().await;
    for number in 0..7 {
        client
            .create(&format!("task \"{number}\", and\nmore"))
            .await;
    }
    for format in ["jsonl", "csv"] {
        let file = |name: &str| {
            folder
                .beside(&format!("{name}.{format}"))
                .display()
                .to_string()
        };
        let (whole, broken) = (file("whole"), file("broken"));
        let to = |name: &str, more: &[&str]| {
            let export = ["audit", "export", "--format", format, "--to", name];
            asked(&folder, &[&export[..], more].concat())
        };
        let (code, exported) = to(&whole, &[]);
        assert_eq!((code, &exported["complete"]), (Some(0), &json!(true)));
        let unfinished = format!("{broken}.unfinished");
        assert!(!std::path::Path::new(&format!("{whole}.unfinished")).exists());

        let (code, part) = to(&broken, &["--limit", "3"]);
        assert_eq!((code, &part["complete"]), (Some(1), &json!(false)));
        assert_eq!(part["events"], 3);
        // A crash in the middle of a line.
        let mut torn = std::fs::read(&broken).unwrap();
        torn.truncate(torn.len() - 7);
        std::fs::write(&broken, torn).unwrap();
        // It ends where it would have ended, whatever came in the meantime.
        client.create("later").await;
        // And is not mistaken for another one.
        let other = [
            "audit",
            "export",
            "--format",
            format,
            "--type",
            "TaskCreated",
            "--to",
        ];
        let refused = answer(shiji(&folder.data()).args(other).arg(&broken));
        assert_eq!(refused.status.code(), Some(2), "{}", words(&refused.stderr));
        let (code, rest) = to(&broken, &[]);
        assert_eq!((code, &rest["complete"]), (Some(0), &json!(true)));
        assert_eq!(rest["resumed_after"], 2);
        assert_eq!(
            std::fs::read_to_string(&broken).unwrap(),
            std::fs::read_to_string(&whole).unwrap()
        );
        assert!(!std::path::Path::new(&unfinished).exists());

        let again = answer(shiji(&folder.data()).args(["audit", "export", "--to", &whole]));
        assert_eq!(again.status.code(), Some(2));
        let lines = std::fs::read_to_string(&whole).unwrap().lines().count();
        let (_, anew) = to(&whole, &["--overwrite"]);
        let now = std::fs::read_to_string(&whole).unwrap().lines().count();
        assert_eq!((now, anew["complete"].as_bool()), (lines + 1, Some(true)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proof_counts_everything_twice_and_names_what_was_changed() {
    let folder = Folder::new();
    let _node = Node::start(&folder).await;
    let demo = answer(shiji(&folder.data()).args(["demo", "--size", "200"]));
    assert!(demo.status.success(), "{}", words(&demo.stderr));
    eventually("the read tables caught up", async || {
        asked_code(&folder, &["projections", "status", "--quick"]) == Some(0)
    })
    .await;
    let proof = || asked(&folder, &["audit", "proof"]);
    let (code, proven) = proof();
    assert_eq!(
        (code, &proven["holds"]),
        (Some(0), &json!(true)),
        "{proven}"
    );
    assert_eq!(proven["log"]["events"], proven["log"]["last"]);
    let (code, replayed) = asked(&folder, &["audit", "replay"]);
    assert_eq!((code, &replayed["findings"]), (Some(0), &json!([])));
    let counters = proven["projections"].as_array().unwrap().iter();
    let counters: Vec<&Value> = counters
        .flat_map(|p| p["counters"].as_array().unwrap())
        .collect();
    let counted =
        |name: &str| counters.iter().find(|c| c["counter"] == name).unwrap()["rows"].as_i64();
    for name in [
        "article_counts.like_count",
        "tasks_total.total",
        "showcases.view_cnt",
    ] {
        assert!(counted(name) > Some(0), "{name}");
    }

    let mut superuser = private::running(&folder.data(), "shiji")
        .unwrap()
        .connect()
        .await
        .unwrap();
    let spoil = "UPDATE articles_v1.article_counts SET like_count = like_count + 7
                 WHERE article_id = (SELECT min(article_id) FROM articles_v1.article_counts)";
    superuser.execute(spoil).await.unwrap();
    let (code, broken) = proof();
    assert_eq!((code, &broken["holds"]), (Some(1), &json!(false)));
    let projections = broken["projections"].as_array().unwrap();
    let wrong: Vec<&Value> = projections.iter().filter(|p| p["holds"] == false).collect();
    assert_eq!((wrong.len(), &wrong[0]["name"]), (1, &json!("articles")));
    let likes = &wrong[0]["counters"][0];
    assert_eq!(
        (&likes["counter"], &likes["differing"]),
        (&json!("article_counts.like_count"), &json!(1))
    );
    let first = &likes["first"][0];
    let by = first["counter"].as_i64().unwrap() - first["counted"].as_i64().unwrap();
    assert_eq!(by, 7);
    let told = answer(shiji(&folder.data()).args(["audit", "proof"]));
    assert!(words(&told.stdout).contains("articles: article_counts.like_count of"));
    // Others are not held responsible.
    let others = ["audit", "proof", "--projection", "tasks"];
    assert_eq!(asked_code(&folder, &others), Some(0));

    superuser
        .execute("DELETE FROM events WHERE position = 3")
        .await
        .unwrap();
    let (code, broken) = proof();
    assert_eq!(code, Some(1));
    assert_eq!(
        broken["log"]["first_holes"],
        json!([{ "from": 3, "to": 3 }])
    );
}

fn asked_code(folder: &Folder, words_of: &[&str]) -> Option<i32> {
    answer(shiji(&folder.data()).args(words_of)).status.code()
}
