//! The same questions to mingo and to PostgreSQL: the same teams in the same order.
//!
//! The recorded corpus is asked always; new questions where node and the package can be had. To record anew:
//! `SHIJI_RECORD_CORPUS=1 cargo test filter::oracle`.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shiji::projections::filter::{self, FilterError, Order, Page};

use super::{
    random::{Dice, Question},
    table::{FIELDS, Teams},
};

#[derive(Serialize, Deserialize)]
struct Set {
    teams: Vec<Value>,
    queries: Vec<Question>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Answer {
    ids: Vec<String>,
    total: i64,
}

#[derive(Serialize, Deserialize)]
struct Recorded {
    #[serde(flatten)]
    set: Set,
    answers: Vec<Answer>,
}

#[tokio::test]
async fn the_recorded_corpus_is_answered_as_mingo_did() {
    let recorded: Vec<Recorded> =
        serde_json::from_str(&std::fs::read_to_string(corpus()).unwrap()).unwrap();
    let (sets, answers): (Vec<_>, Vec<_>) = recorded
        .into_iter()
        .map(|recorded| (recorded.set, recorded.answers))
        .unzip();
    compare(&sets, &answers).await;
}

#[tokio::test]
async fn thousands_of_random_questions_are_answered_as_mingo_does() {
    let Some(oracle) = Oracle::install() else {
        eprintln!(
            "SKIPPED: no node or no npm package mingo here, so only the recorded corpus was asked"
        );
        return;
    };
    let seed = std::env::var("SHIJI_FILTER_SEED").map_or_else(
        |_| rand::random::<u64>() >> 32,
        |text| text.parse().unwrap(),
    );
    eprintln!("SHIJI_FILTER_SEED={seed}");
    let (sets, answers) = sets(&oracle, seed, 30, 100);
    compare(&sets, &answers).await;

    if std::env::var_os("SHIJI_RECORD_CORPUS").is_some() {
        let (sets, answers) = self::sets(&oracle, seed, 20, 20);
        let recorded = sets.into_iter().zip(answers);
        let lines: Vec<String> = recorded
            .map(|(set, answers)| serde_json::to_string(&Recorded { set, answers }).unwrap())
            .collect();
        std::fs::write(corpus(), format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
    }
}

/// Sets of teams, questions about them and the answers. Most questions tell the teams apart: of those that no team or
/// every team answers to, only a few are kept.
fn sets(oracle: &Oracle, seed: u64, count: usize, queries: usize) -> (Vec<Set>, Vec<Vec<Answer>>) {
    const TEAMS: usize = 12;
    let mut dice = Dice::new(seed);
    let mut sets: Vec<Set> = (0..count)
        .map(|_| Set {
            teams: dice.teams(TEAMS),
            queries: std::iter::repeat_with(|| dice.question())
                .filter(is_within_bounds)
                .take(queries * 2)
                .collect(),
        })
        .collect();
    let mut answers = oracle.ask(&sets);
    for (set, answers) in sets.iter_mut().zip(&mut answers) {
        let asked = std::mem::take(&mut set.queries);
        let (telling, dull): (Vec<_>, Vec<_>) = asked
            .into_iter()
            .zip(std::mem::take(answers))
            .partition(|(_, answer)| (1..TEAMS).contains(&usize::try_from(answer.total).unwrap()));
        let telling = telling.into_iter().take(queries - queries / 4);
        (set.queries, *answers) = telling.chain(dull).take(queries).unzip();
    }
    (sets, answers)
}

/// Not refused for its size alone; any other refusal is a finding.
fn is_within_bounds(question: &Question) -> bool {
    !matches!(
        filter::parse(&question.text, &FIELDS),
        Err(FilterError::Invalid { reason, .. })
            if reason.contains("too many") || reason.contains("too much") || reason.contains("too long")
    )
}

async fn compare(sets: &[Set], answers: &[Vec<Answer>]) {
    let teams = Teams::create().await;
    let mut wrong = Vec::new();
    let mut some = 0;
    for (number, (set, answers)) in (0..).zip(sets.iter().zip(answers)) {
        teams.insert(number, &set.teams).await;
        for (question, expected) in set.queries.iter().zip(answers) {
            let filter = filter::parse(&question.text, &FIELDS)
                .unwrap_or_else(|error| panic!("{}: {error}", question.text));
            let order = Order::parse(&question.order_text(), &FIELDS).unwrap();
            let page = Page {
                offset: question.skip,
                limit: question.limit,
            };
            let (ids, total) = teams.query(number, &filter, &order, page).await.unwrap();
            let found = Answer { ids, total };
            if found != *expected {
                wrong.push(format!(
                    "{} order {} of set {number}\n  mingo {expected:?}\n  here  {found:?}",
                    question.filter,
                    question.order_text()
                ));
            }
            some += usize::from((1..12).contains(&total));
        }
    }
    let all: usize = answers.iter().map(Vec::len).sum();
    let shown = wrong
        .iter()
        .take(20)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        wrong.is_empty(),
        "{} of {all} differ:\n{shown}",
        wrong.len()
    );
    assert!(
        some * 3 > all,
        "only {some} of {all} questions tell teams apart"
    );
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filter/corpus.json")
}

/// mingo, in a folder under `target`.
struct Oracle {
    folder: PathBuf,
}

impl Oracle {
    fn install() -> Option<Self> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mingo");
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/filter/oracle");
        std::fs::create_dir_all(&folder).unwrap();
        for file in ["package.json", "package-lock.json", "run.mjs"] {
            std::fs::copy(sources.join(file), folder.join(file)).unwrap();
        }
        let version = Command::new("node").arg("--version").output().ok()?;
        if !version.status.success() {
            return None;
        }
        if !folder.join("node_modules/mingo").exists() {
            let done = Command::new("npm")
                .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
                .current_dir(&folder)
                .stdout(Stdio::null())
                .status()
                .ok()?;
            if !done.success() {
                return None;
            }
        }
        Some(Self { folder })
    }

    fn ask(&self, sets: &[Set]) -> Vec<Vec<Answer>> {
        let mut node = Command::new("node")
            .arg("run.mjs")
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = node.stdin.take().unwrap();
        input.write_all(&serde_json::to_vec(sets).unwrap()).unwrap();
        drop(input);
        let output = node.wait_with_output().unwrap();
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).unwrap()
    }
}
