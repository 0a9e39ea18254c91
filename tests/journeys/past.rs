//! `shiji serve --as-of` beside the service it looks back at, on one private PostgreSQL.

use std::process::Stdio;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use shiji::postgres::private;
use sqlx::ConnectOptions;

use super::client::Client;
use super::node::Node;
use super::{Folder, answer, shiji, words};
use crate::support::processes::eventually;

fn asked(folder: &Folder, words_of: &[&str]) -> (Option<i32>, Value) {
    let output = answer(shiji(&folder.data()).args(words_of).arg("--json"));
    let answer = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", words(&output.stderr)));
    (output.status.code(), answer)
}

async fn list(client: &Client) -> (Option<String>, String) {
    let answer = client.request(Method::GET, "/tasks?limit=100").send().await;
    let answer = answer.unwrap();
    let as_of = answer.headers().get("x-as-of");
    let as_of = as_of.map(|value| value.to_str().unwrap().to_owned());
    (as_of, answer.text().await.unwrap())
}

async fn past(folder: &Folder, point: &str) -> Node {
    let point = point.to_owned();
    Node::start_with(folder, "past", |command| {
        command.args(["--as-of", &point]);
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_of_building_it_goes_on_where_it_was() {
    let folder = Folder::new();
    let live = Node::start(&folder).await;
    let client = live.client().await;
    for number in 0..40 {
        client.create(&format!("task {number}")).await;
    }
    let (mark, then) = list(&client).await;
    let position = mark.as_deref().unwrap().split_once('-').unwrap().1;
    let mut db = private::running(&folder.data(), "shiji")
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut build = shiji(&folder.data());
    build.args(["projections", "rebuild", "--all", "--as-of", position]);
    // An event a batch, five batches a second.
    build.args(["--rate", "5"]).stdout(Stdio::null());
    let mut build = build.stderr(Stdio::null()).spawn().unwrap();
    let mut reached = 0;
    eventually("some of it is built", async || {
        let of_all = "SELECT coalesce(min(position), 0) FROM projection_checkpoints WHERE projection LIKE '%as_of%'";
        reached = sqlx::query_scalar(of_all).fetch_one(&mut db).await.unwrap();
        reached > 2
    })
    .await;
    build.kill().unwrap();
    build.wait().unwrap();
    client.create("meanwhile").await;
    let node = past(&folder, position).await;
    assert_eq!(
        list(&client.at(node.public)).await,
        (mark.clone(), then.clone())
    );
    let events = (node.log().lines())
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|entry| entry["events"].as_i64());
    let end: i64 = position.parse().unwrap();
    assert!(
        (1..=end - reached).contains(&events.unwrap()),
        "{events:?} after {reached} of {end}"
    );
    node.stop().await;
    live.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_auditor_sees_what_was_listed_while_the_service_goes_on() {
    let folder = Folder::new();
    let live = Node::start(&folder).await;
    let client = live.client().await;
    for number in 0..5 {
        client.create(&format!("task {number}")).await;
    }
    let (mark, then) = list(&client).await;
    let mark = mark.unwrap();
    let position = mark.split_once('-').unwrap().1.to_owned();
    tokio::time::sleep(Duration::from_millis(20)).await;
    client.staff("Task/2", &json!({ "StartTask": {} })).await;
    client.create("later").await;

    // By a position, with a session of the service that runs.
    let node = past(&folder, &position).await;
    let auditor = client.at(node.public);
    assert_eq!(list(&auditor).await, (Some(mark.clone()), then.clone()));
    let (_, head) = asked(&folder, &["audit", "head"]);
    assert_eq!(auditor.try_create("in vain").await, None);
    assert_eq!(asked(&folder, &["audit", "head"]).1, head);
    assert!(auditor.task(6).await.is_none());
    let (_, status) = asked(&folder, &["projections", "status"]);
    assert_eq!(status["well"], true, "{status}");
    let tables = &status["as_of"][0];
    assert_eq!(tables["position"].to_string(), position);
    assert_eq!(
        (&tables["complete"], &tables["held"]),
        (&json!(true), &json!(true))
    );

    // By a time: the same position, the same tables, served a second time.
    let (_, event) = asked(&folder, &["audit", "stream", "Task:5"]);
    let time = event["recorded_at"].as_str().unwrap().to_owned();
    let again = past(&folder, &time).await;
    assert_eq!(
        list(&client.at(again.public)).await,
        (Some(mark.clone()), then.clone())
    );
    assert!(!again.log().contains("Folded"), "{}", again.log());
    again.stop().await;

    // Nobody may take the tables away; the service writes on, and the past stays as it is.
    let (code, pruned) = asked(&folder, &["projections", "prune"]);
    assert_eq!((code, &pruned["schemas"]), (Some(0), &json!([])));
    let newest = client.create("meanwhile").await;
    assert!(client.task(newest).await.is_some());
    let remembered = (Some(mark), then);
    assert_eq!(list(&auditor).await, remembered);
    node.stop().await;
    let (_, pruned) = asked(&folder, &["projections", "prune"]);
    let schemas = pruned["schemas"].as_array().unwrap();
    let suffix = format!("__as_of_{position}");
    let is_ours = |one: &Value| one["schema"].as_str().unwrap().ends_with(&suffix);
    assert!(
        schemas.len() > 20 && schemas.iter().all(is_ours),
        "{pruned}"
    );
    let (_, status) = asked(&folder, &["projections", "status"]);
    assert_eq!(status["as_of"], json!([]));

    // What cannot be gone to is said in a sentence.
    let ahead = answer(shiji(&folder.data()).args(["serve", "--as-of", "1000000"]));
    assert_eq!(ahead.status.code(), Some(2));
    let said = words(&ahead.stderr);
    assert!(said.contains("the log ends at"), "{said}");
    // Built ahead of time, and without a service: then this node has the database to itself.
    let build = ["projections", "rebuild", "--all", "--as-of", &position];
    let (code, said) = asked(&folder, &build);
    assert_eq!(
        (code, said["as_of"].to_string()),
        (Some(0), position.clone())
    );
    live.stop().await;
    let alone = past(&folder, &position).await;
    assert_eq!(list(&client.at(alone.public)).await, remembered);
    alone.stop().await;
}
