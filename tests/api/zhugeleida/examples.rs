//! Every request example of the document, in its order and with fresh signatures, against the data set of `shiji demo`: the
//! answer has the code, the words, the fields and the types of the documented one.
//!
//! `tests/fixtures/examples/zhugeleida.json` has them as the document has them, its samples mended where they are no JSON
//! (`contract/zhugeleida.md` 5). Beside each stands what the document leaves out or has otherwise:
//!
//! | word | what |
//! |---|---|
//! | `also` | parameters that its list has and its URL lacks |
//! | `instead` | ids that the data set has otherwise |
//! | `signer` | `card` where the enterprise user signs |
//! | `decided` | why the answer is ours: the document shows none |
//! | `deviates` | each difference, with the decision that made it |

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::{Value, json};
use shiji::api::zhugeleida::card_token;
use shiji::cli::demo::mini_program;
use tokio_util::sync::CancellationToken;

use super::live::Socket;
use super::{Customer, House};
use crate::api::node;

const EXAMPLES: &str = include_str!("../../fixtures/examples/zhugeleida.json");
const DOCUMENTED: &str = include_str!("../../fixtures/endpoints.tsv");
/// What a signature is made of.
const SIGNATURE: [&str; 3] = ["user_id", "timestamp", "rand_str"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    title: String,
    method: String,
    request: String,
    #[serde(default)]
    also: BTreeMap<String, String>,
    #[serde(default)]
    instead: BTreeMap<String, String>,
    signer: Option<String>,
    #[serde(default)]
    body: BTreeMap<String, String>,
    answer: Value,
    #[expect(dead_code, reason = "it is for who reads the file")]
    decided: Option<String>,
    #[serde(default)]
    deviates: BTreeMap<String, String>,
}

fn examples() -> Vec<Example> {
    serde_json::from_str(EXAMPLES).unwrap()
}

#[test]
fn every_documented_endpoint_has_its_example() {
    let mine = DOCUMENTED.lines().filter_map(|line| {
        let fields: Vec<_> = line.split('\t').collect();
        (fields[0] == "zhugeleida").then(|| (fields[1].to_owned(), bare(fields[2])))
    });
    let mut expected: Vec<_> = mine.collect();
    let all = examples();
    let mut found: Vec<_> = all
        .iter()
        .map(|it| (it.method.clone(), bare(it.url().path())))
        .collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(found.len(), 38);
}

/// A path without the numbers in it and the slash at its end.
fn bare(path: &str) -> String {
    let variable = |part: &&str| part.starts_with('{') || part.parse::<i64>().is_ok();
    let parts = path.split('/').filter(|part| !part.is_empty());
    let parts: Vec<_> = parts.filter(|part| !variable(part)).collect();
    parts.join("/")
}

#[tokio::test]
async fn every_example_gets_the_documented_answer() {
    let house = House::start().await;
    mini_program::fill(house.service.app.desk()).await.unwrap();
    let mut wrong = Vec::new();
    for example in examples() {
        let answer = if example.method == "WS" {
            talk(&house, &example).await
        } else {
            send(&house, &example).await
        };
        let mut found = BTreeSet::new();
        differ("", &[&example.answer], &answer, &mut found);
        for said in ["code", "msg"] {
            if answer[said] != example.answer[said] {
                found.insert(format!("{said} is {}", answer[said]));
            }
        }
        let expected: BTreeSet<_> = example.deviates.keys().cloned().collect();
        if found != expected {
            let title = &example.title;
            wrong.push(format!("{title}: {found:?}, not {expected:?}: {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn send(house: &House, example: &Example) -> Value {
    let path = example.path(house).await;
    let method: Method = example.method.parse().unwrap();
    let mut call = house.service.call(method, &path);
    if example.method == "POST" {
        let form = Url::parse_with_params("http://form", &example.body).unwrap();
        call = call
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.query().unwrap_or_default().to_owned());
    }
    let reply = call.send().await;
    assert_eq!(reply.status, 200, "{}: {reply:?}", example.title);
    reply.json()
}

impl Example {
    fn url(&self) -> Url {
        Url::parse(&self.request).unwrap()
    }

    /// As the document has it, but signed now.
    async fn path(&self, house: &House) -> String {
        let example = self.url();
        let mut url = Url::parse("http://shiji.test").unwrap();
        url.set_path(example.path());
        let mut signer = None;
        for (name, value) in example.query_pairs() {
            if name == "user_id" {
                signer = Some(value.parse().unwrap());
            }
            if !SIGNATURE.contains(&&*name) {
                let value = self.instead.get(&*name).map_or(&*value, String::as_str);
                url.query_pairs_mut().append_pair(&name, value);
            }
        }
        for (name, value) in &self.also {
            url.query_pairs_mut().append_pair(name, value);
        }
        let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
        let Some(id) = signer else { return path };
        let signer = match self.signer.as_deref() {
            None => visitor(house, id).await,
            Some("card") => Customer {
                id,
                token: card_token(house.service.ledger.keys(), id, 0),
            },
            Some(other) => panic!("nobody is called {other}"),
        };
        format!("{path}&{}", house.signature(&signer))
    }
}

/// A customer of the data set.
async fn visitor(house: &House, id: i64) -> Customer {
    let customer = house.customer(&format!("demo{id}")).await;
    assert_eq!(customer.id, id);
    customer
}

/// The socket: the documented frames, the first with a signature, and what comes back for the second.
async fn talk(house: &House, example: &Example) -> Value {
    let stop = CancellationToken::new();
    let url = node::serve(house.service.router(), &stop).replace("http://", "ws://");
    let mut socket = Socket::open(&format!("{url}{}", example.url().path())).await;
    let customer = visitor(house, 2).await;
    let now = house.service.app.now().timestamp_millis().to_string();
    let register = json!({
        "u_id": 1, "user_id": 2, "type": "register", "timestamp": now,
        "rand_str": shiji::api::zhugeleida::rand_str(&now, &customer.token),
    });
    socket.say(&register).await;
    // What is new since the last visit comes first.
    let waiting = socket.hear().await;
    let mut found = BTreeSet::new();
    differ("", &[&example.answer["pushed"]], &waiting, &mut found);
    assert_eq!(found, BTreeSet::new(), "{waiting}");
    let message = json!({
        "user_id": "2", "u_id": "1", "content": "{\"msg\":\"这个信息是文字\\\\表情\",\"info_type\":1}",
    });
    socket.say(&message).await;
    let (acknowledged, pushed) = (socket.hear().await, socket.hear().await);
    socket
        .say(&json!({ "u_id": 1, "user_id": 2, "type": "closed" }))
        .await;
    stop.cancel();
    for (frame, documented) in [
        (&acknowledged, &example.answer["acknowledged"]),
        (&pushed, &example.answer["pushed"]),
    ] {
        for said in ["code", "msg"] {
            assert_eq!(frame[said], documented[said], "{frame}");
        }
    }
    json!({ "acknowledged": acknowledged, "pushed": pushed })
}

/// Where an answer has other fields or types than every documented value of its place.
fn differ(at: &str, documented: &[&Value], answer: &Value, found: &mut BTreeSet<String>) {
    match answer {
        Value::Object(fields) => {
            let samples: Vec<_> = documented.iter().filter_map(|it| it.as_object()).collect();
            if samples.is_empty() {
                found.insert(format!("{at}: {}", otherwise(documented, "an object")));
                return;
            }
            for name in samples.iter().flat_map(|sample| sample.keys()) {
                if !fields.contains_key(name) {
                    found.insert(format!("{}: missing", below(at, name)));
                }
            }
            for (name, value) in fields {
                let known: Vec<_> = samples.iter().filter_map(|it| it.get(name)).collect();
                if known.is_empty() {
                    found.insert(format!("{}: not documented", below(at, name)));
                } else {
                    differ(&below(at, name), &known, value, found);
                }
            }
        }
        Value::Array(items) => {
            let samples: Vec<_> = documented.iter().filter_map(|it| it.as_array()).collect();
            if samples.is_empty() {
                found.insert(format!("{at}: {}", otherwise(documented, "an array")));
                return;
            }
            let samples: Vec<_> = samples.into_iter().flatten().collect();
            let odd = match (items.is_empty(), samples.is_empty()) {
                (true, false) => Some("nothing to compare"),
                (false, true) => Some("not documented"),
                _ => None,
            };
            found.extend(odd.map(|odd| format!("{at}[]: {odd}")));
            if !samples.is_empty() {
                for item in items {
                    differ(&format!("{at}[]"), &samples, item, found);
                }
            }
        }
        _ => {
            let kind = kind(answer);
            if !documented.iter().any(|it| self::kind(it) == kind) {
                found.insert(format!("{at}: {}", otherwise(documented, &kind)));
            }
        }
    }
}

fn below(at: &str, name: &str) -> String {
    if at.is_empty() {
        name.to_owned()
    } else {
        format!("{at}.{name}")
    }
}

fn otherwise(documented: &[&Value], kind: &str) -> String {
    let kinds: BTreeSet<_> = documented.iter().map(|it| self::kind(it)).collect();
    let kinds: Vec<_> = kinds.into_iter().collect();
    format!("{kind}, not {}", kinds.join(" or "))
}

/// The type of a value; times have the type of their writing.
fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a bool".to_owned(),
        Value::Number(number) if number.is_f64() => "a fraction".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => {
            let digits: String = text
                .chars()
                .map(|letter| if letter.is_ascii_digit() { '0' } else { letter })
                .collect();
            match digits.as_str() {
                "0000-00-00" | "0000-00-00 00:00:00" | "0000-00-00T00:00:00.000" => digits,
                _ => "a text".to_owned(),
            }
        }
    }
}

#[test]
fn differences_are_seen() {
    let differences = |documented: Value, answer: Value| {
        let mut found = BTreeSet::new();
        differ("", &[&documented], &answer, &mut found);
        found.into_iter().collect::<Vec<_>>()
    };
    let sample = json!({ "a": [{ "b": 1, "c": "2018-06-08T22:03:23.772" }], "d": {} });
    assert_eq!(differences(sample.clone(), sample.clone()), [""; 0]);
    let answer = json!({ "a": [{ "b": "1", "c": "2018-06-08 22:03:23" }, {}], "d": { "e": 1 } });
    assert_eq!(
        differences(sample.clone(), answer),
        [
            "a[].b: a text, not a number",
            "a[].b: missing",
            "a[].c: 0000-00-00 00:00:00, not 0000-00-00T00:00:00.000",
            "a[].c: missing",
            "d.e: not documented",
        ]
    );
    let answer = json!({ "a": [], "d": [] });
    assert_eq!(
        differences(sample, answer),
        ["a[]: nothing to compare", "d: an array, not an object"]
    );
}
