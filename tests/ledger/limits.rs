//! What waits has a limit, what is late is refused, and both mean that nothing happened.

use shiji::ledger::{AppendError, Expected};

use super::proxy::{Fate, Proxy};
use super::*;

/// The log's answer, when it must be here within a second.
async fn at_once<T>(answer: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(1), answer)
        .await
        .expect("answered at once")
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_nothing_happens() {
    let test = TestDatabase::create().await;
    let mut few = options(&test);
    few.limits.queue = 4;
    let ledger = Ledger::open(few).await.unwrap();
    let mut held = Held::take(&test).await;
    let first = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.append(job(&[("first", Expected::Any)])).await }
    });
    held.awaited_by(1).await;
    let names: Vec<String> = (0..20).map(|number| format!("n{number}")).collect();
    let mut waiting = Vec::new();
    let mut refused = 0;
    for name in &names {
        let mut answer = Box::pin(ledger.append(job(&[(name, Expected::Any)])));
        match polled(&mut answer).await {
            Poll::Ready(answer) => {
                assert_like!(answer, Err(AppendError::Overloaded));
                refused += 1;
            }
            Poll::Pending => waiting.push(answer),
        }
    }
    assert_eq!((waiting.len(), refused), (4, 16));
    held.release().await;
    yes(first.await.unwrap());
    for answer in waiting {
        yes(answer.await);
    }
    assert_eq!(assert_sound(&ledger).await, 5);
}

#[tokio::test]
async fn past_its_deadline_and_unsent_a_job_is_refused_and_never_happens() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let mut held = Held::take(&test).await;
    let first = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.append(job(&[("first", Expected::Any)])).await }
    });
    held.awaited_by(1).await;
    let mut late = job(&[("late", Expected::Any)]);
    late.deadline = Instant::now() + Duration::from_millis(50);
    // Behind a batch that waits: the caller is not kept beyond its deadline.
    assert_like!(
        at_once(ledger.append(late)).await,
        Err(AppendError::Overloaded)
    );
    held.release().await;
    yes(first.await.unwrap());
    let mut over = job(&[("over", Expected::Any)]);
    over.deadline = Instant::now();
    assert_like!(
        at_once(ledger.append(over)).await,
        Err(AppendError::Overloaded)
    );
    yes(ledger.append(job(&[("next", Expected::Any)])).await);
    assert_eq!(
        version(&ledger, "late").await + version(&ledger, "over").await,
        0
    );
    assert_eq!(assert_sound(&ledger).await, 2);
}

#[tokio::test]
async fn while_the_database_is_away_the_late_are_refused_and_the_patient_are_served_afterwards() {
    let test = TestDatabase::create().await;
    let proxy = Proxy::start(test.database().service_options("appender", &[]));
    let mut through = options(&test);
    through.append = proxy.options();
    let ledger = Ledger::open(through).await.unwrap();
    proxy.set_closed(true);
    let within = |name: &str, patience: Duration| {
        let mut job = job(&[(name, Expected::Any)]);
        job.deadline = Instant::now() + patience;
        let ledger = ledger.clone();
        tokio::spawn(async move { ledger.append(job).await })
    };
    let patient = within("patient", Duration::from_secs(20));
    let hasty = within("hasty", Duration::from_millis(100));
    // This one leaves without hearing anything.
    within("gone", Duration::from_millis(100)).abort();
    let answer = at_once(hasty).await.unwrap();
    assert_like!(
        answer,
        Err(AppendError::Overloaded | AppendError::Unavailable(_))
    );
    proxy.set_closed(false);
    yes(patient.await.unwrap());
    assert_eq!(
        version(&ledger, "hasty").await + version(&ledger, "gone").await,
        0
    );
}

#[tokio::test]
async fn a_late_job_that_was_sent_is_not_called_refused() {
    let test = TestDatabase::create().await;
    let proxy = Proxy::start(test.database().service_options("appender", &[]));
    let mut through = options(&test);
    through.append = proxy.options();
    let ledger = Ledger::open(through).await.unwrap();
    fill(&ledger, "warm", 1).await;
    proxy.plan(|_| Fate::Freeze);
    let mut sent = job(&[("sent", Expected::Any)]);
    sent.deadline = Instant::now() + Duration::from_millis(50);
    assert_like!(ledger.append(sent).await, Err(AppendError::Unknown));
    assert_eq!(version(&ledger, "sent").await, 1);
}

#[tokio::test]
async fn ids_are_unique_over_nodes_and_contiguous_where_one_node_takes_them() {
    let test = TestDatabase::create().await;
    let (ours, theirs) = (node(&test).await, node(&test).await);
    let taken = futures::future::join_all((0..300).map(|_| ours.next_id("task"))).await;
    let mut taken: Vec<i64> = taken.into_iter().map(Result::unwrap).collect();
    taken.sort_unstable();
    assert_eq!(taken, (1..=300).collect::<Vec<i64>>());
    let both = (0..200).flat_map(|_| [ours.next_id("task"), theirs.next_id("task")]);
    let mut both: Vec<i64> = futures::future::join_all(both)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    both.sort_unstable();
    both.dedup();
    assert_eq!(both.len(), 400, "nobody has another's");
    assert!(both[0] == 301 && both[399] <= 700 + 2 * 64, "{both:?}");
    assert_eq!(ours.next_id("staff").await.unwrap(), 1);
    assert!(ours.next_id("no such").await.is_err());
    assert_eq!(ours.next_id("staff").await.unwrap(), 2);
}
