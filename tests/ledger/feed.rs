//! The log as a sequence: from any position, filtered or not, with its live tail, on every node.

use shiji::ledger::{Expected, Follower, Recorded};

use super::*;

/// Follows until `last` has been seen.
async fn until(mut follower: Follower, last: i64, max: usize) -> Vec<i64> {
    let mut seen = Vec::new();
    while follower.position() < last {
        let next = tokio::time::timeout(Duration::from_secs(10), follower.next(max));
        let Ok(events) = next.await else { break };
        let events: Vec<Recorded> = events.unwrap();
        assert!(!events.is_empty() && events.len() <= max);
        seen.extend(events.iter().map(|event| event.position));
    }
    seen
}

fn span(first: i64, last: i64) -> Vec<i64> {
    (first..=last).collect()
}

#[tokio::test]
async fn from_any_position_with_any_hand_and_with_what_comes_later() {
    let test = TestDatabase::create().await;
    let (ours, theirs) = (node(&test).await, node(&test).await);
    fill(&ours, "a", 20).await;
    let followers: Vec<_> = [(0, 1), (0, 7), (13, 100), (20, 3), (25, 3)]
        .into_iter()
        .flat_map(|(after, max)| {
            [&ours, &theirs].map(|node| (after, max, node.follow(after, None)))
        })
        .map(|(after, max, follower)| (after, tokio::spawn(until(follower, 60, max))))
        .collect();
    for number in 0..20 {
        let id = format!("n{number}");
        yes(ours.append(job(&[(&id, Expected::Any)])).await);
        yes(theirs.append(job(&[(&id, Expected::Any)])).await);
    }
    for (after, seen) in followers {
        assert_eq!(seen.await.unwrap(), span(after + 1, 60), "after {after}");
    }
}

#[tokio::test]
async fn a_filter_lets_only_its_aggregates_through_and_moves_on() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let other = |number: i64| {
        let mut job = job(&[("x", Expected::Any)]);
        job.streams[0].stream = StreamId::new("Other", number.to_string());
        job
    };
    for number in 0..10 {
        yes(ledger.append(job(&[("a", Expected::Any)])).await);
        yes(ledger.append(other(number)).await);
    }
    let follower = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        ledger.follow(0, Some(names))
    };
    let even = until(follower(&["Other"]), 20, 4).await;
    assert_eq!(even, (1..=10).map(|n| n * 2).collect::<Vec<i64>>());
    let both = until(follower(&["Other", "Note", "Neither"]), 20, 4).await;
    assert_eq!(both, span(1, 20));
    let waiting = tokio::spawn(until(follower(&["Rare"]), 21, 1));
    let mut rare = other(0);
    rare.streams[0].stream = StreamId::new("Rare", "1");
    yes(ledger.append(rare).await);
    assert_eq!(waiting.await.unwrap(), [21]);
}

#[tokio::test]
async fn who_lags_far_behind_the_live_tail_misses_nothing() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let mut lagging = ledger.follow(0, None);
    fill(&ledger, "a", 1).await;
    assert_eq!(lagging.next(10).await.unwrap().len(), 1);
    // More chunks than the tail keeps for anybody: one a batch, one after the other.
    for _ in 0..1_100 {
        yes(ledger.append(job(&[("b", Expected::Any)])).await);
    }
    assert_eq!(until(lagging, 1_101, 300).await, span(2, 1_101));
}

#[tokio::test]
async fn what_was_not_handed_out_is_handed_out_later() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let mut follower = ledger.follow(0, None);
    let mut seen = Vec::new();
    for number in 0..40_u64 {
        yes(ledger.append(job(&[("a", Expected::Any)])).await);
        // Given up at every moment.
        let patience = Duration::from_micros(number * 50);
        if let Ok(events) = tokio::time::timeout(patience, follower.next(3)).await {
            seen.extend(events.unwrap().iter().map(|event| event.position));
        }
    }
    seen.extend(until(follower, 40, 3).await);
    assert_eq!(seen, span(1, 40));
}

#[tokio::test]
async fn a_node_whose_log_went_back_says_so_also_while_it_appends() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    fill(&ledger, "a", 30).await;
    eventually("the tail has heard everything", async || {
        ledger.tail_position() == 30
    })
    .await;
    assert_eq!(ledger.unready(), None);
    // As a restore to an earlier moment would do.
    sqlx::raw_sql("DELETE FROM events WHERE position > 10; UPDATE ledger SET generation = 2")
        .execute(&mut superuser(&test).await)
        .await
        .unwrap();
    eventually("the node is not ready", async || {
        // Its own appends go on, and each of them says that the log is alive.
        let answer = ledger.append(job(&[("b", Expected::Any)])).await;
        assert!(yes(answer).position > 10);
        ledger.unready().is_some_and(|why| why.contains("restored"))
    })
    .await;
    assert_eq!(ledger.mark(7).to_string(), "1-7");
    assert_eq!(node(&test).await.mark(7).to_string(), "2-7");
}
