//! States from memory follow the log and are never the last word.

use shiji::events::{Account, AccountEvent};
use shiji::ledger::{Expected, Freshness, Personal, State};

use super::proxy::{Fate, Proxy};
use super::*;

fn about(event: &AccountEvent) -> Append {
    use cqrs_es::DomainEvent;
    let mut job = job(&[("1", Expected::Any)]);
    job.streams[0].stream = StreamId::new("Account", "1");
    job.streams[0].events = vec![NewEvent {
        event_id: Uuid::now_v7(),
        event_type: event.event_type().into(),
        event_version: event.event_version().into(),
        payload: serde_json::to_string(event).unwrap(),
    }];
    job
}

fn opened() -> AccountEvent {
    AccountEvent::AccountOpened {
        name: Personal::new("Account:1", "name".to_owned()),
        role: 0,
        perm: 0,
        country: None,
        phone: None,
    }
}

async fn enabled(ledger: &Ledger) -> bool {
    let loaded = ledger.current::<Account>("1").await.unwrap();
    loaded.state.open().unwrap().enabled
}

#[tokio::test]
async fn an_account_disabled_on_one_node_is_disabled_on_the_other_within_the_bound() {
    let test = TestDatabase::create().await;
    let (ours, theirs) = (node(&test).await, node(&test).await);
    yes(ours.append(about(&opened())).await);
    for _ in 0..5 {
        assert!(enabled(&theirs).await);
        assert!(ours.load::<Account>("1", Freshness::Cached).await.is_ok());
        yes(ours
            .append(about(&AccountEvent::AccountDisabled { reason: None }))
            .await);
        let since = Instant::now();
        while enabled(&theirs).await {
            assert!(
                since.elapsed() < Duration::from_secs(1),
                "a disabled account goes on"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        yes(theirs.append(about(&AccountEvent::AccountEnabled {})).await);
        eventually("ours hears of it", async || enabled(&ours).await).await;
        eventually("theirs hears of it", async || enabled(&theirs).await).await;
    }
}

#[tokio::test]
async fn a_node_that_no_longer_hears_the_log_asks_the_stream_itself() {
    let test = TestDatabase::create().await;
    let ours = node(&test).await;
    let proxy = Proxy::start(test.database().service_options("tail", &[]));
    let mut deaf = options(&test);
    deaf.tail_pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(2)
        .connect_lazy_with(proxy.options());
    let theirs = Ledger::open(deaf).await.unwrap();
    yes(ours.append(about(&opened())).await);
    eventually("their tail hears", async || theirs.tail_position() == 1).await;
    assert!(enabled(&theirs).await);
    proxy.plan(|_| Fate::Freeze);
    eventually("the tail has fallen silent", async || {
        theirs.tail_age() > Duration::from_secs(1)
    })
    .await;
    yes(ours
        .append(about(&AccountEvent::AccountDisabled { reason: None }))
        .await);
    assert_eq!(theirs.tail_position(), 1);
    assert!(
        !enabled(&theirs).await,
        "answered from memory it should not trust"
    );
    eventually("it is not ready", async || theirs.unready().is_some()).await;
}

#[tokio::test]
async fn a_state_that_was_overtaken_while_it_was_read_is_not_kept() {
    let test = TestDatabase::create().await;
    let (ours, theirs) = (node(&test).await, node(&test).await);
    yes(ours.append(about(&opened())).await);
    for round in 0..40 {
        let event = if round % 2 == 0 {
            AccountEvent::AccountDisabled { reason: None }
        } else {
            AccountEvent::AccountEnabled {}
        };
        let (appended, _) = tokio::join!(
            ours.append(about(&event)),
            theirs.load::<Account>("1", Freshness::Reread)
        );
        let position = yes(appended).position;
        eventually("theirs hears of it", async || {
            theirs.tail_position() >= position
        })
        .await;
        let loaded = theirs
            .load::<Account>("1", Freshness::Cached)
            .await
            .unwrap();
        assert_eq!(loaded.version, position);
        assert_eq!(loaded.state.open().unwrap().enabled, round % 2 == 1);
    }
}

#[tokio::test]
async fn memory_is_bounded_and_forgets_nothing_that_matters() {
    let test = TestDatabase::create().await;
    let mut small = options(&test);
    small.cache_entries = 16;
    let ledger = Ledger::open(small).await.unwrap();
    for number in 0..100 {
        let id = number.to_string();
        let mut job = about(&opened());
        job.streams[0].stream = StreamId::new("Account", id.clone());
        yes(ledger.append(job).await);
        ledger
            .load::<Account>(&id, Freshness::Cached)
            .await
            .unwrap();
    }
    assert!(ledger.gauges().0 <= 16 + 1, "{}", ledger.gauges().0);
    for number in 0..100 {
        let loaded = ledger
            .load::<Account>(&number.to_string(), Freshness::Cached)
            .await
            .unwrap();
        assert_eq!(loaded.version, 1);
        assert_ne!(*loaded.state, <Account as Default>::default());
    }
    let nobody = ledger
        .load::<Account>("nobody", Freshness::Cached)
        .await
        .unwrap();
    assert_eq!((nobody.version, nobody.cached), (0, false));
    assert_eq!(Account::TYPE, "Account");
}
