//! How fast the projector is. Not a test of anything: run it when folds or the batch change.
//!
//! `cargo test --release projections::speed -- --ignored --nocapture`

use std::time::{Duration, Instant};

use shiji::ledger::Ledger;
use sqlx::{Connection, Executor};

use super::{append, created, ledger, metadata, projector, raw, shown, task};
use crate::support::TestDatabase;

const BACKLOG: i64 = 100_000;
const SINGLE: i64 = 2_000;

async fn backlog(ledger: &Ledger) {
    use shiji::ledger::{Append, Expected, StreamWrite};

    for job in 0..BACKLOG / 1_000 {
        let streams = (0..1_000).map(|n| {
            let event = serde_json::to_string(&created("a remark of common length")).unwrap();
            StreamWrite {
                stream: task(job * 1_000 + n + 1),
                expected: Expected::Exact(0),
                events: vec![raw("TaskCreated", &event)],
            }
        });
        let job = Append {
            streams: streams.collect(),
            guards: Vec::new(),
            metadata: metadata(),
            receipt: None,
            deadline: tokio::time::Instant::now() + Duration::from_secs(60),
        };
        ledger.append(job).await.unwrap();
    }
}

/// One event after the other, each waited for; answers the medians of append and of what came after it.
async fn one_by_one(ledger: &Ledger, first: i64) -> (Duration, Duration) {
    let (mut appends, mut folds) = (Vec::new(), Vec::new());
    for id in first..first + SINGLE {
        let began = Instant::now();
        let position = append(ledger, task(id), &[created("one")]).await;
        let appended = began.elapsed();
        shown(ledger, position).await;
        appends.push(appended);
        folds.push(began.elapsed().saturating_sub(appended));
    }
    appends.sort();
    folds.sort();
    (appends[appends.len() / 2], folds[folds.len() / 2])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn speed() {
    let test = TestDatabase::create().await;
    let ledger = ledger(&test).await;
    backlog(&ledger).await;
    let began = Instant::now();
    let projector = projector(&test, &ledger).await;
    shown(&ledger, BACKLOG).await;
    let took = began.elapsed();
    println!(
        "backlog of {BACKLOG}: {took:?}, {:.0} events/s",
        100_000.0 / took.as_secs_f64()
    );

    let (append, fold) = one_by_one(&ledger, BACKLOG + 1).await;
    println!("one by one: append {append:?}, tables after that {fold:?} (medians)");

    let mut reader = test.database().connect_owner().await.unwrap();
    let mut old = reader.begin().await.unwrap();
    old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM events")
        .await
        .unwrap();
    for round in 1..=4 {
        let (append, fold) = one_by_one(&ledger, BACKLOG + 1 + round * SINGLE).await;
        println!(
            "under an old snapshot, round {round}: append {append:?}, tables after that {fold:?} (medians)"
        );
    }
    projector.shutdown().await;
}
