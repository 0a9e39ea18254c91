//! A job is in the log whole or not at all, and nobody else's job suffers for it.

use shiji::ledger::{AppendError, Expected};

use super::*;

const EXACT: fn(i64) -> Expected = Expected::Exact;

#[tokio::test]
async fn five_streams_with_one_stale_version_leave_nothing() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    fill(&ledger, "c", 2).await;
    let stale = job(&[
        ("a", EXACT(0)),
        ("b", EXACT(0)),
        ("c", EXACT(1)),
        ("d", Expected::Any),
        ("e", EXACT(0)),
    ]);
    assert_like!(ledger.append(stale).await, Err(AppendError::Stale));
    assert_eq!(assert_sound(&ledger).await, 2);
    let good = job(&[
        ("a", EXACT(0)),
        ("b", EXACT(0)),
        ("c", EXACT(2)),
        ("d", Expected::Any),
        ("e", EXACT(0)),
    ]);
    let appended = yes(ledger.append(good).await);
    assert_eq!(appended.position, 7);
    let positions: Vec<i64> = appended.events.iter().map(|event| event.position).collect();
    assert_eq!(positions, [3, 4, 5, 6, 7]);
    assert_eq!(assert_sound(&ledger).await, 7);
}

#[tokio::test]
async fn a_version_behind_or_ahead_is_stale() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    fill(&ledger, "a", 2).await;
    for wrong in [0, 1, 3, -1, -7] {
        let answer = ledger.append(job(&[("a", EXACT(wrong))])).await;
        assert_like!(answer, Err(AppendError::Stale), "at {wrong}");
        let mut guarded = job(&[("b", EXACT(0))]);
        guarded.guards = vec![(stream("a"), wrong)];
        assert_like!(
            ledger.append(guarded).await,
            Err(AppendError::Stale),
            "guard at {wrong}"
        );
    }
    assert_eq!(assert_sound(&ledger).await, 2);
}

#[tokio::test]
async fn a_guard_that_moved_refuses_and_one_that_stands_does_not() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    fill(&ledger, "guarded", 1).await;
    let guarded = |version| {
        let mut job = job(&[("a", Expected::Any)]);
        job.guards = vec![(stream("guarded"), version)];
        job
    };
    assert_eq!(yes(ledger.append(guarded(1)).await).position, 2);
    yes(ledger.append(job(&[("guarded", EXACT(1))])).await);
    assert_like!(ledger.append(guarded(1)).await, Err(AppendError::Stale));
    yes(ledger.append(guarded(2)).await);
}

#[tokio::test]
async fn a_guard_on_a_written_stream_counts_and_two_that_differ_cannot_both_hold() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    fill(&ledger, "a", 2).await;
    let mut blind = job(&[("a", Expected::Any)]);
    blind.guards = vec![(stream("a"), 1)];
    assert_like!(ledger.append(blind).await, Err(AppendError::Stale));
    let mut torn = job(&[("b", EXACT(0))]);
    torn.guards = vec![(stream("a"), 2), (stream("a"), 1)];
    assert_like!(ledger.append(torn).await, Err(AppendError::Stale));
    let mut sound = job(&[("a", Expected::Any), ("b", EXACT(0))]);
    sound.guards = vec![(stream("a"), 2), (stream("a"), 2), (stream("b"), 0)];
    yes(ledger.append(sound).await);
    assert_eq!(assert_sound(&ledger).await, 4);
}

#[tokio::test]
async fn a_guard_that_moves_during_the_wait_for_the_lock_refuses() {
    let test = TestDatabase::create().await;
    let (ours, theirs) = (node(&test).await, node(&test).await);
    fill(&ours, "guarded", 1).await;
    let mut held = Held::take(&test).await;
    // Theirs moves the guard and stands first in line; ours was decided before and stands behind.
    let moving = tokio::spawn({
        let theirs = theirs.clone();
        async move { theirs.append(job(&[("guarded", EXACT(1))])).await }
    });
    held.awaited_by(1).await;
    let waiting = tokio::spawn({
        let ours = ours.clone();
        async move {
            let mut job = job(&[("a", EXACT(0))]);
            job.guards = vec![(stream("guarded"), 1)];
            ours.append(job).await
        }
    });
    held.awaited_by(2).await;
    held.release().await;
    yes(moving.await.unwrap());
    assert_like!(waiting.await.unwrap(), Err(AppendError::Stale));
    assert_eq!(assert_sound(&ours).await, 2);
}

#[tokio::test]
async fn jobs_on_one_stream_that_wait_together_are_decided_one_after_the_other() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let mut guarded = job(&[("b", EXACT(0))]);
    guarded.guards = vec![(stream("a"), 0)];
    let jobs = vec![
        job(&[("a", EXACT(0))]),
        job(&[("a", EXACT(0))]),
        job(&[("a", EXACT(1))]),
        guarded,
        job(&[("c", EXACT(0))]),
        job(&[("a", Expected::Any)]),
    ];
    let answers = in_one_batch(&test, &ledger, jobs).await;
    let accepted: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(accepted, [true, false, true, false, true, true]);
    assert_eq!(version(&ledger, "a").await, 3);
    assert_eq!(version(&ledger, "b").await, 0);
    assert_eq!(assert_sound(&ledger).await, 5);
}

#[tokio::test]
async fn a_job_with_bad_data_harms_no_other() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let twice = noted("twice");
    yes(ledger.append(one("twice", EXACT(0), twice.clone())).await);
    // PostgreSQL compresses long keys of an index before it refuses them, so this one is not compressible.
    let long: String = (0..400).map(|_| Uuid::new_v4().to_string()).collect();
    let jobs = vec![
        job(&[("first", EXACT(0))]),
        one("no json", EXACT(0), event("{ not json")),
        one("nul\0", EXACT(0), noted("x")),
        one("event id", EXACT(0), twice),
        one("deep", EXACT(0), event(&"[".repeat(200_000))),
        job(&[("with it", EXACT(0)), (&long, EXACT(0))]),
        job(&[("last", EXACT(0)), ("other", EXACT(0))]),
    ];
    let answers = in_one_batch(&test, &ledger, jobs).await;
    for (number, answer) in answers.into_iter().enumerate() {
        match number {
            0 | 6 => drop(yes(answer)),
            _ => assert_like!(answer, Err(AppendError::Data(_)), "job {number}"),
        }
    }
    assert_eq!(version(&ledger, "with it").await, 0);
    assert_eq!(version(&ledger, "other").await, 1);
    assert_eq!(assert_sound(&ledger).await, 5);
}

#[tokio::test]
async fn a_job_is_checked_at_the_door() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let refused = async |job: Append| {
        let answer = ledger.append(job).await;
        assert_like!(answer, Err(AppendError::Data(_)));
    };
    refused(one("a", EXACT(0), noted("a\0b"))).await;
    refused(job(&[("a", EXACT(0)), ("a", EXACT(0))])).await;
    let mut empty = job(&[("a", EXACT(0))]);
    empty.streams[0].events.clear();
    refused(empty).await;
    let mut nul = job(&[("a", EXACT(0))]);
    nul.metadata.correlation = Some("a\0b".to_owned());
    refused(nul).await;
    // Ciphertext from elsewhere opens nowhere: the stream, and every tail of the log, would end here.
    refused(one(
        "a",
        EXACT(0),
        event(r#"{"Noted":{"note":{"$sealed":["Account:1","AAAA"]}}}"#),
    ))
    .await;
    for subject in ["", "Account:1\nAccount:2"] {
        let payload = serde_json::json!({ "Noted": { "note": { "$personal": [subject, "x"] } } });
        refused(one("a", EXACT(0), event(&payload.to_string()))).await;
    }
    assert_eq!(assert_sound(&ledger).await, 0);
    yes(ledger
        .append(one("a", EXACT(0), noted("\\u0000 spelled out")))
        .await);
}

#[tokio::test]
async fn a_job_without_events_is_checked_and_stands_at_the_head() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    fill(&ledger, "a", 3).await;
    let looking = |version| {
        let mut job = job(&[]);
        job.guards = vec![(stream("a"), version)];
        job
    };
    let appended = yes(ledger.append(looking(3)).await);
    assert_eq!((appended.position, appended.events.len()), (3, 0));
    assert_like!(ledger.append(looking(2)).await, Err(AppendError::Stale));
    assert_eq!(assert_sound(&ledger).await, 3);
}

#[tokio::test]
async fn the_append_refuses_a_transaction_that_would_not_see_what_was_committed_during_the_wait() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let isolation = async |level: &str| {
        let sql = format!(
            "ALTER DATABASE {} SET default_transaction_isolation = '{level}'",
            test.database().name()
        );
        sqlx::query(&sql)
            .execute(&mut superuser(&test).await)
            .await
            .unwrap();
    };
    for level in ["repeatable read", "serializable"] {
        isolation(level).await;
        let strict = node(&test).await;
        let answer = strict.append(job(&[("a", EXACT(0))])).await;
        assert_like!(answer, Err(AppendError::Unavailable(_)), "{level}");
        isolation("read committed").await;
        // The node finds back by itself: a refusing session is not kept.
        yes(strict.append(job(&[(level, EXACT(0))])).await);
    }
    assert_eq!(assert_sound(&ledger).await, 2);
}
