//! Connections that die between commit and answer, and callers who leave: nothing doubled, nothing lost, nothing left behind.

use std::collections::HashSet;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use shiji::ledger::{AppendError, Expected, Verdict};

use super::proxy::{Fate, Proxy};
use super::*;

/// A node whose appender goes through a proxy; its connection is warm, so that the next statement is an append.
async fn proxied(test: &TestDatabase) -> (Ledger, Proxy) {
    let proxy = Proxy::start(test.database().service_options("appender", &[]));
    let mut through = options(test);
    through.append = proxy.options();
    let ledger = Ledger::open(through).await.unwrap();
    fill(&ledger, "warm", 1).await;
    (ledger, proxy)
}

fn only(number: usize, fate: Fate) -> impl Fn(usize) -> Fate + Send + Sync + 'static {
    move |statement| {
        if statement == number {
            fate
        } else {
            Fate::Pass
        }
    }
}

#[tokio::test]
async fn an_append_whose_answer_is_lost_is_accepted_once() {
    let test = TestDatabase::create().await;
    let (ledger, proxy) = proxied(&test).await;
    for (number, expected) in [Expected::Exact(0), Expected::Any].into_iter().enumerate() {
        let id = format!("s{number}");
        proxy.plan(only(0, Fate::CutAfter));
        let mut lost = job(&[(&id, expected), ("other", Expected::Any)]);
        lost.streams[0].events.push(noted("second"));
        let ids: Vec<Uuid> = lost
            .streams
            .iter()
            .flat_map(|write| write.events.iter().map(|event| event.event_id))
            .collect();
        let appended = yes(ledger.append(lost).await);
        assert!(proxy.statements() > 1, "it was sent again");
        let read = ledger.read(appended.position - 3, 10).await.unwrap();
        assert_eq!(
            read.iter().map(|event| event.event_id).collect::<Vec<_>>(),
            ids
        );
        for (read, told) in read.iter().zip(appended.events.iter()) {
            assert_eq!(format!("{read:?}"), format!("{told:?}"));
        }
    }
    assert_eq!(assert_sound(&ledger).await, 7);
}

#[tokio::test]
async fn an_append_that_never_arrived_is_sent_again() {
    let test = TestDatabase::create().await;
    let (ledger, proxy) = proxied(&test).await;
    proxy.plan(only(0, Fate::CutBefore));
    yes(ledger.append(job(&[("a", Expected::Exact(0))])).await);
    assert_eq!(assert_sound(&ledger).await, 2);
}

/// As [`proxied`], with an appender that takes a log for dead after a fifth of a second.
async fn impatient(test: &TestDatabase) -> (Ledger, Proxy) {
    let proxy = Proxy::start(test.database().service_options("appender", &[]));
    let mut through = options(test);
    through.append = proxy.options();
    through.limits.answer = Duration::from_millis(200);
    let ledger = Ledger::open(through).await.unwrap();
    fill(&ledger, "warm", 1).await;
    (ledger, proxy)
}

/// Frozen without an error: nothing but the clock tells.
#[tokio::test]
async fn an_append_whose_connection_falls_silent_is_accepted_once_and_the_next_ones_go_on() {
    let test = TestDatabase::create().await;
    let (ledger, proxy) = impatient(&test).await;
    proxy.plan(only(0, Fate::Freeze));
    let began = Instant::now();
    yes(ledger.append(job(&[("a", Expected::Any)])).await);
    assert!(began.elapsed() < Duration::from_secs(10));
    yes(ledger.append(job(&[("b", Expected::Exact(0))])).await);
    assert_eq!(version(&ledger, "a").await, 1);
    assert_eq!(assert_sound(&ledger).await, 3);
}

/// A session given up may still get its turn, before or after the one that took its place.
#[tokio::test]
async fn an_append_that_is_merely_slow_is_asked_again_and_still_happens_once() {
    let test = TestDatabase::create().await;
    let (ledger, _proxy) = impatient(&test).await;
    let mut held = Held::take(&test).await;
    let slow = tokio::spawn(append(ledger.clone(), job(&[("a", Expected::Any)])));
    // The first session, and two that were opened after it: 0.2 s, then 0.4 s.
    held.awaited_by(3).await;
    held.release().await;
    assert_eq!(yes(slow.await.unwrap()).events.len(), 1);
    yes(ledger.append(job(&[("a", Expected::Exact(1))])).await);
    assert_eq!(assert_sound(&ledger).await, 3);
}

#[tokio::test]
async fn a_stale_job_stays_stale_when_its_answer_is_lost() {
    let test = TestDatabase::create().await;
    let (ledger, proxy) = proxied(&test).await;
    proxy.plan(only(0, Fate::CutAfter));
    let answer = ledger.append(job(&[("warm", Expected::Exact(0))])).await;
    assert_like!(answer, Err(AppendError::Stale));
    assert_eq!(assert_sound(&ledger).await, 1);
}

#[tokio::test]
async fn lost_answers_of_a_batch_come_back_job_by_job() {
    let test = TestDatabase::create().await;
    let (ledger, proxy) = proxied(&test).await;
    fill(&ledger, "moved", 2).await;
    let mut kept = job(&[("kept", Expected::Exact(0))]);
    kept.receipt = Some(receipt(1, 1, "kept"));
    let mut refusal = job(&[]);
    refusal.guards = vec![(stream("warm"), 1)];
    refusal.receipt = Some(receipt(2, 2, "no"));
    let jobs = vec![
        job(&[("a", Expected::Exact(0)), ("b", Expected::Any)]),
        job(&[("moved", Expected::Exact(1))]),
        kept,
        refusal,
    ];
    // Statement 0 is the job in front of the batch.
    proxy.plan(only(1, Fate::CutAfter));
    let answers = in_one_batch(&test, &ledger, jobs).await;
    let [a, moved, kept, refusal] = answers.try_into().unwrap();
    assert_eq!(yes(a).events.len(), 2);
    assert_like!(moved, Err(AppendError::Stale));
    assert_eq!(yes(kept).events.len(), 1);
    // Without an event to know it by, it is known by its receipt.
    match refusal {
        Ok(Verdict::Repeated { outcome, .. }) => assert_eq!(outcome, b"no"),
        other => panic!("{other:?}"),
    }
    assert_eq!(assert_sound(&ledger).await, 7);
}

/// The batch goes in, its answer is lost, and when it comes again one job of it is refused for its data: the others are
/// sent one by one, and must still be known as sent before.
#[tokio::test]
async fn a_batch_that_falls_apart_after_a_lost_answer_is_still_known() {
    let test = TestDatabase::create().await;
    let (ledger, proxy) = proxied(&test).await;
    fill(&ledger, "slow", 1).await;
    let jobs = vec![
        job(&[("a", Expected::Exact(0))]),
        one("slow", Expected::Exact(2), event("{ not json")),
        job(&[("b", Expected::Any)]),
    ];
    let held = Held::take(&test).await;
    // The first time the second job is stale, so that nobody looks at its data; then the stream moves.
    let all: Vec<_> = jobs
        .into_iter()
        .map(|job| tokio::spawn(append(ledger.clone(), job)))
        .collect();
    let mut held = held;
    held.awaited_by(1).await;
    proxy.plan(|_| Fate::Pass);
    proxy.cut_answers();
    let other = node(&test).await;
    let between = tokio::spawn(append(other, job(&[("slow", Expected::Exact(1))])));
    held.awaited_by(2).await;
    held.release().await;
    yes(between.await.unwrap());
    let mut answers = Vec::new();
    for answer in all {
        answers.push(answer.await.unwrap());
    }
    let [a, bad, b] = answers.try_into().unwrap();
    yes(a);
    yes(b);
    assert_like!(bad, Err(AppendError::Data(_) | AppendError::Stale));
    assert_eq!(version(&ledger, "a").await + version(&ledger, "b").await, 2);
    assert_sound(&ledger).await;
}

async fn append(ledger: Ledger, job: Append) -> Result<Verdict, AppendError> {
    ledger.append(job).await
}

/// What was accepted is there once, what was refused is not, what is unknown is there at most once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_a_connection_that_dies_again_and_again_every_answer_is_true() {
    let test = TestDatabase::create().await;
    let (ledger, proxy) = proxied(&test).await;
    let other = node(&test).await;
    let random = Mutex::new(StdRng::seed_from_u64(1));
    proxy.plan(move |_| match random.lock().random_range(0..100) {
        0..8 => Fate::CutBefore,
        8..24 => Fate::CutAfter,
        _ => Fate::Pass,
    });
    let mut tasks = Vec::new();
    for writer in 0..8 {
        // Some of the jobs come from a node whose connection is well.
        let ledger = if writer == 7 {
            other.clone()
        } else {
            ledger.clone()
        };
        tasks.push(tokio::spawn(async move {
            let mut answers = Vec::new();
            for number in 0..15 {
                let contended = format!("contended {}", number % 3);
                let own = format!("own {writer}");
                let at = i64::try_from(version(&ledger, &contended).await).unwrap();
                let job = job(&[(&contended, Expected::Exact(at)), (&own, Expected::Any)]);
                let id = job.streams[1].events[0].event_id;
                answers.push((id, ledger.append(job).await));
            }
            answers
        }));
    }
    let (mut accepted, mut unknown) = (HashSet::new(), HashSet::new());
    for task in tasks {
        for (id, answer) in task.await.unwrap() {
            match answer {
                Ok(_) => drop(accepted.insert(id)),
                Err(AppendError::Unknown) => drop(unknown.insert(id)),
                Err(AppendError::Stale) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    assert!(proxy.statements() > 30 && accepted.len() > 30);
    assert_sound(&other).await;
    let mut own = Vec::new();
    for writer in 0..8 {
        own.extend(
            other
                .stream(&stream(&format!("own {writer}")))
                .await
                .unwrap(),
        );
    }
    let there: HashSet<Uuid> = own.iter().map(|event| event.event_id).collect();
    assert!(accepted.is_subset(&there), "an acknowledged append is lost");
    assert!(
        there
            .iter()
            .all(|id| accepted.contains(id) || unknown.contains(id)),
        "a refused job is there"
    );
}

#[tokio::test]
async fn when_the_answer_never_comes_the_caller_hears_that_nobody_knows() {
    let test = TestDatabase::create().await;
    let (ledger, proxy) = proxied(&test).await;
    proxy.plan(|number| {
        if number == 0 {
            Fate::CutAfter
        } else {
            Fate::CutBefore
        }
    });
    let mut lost = job(&[("a", Expected::Exact(0))]);
    lost.deadline = Instant::now() + Duration::from_millis(200);
    assert_like!(ledger.append(lost).await, Err(AppendError::Unknown));
    proxy.plan(|_| Fate::Pass);
    assert_eq!(version(&ledger, "a").await, 1);
    // The appender finds back to work, and does not do it again.
    yes(ledger.append(job(&[("a", Expected::Exact(1))])).await);
    assert_eq!(assert_sound(&ledger).await, 3);
}

/// A refusal on the second attempt says nothing about the first.
#[tokio::test]
async fn a_server_that_refuses_the_resend_does_not_make_the_first_attempt_undone() {
    let test = TestDatabase::create().await;
    let (ledger, proxy) = proxied(&test).await;
    let database = test.database().name().to_owned();
    let set = async |sql: String| {
        sqlx::query(&sql)
            .execute(&mut superuser(&test).await)
            .await
            .unwrap();
    };
    proxy.plan(only(0, Fate::CutAfter));
    // The append refuses new sessions of this database: after the cut only refusals are to be had.
    set(format!(
        "ALTER DATABASE {database} SET default_transaction_isolation = 'repeatable read'"
    ))
    .await;
    let answer = ledger.append(job(&[("a", Expected::Exact(0))])).await;
    assert_like!(answer, Err(AppendError::Unknown));
    set(format!(
        "ALTER DATABASE {database} RESET default_transaction_isolation"
    ))
    .await;
    yes(ledger.append(job(&[("a", Expected::Exact(1))])).await);
    assert_eq!(assert_sound(&ledger).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_sessions_lose_nothing() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let ledger = ledger.clone();
            tokio::spawn(async move { fill(&ledger, &format!("s{writer}"), 60).await })
        })
        .collect();
    let mut superuser = superuser(&test).await;
    // Not by the clock: on a busy machine nothing would ever get through.
    for round in 1..=12 {
        eventually("the log goes on", async || {
            ledger.head().await.unwrap().position >= round * 16
        })
        .await;
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'shiji appender'",
        )
        .execute(&mut superuser)
        .await
        .unwrap();
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(assert_sound(&ledger).await, 240);
}

/// Hanging up is dropping the future: after every number of polls that there is.
#[tokio::test]
async fn a_client_that_leaves_at_any_moment_leaves_nothing_behind() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let personal = |name: &str| {
        let subject = format!("Account:{name}");
        let payload = serde_json::json!({ "Noted": { "note": { "$personal": [subject, "x"] } } });
        one(name, Expected::Any, event(&payload.to_string()))
    };
    let mut finished = 0;
    for number in 0..60 {
        let name = format!("s{number}");
        let appending = ledger.append(personal(&name));
        // A little later each time: before sealing, between its statements, queued, sent, answered.
        let patience = Duration::from_micros(number * 150);
        if let Ok(answer) = tokio::time::timeout(patience, appending).await {
            yes(answer);
            assert_eq!(version(&ledger, &name).await, 1, "acknowledged and lost");
            finished += 1;
        }
        let loading = ledger.load::<super::switch::Switch>("s", shiji::ledger::Freshness::Reread);
        let _ = tokio::time::timeout(patience, loading).await;
    }
    yes(ledger.append(personal("last")).await);
    assert!(finished < 60);
    assert_sound(&ledger).await;
    let mut superuser = superuser(&test).await;
    eventually("no lock and no transaction is left", async || {
        let (locks, open): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                     WHERE d.datname = current_database() AND l.pid <> pg_backend_pid()
                     -- A listening node shows that it is there.
                     AND NOT (l.locktype = 'advisory' AND l.objsubid = 2)),
                    (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                     AND pid <> pg_backend_pid() AND state <> 'idle')",
        )
        .fetch_one(&mut superuser)
        .await
        .unwrap();
        (locks, open) == (0, 0)
    })
    .await;
}
