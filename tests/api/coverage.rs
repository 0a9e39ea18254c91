//! What is documented, what is routed and what is described are one and the same: whoever forgets one of them fails here.

use std::collections::BTreeSet;

use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use shiji::api::{openapi, ops};

use super::node::{Node, answer};

/// Every documented endpoint: surface, method, path …
const DOCUMENTED: &str = include_str!("../fixtures/endpoints.tsv");
/// Beyond the documents, on the public listener.
const OURS: [(&str, &str); 16] = [
    ("POST", "/admin/commands/{aggregate}/{id}"),
    ("GET", "/admin/events"),
    ("GET", "/admin/state/{aggregate}/{id}"),
    ("GET", "/admin/streams/{aggregate}/{id}"),
    ("POST", "/admin/persons/{subject}/erase"),
    ("POST", "/admin/showcases/{task_id}/files"),
    ("GET", CASE_FILE),
    ("GET", "/media/{name}"),
    ("PUT", "/media/{name}"),
    ("GET", AVATAR),
    ("GET", POSTER),
    ("GET", "/upload/{date}/{file}"),
    ("GET", "/xdua/obj"),
    ("GET", "/zhugeleida/xiaochengxu/diary_manage/diary_list"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
];
/// Where files of customer cases are served.
const CASE_FILE: &str = "/{date}/task/{task_id}/users/{user_id}/{file_id}/{name}";
/// The picture of whoever has none.
const AVATAR: &str = "/statics/imgs/setAvator.jpg";
/// Where posters of cards are served.
const POSTER: &str = "/statics/zhugeleida/imgs/xiaochengxu/user_poster/{file}";
/// Answered without being described: one document says that OPTIONS is no wrong method.
const ALSO: (&str, &str) = ("OPTIONS", "/weidu/api/v1/cases/list");
/// On the operators' listener.
const OPS: [(&str, &str); 5] = [
    ("GET", "/metrics"),
    ("GET", "/feed"),
    ("GET", "/openapi.json"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
];
/// Where nobody has to be logged in.
const OPEN: [&str; 15] = [
    "/community/api/v1/current_time",
    "/community/api/v1/send_sms_code",
    "/community/api/v1/user_login",
    "/community/api/v1/user_password_update",
    "/community/api/v1/user_signup",
    // To read; storing is tried where media are.
    "/media/{name}",
    "/backend/api/v1/login",
    "/backend/api/v1/logout",
    "/upload/{date}/{file}",
    "/weidu/api/v1/cases/list",
    CASE_FILE,
    AVATAR,
    POSTER,
    "/healthz",
    "/readyz",
];

type Endpoints = BTreeSet<(String, String)>;

/// Method and path of every line; a line with several methods is several endpoints.
fn listed(tsv: &str) -> Endpoints {
    let line = |line: &str| {
        let mut fields = line.split('\t').skip(1).map(str::to_owned);
        (fields.next().unwrap(), fields.next().unwrap())
    };
    let each = |(methods, path): (String, String)| {
        let methods: Vec<String> = methods.split(',').map(str::to_owned).collect();
        methods.into_iter().map(move |method| {
            // A socket begins as a GET.
            let method = if method == "WS" {
                "GET".to_owned()
            } else {
                method
            };
            (method, path.clone())
        })
    };
    tsv.lines().map(line).flat_map(each).collect()
}

fn owned(endpoints: &[(&str, &str)]) -> Endpoints {
    endpoints
        .iter()
        .map(|(method, path)| ((*method).to_owned(), (*path).to_owned()))
        .collect()
}

fn described() -> Endpoints {
    let document = serde_json::to_value(openapi::document()).unwrap();
    let paths = document["paths"].as_object().unwrap().clone();
    let methods = |(path, operations): (String, Value)| {
        let operations = operations.as_object().unwrap().clone();
        operations
            .into_iter()
            .map(move |(method, _)| (method.to_uppercase(), path.clone()))
    };
    paths.into_iter().flat_map(methods).collect()
}

/// The paths of a router, as its debug form tells them.
fn routed(router: &axum::Router) -> BTreeSet<String> {
    let text = format!("{router:?}");
    let paths = text.split("paths: {").nth(1).unwrap();
    let quoted = paths.split('"').skip(1).step_by(2);
    quoted
        .take_while(|path| path.starts_with('/'))
        .map(str::to_owned)
        .collect()
}

fn paths(endpoints: &Endpoints) -> BTreeSet<String> {
    endpoints.iter().map(|(_, path)| path.clone()).collect()
}

#[test]
fn every_documented_endpoint_is_described_and_nothing_else_is() {
    let expected: Endpoints = listed(DOCUMENTED)
        .into_iter()
        .chain(owned(&OURS))
        .chain(owned(&OPS))
        .collect();
    let described = described();
    let missing: Vec<_> = expected.difference(&described).collect();
    assert!(
        missing.is_empty(),
        "not in the OpenAPI document: {missing:?}"
    );
    let strange: Vec<_> = described.difference(&expected).collect();
    assert!(strange.is_empty(), "described, and on no list: {strange:?}");
}

#[tokio::test]
async fn the_routers_have_what_is_described_and_nothing_else() {
    let node = Node::start().await;
    let ops_only = owned(&OPS);
    let public: Endpoints = described()
        .difference(&ops_only)
        .cloned()
        .chain(owned(&OURS))
        .collect();
    assert_eq!(routed(&node.public_router()), paths(&public));
    let mut inner = paths(&ops_only);
    inner.extend(["/docs", "/docs/", "/docs/{*rest}"].map(str::to_owned));
    assert_eq!(routed(&ops::router(node.ops())), inner);
}

/// A path that the route takes.
fn filled(path: &str) -> String {
    let known = path
        .replace("{aggregate}", "Task")
        .replace("{id}", "1")
        .replace("{subject}", "Customer:1");
    let known = ["{task_id}", "{user_id}", "{file_id}"]
        .iter()
        .fold(known, |path, id| {
            path.replace(id, "5trb5tu7tj8kfe7gwk7qakfpac")
        });
    known
        .replace("{date}", "20240102")
        .replace("{name}", "x.png")
        .replace("{file}", "x.png")
        .replace("{name}", "x.png")
}

#[tokio::test]
async fn every_endpoint_answers_its_methods_and_no_others() {
    let node = Node::start().await;
    let described = described();
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::OPTIONS,
    ];
    for (listener, mine) in [(&node.public, true), (&node.ops, false)] {
        for path in paths(&described) {
            let on_ops = OPS.iter().any(|(_, other)| *other == path);
            let on_public = !on_ops || OURS.iter().any(|(_, other)| *other == path);
            if path == "/feed" || !(if mine { on_public } else { on_ops }) {
                continue;
            }
            for method in &methods {
                let url = format!("{listener}{}", filled(&path));
                let got = answer(node.client.request(method.clone(), url)).await;
                // The mini-program's table of codes has the wrong method in the body.
                let wrong = got.status == 405 || got.body["code"] == 402;
                let known = described.contains(&(method.to_string(), path.clone()))
                    || (method.as_str(), path.as_str()) == ALSO;
                assert_eq!(!wrong, known, "{method} {path} answers {}", got.status);
            }
        }
    }
}

/// With a body that is refused for no other reason.
fn sound(path: &str, request: RequestBuilder) -> RequestBuilder {
    match path {
        _ if path == "/backend/api/v1/upload" || path.ends_with("/files") => {
            request.multipart(Form::new().part("file", Part::bytes(b"GIF89a".as_slice())))
        }
        _ if path.starts_with("/admin") => request.json(&json!({"StartTask": {}})),
        _ => request.json(&json!({})),
    }
}

#[tokio::test]
async fn nothing_is_open_to_who_is_not_logged_in_but_what_must_be() {
    let node = Node::start().await;
    let head = node.app.ledger().head().await.unwrap().position;
    for (method, path) in described() {
        let on_ops = OPS.iter().any(|(_, other)| *other == path);
        if on_ops || OPEN.contains(&path.as_str()) {
            continue;
        }
        for (token, xdua) in [("", 1001), ("unknown", 1002)] {
            let request = node.request(method.parse().unwrap(), &filled(&path));
            let request = sound(&path, request.bearer_auth(token));
            let refused = answer(request).await.body;
            let said = if path.ends_with("/obj") {
                refused["error"] == xdua
            } else if path.starts_with("/zhugeleida") {
                // No signature, no code of WeChat's, nobody named.
                [301, 303, 404].iter().any(|code| refused["code"] == *code)
            } else {
                refused["code"] == 401
            };
            assert!(said, "{method} {path}: {refused}");
        }
    }
    assert_eq!(node.app.ledger().head().await.unwrap().position, head);
}

#[test]
fn the_committed_document_is_what_the_types_say() {
    let committed = include_str!("../../docs/openapi.json");
    assert!(
        openapi::json().unwrap() == committed,
        "docs/openapi.json is stale; run `make openapi-write` and commit it"
    );
}
