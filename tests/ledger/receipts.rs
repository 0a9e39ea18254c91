//! One request under one key happens once, and always has the first answer.

use shiji::ledger::{AppendError, Expected, Verdict};

use super::*;

fn kept(id: &str, key: u8, digest: u8, outcome: &str) -> Append {
    let mut job = job(&[(id, Expected::Any)]);
    job.receipt = Some(receipt(key, digest, outcome));
    job
}

fn again(verdict: Result<Verdict, AppendError>) -> (u8, String, i64) {
    match verdict {
        Ok(Verdict::Repeated {
            digest,
            outcome,
            position,
        }) => (digest[0], String::from_utf8(outcome).unwrap(), position),
        other => panic!("not repeated: {other:?}"),
    }
}

#[tokio::test]
async fn a_repeated_key_has_the_first_answer_also_on_another_node_and_after_a_restart() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    assert_eq!(
        yes(ledger.append(kept("a", 1, 1, "first")).await).position,
        1
    );
    let first = (1, "first".to_owned(), 1);
    assert_eq!(again(ledger.append(kept("a", 1, 1, "second")).await), first);
    // Another request under the key is told apart by the digest of the first.
    assert_eq!(again(ledger.append(kept("b", 1, 2, "other")).await), first);
    let restarted = node(&test).await;
    assert_eq!(
        again(restarted.append(kept("a", 1, 1, "third")).await),
        first
    );
    let receipt = restarted.receipt(&[1; 32]).await.unwrap().unwrap();
    assert_eq!(again(Ok(receipt)), first);
    assert!(restarted.receipt(&[2; 32]).await.unwrap().is_none());
    yes(restarted.append(kept("a", 2, 1, "another key")).await);
    assert_eq!(assert_sound(&ledger).await, 2);
}

#[tokio::test]
async fn the_first_caller_may_hang_up_before_the_answer() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let mut held = Held::take(&test).await;
    let mut first = Box::pin(ledger.append(kept("a", 1, 1, "first")));
    assert!(polled(&mut first).await.is_pending());
    held.awaited_by(1).await;
    drop(first);
    held.release().await;
    let answer = again(ledger.append(kept("a", 1, 1, "second")).await);
    assert_eq!(answer, (1, "first".to_owned(), 1));
    assert_eq!(assert_sound(&ledger).await, 1);
}

#[tokio::test]
async fn the_same_key_twice_at_once_happens_once() {
    let test = TestDatabase::create().await;
    let nodes = [node(&test).await, node(&test).await];
    let all = (0..40).map(|number| {
        let ledger = nodes[number % 2].clone();
        async move { ledger.append(kept("a", 9, 1, &number.to_string())).await }
    });
    let answers = futures::future::join_all(all).await;
    let (first, repeated): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|answer| matches!(answer, Ok(Verdict::Appended(_))));
    assert_eq!(first.len(), 1);
    let mut outcomes: Vec<String> = repeated.into_iter().map(|answer| again(answer).1).collect();
    outcomes.dedup();
    assert_eq!(outcomes.len(), 1);
    assert_eq!(assert_sound(&nodes[0]).await, 1);
}

#[tokio::test]
async fn a_refused_job_leaves_no_receipt_and_one_without_events_does() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    fill(&ledger, "a", 2).await;
    let mut stale = job(&[("a", Expected::Exact(0))]);
    stale.receipt = Some(receipt(1, 1, "stale"));
    assert_like!(ledger.append(stale).await, Err(AppendError::Stale));
    assert!(ledger.receipt(&[1; 32]).await.unwrap().is_none());
    let mut refusal = job(&[]);
    refusal.guards = vec![(stream("a"), 2)];
    refusal.receipt = Some(receipt(1, 1, "no"));
    assert_eq!(yes(ledger.append(refusal.clone()).await).position, 2);
    fill(&ledger, "b", 1).await;
    assert_eq!(again(ledger.append(refusal).await), (1, "no".to_owned(), 2));
}

#[tokio::test]
async fn a_receipt_lasts_a_day_and_is_swept_afterwards() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    for key in 1..=5 {
        yes(ledger.append(kept("a", key, 1, "first")).await);
    }
    let age = async |key: u8, age: &str| {
        let sql = format!(
            "UPDATE idempotency_keys SET recorded_at = clock_timestamp() - interval '{age}' WHERE key = $1"
        );
        sqlx::query(&sql)
            .bind(&[key; 32][..])
            .execute(&mut superuser(&test).await)
            .await
            .unwrap();
    };
    age(1, "23 hours 59 minutes").await;
    age(2, "24 hours 1 second").await;
    age(3, "25 hours").await;
    age(4, "26 hours").await;
    again(ledger.append(kept("a", 1, 1, "x")).await);
    assert!(ledger.receipt(&[2; 32]).await.unwrap().is_none());
    yes(ledger.append(kept("a", 2, 7, "anew")).await);
    let anew = again(ledger.append(kept("a", 2, 7, "x")).await);
    assert_eq!(anew, (7, "anew".to_owned(), 6));
    assert_eq!(ledger.sweep_receipts(1).await.unwrap(), 1);
    assert_eq!(ledger.sweep_receipts(10).await.unwrap(), 1);
    assert_eq!(ledger.sweep_receipts(10).await.unwrap(), 0);
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM idempotency_keys")
        .fetch_one(&service(&test))
        .await
        .unwrap();
    assert_eq!(left, 3);
}
