//! The desk under attack: no command happens twice, no answer is older than the question.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use shiji::commands::account::{AccountError, OpenStaffAccount};
use shiji::commands::{Book, Desk, DeskError, Fault, Operation, ReceiptKey, Request, Stop};
use shiji::events::Account;
use shiji::ledger::{AppendError, Freshness, Ledger, StreamId};
use tokio::time::Instant;

use crate::ledger::proxy::{Fate, Proxy};
use crate::ledger::switch::{AlreadyOn, Switch, SwitchCommand, SwitchEvent};
use crate::ledger::{assert_sound, metadata, node, options, soon};
use crate::support::TestDatabase;
use crate::support::processes::eventually;

fn desk(ledger: &Ledger) -> Desk {
    Desk::new(ledger.clone(), Duration::from_millis(100))
}

fn request() -> Request {
    Request {
        metadata: metadata(),
        receipt: None,
        if_match: None,
        deadline: soon(),
    }
}

fn under(key: u8, digest: u8) -> Request {
    Request {
        receipt: Some(ReceiptKey {
            key: [key; 32],
            digest: [digest; 32],
        }),
        ..request()
    }
}

/// How often each flip is in the log.
async fn flips(ledger: &Ledger, id: &str) -> HashMap<u64, usize> {
    let mut flips = HashMap::new();
    for event in ledger.stream(&StreamId::new("Switch", id)).await.unwrap() {
        let SwitchEvent::Flipped { by } = serde_json::from_str(&event.payload).unwrap();
        *flips.entry(by).or_default() += 1;
    }
    flips
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_toggle_flips_once_however_often_the_connection_dies() {
    let test = TestDatabase::create().await;
    let proxy = Proxy::start(test.database().service_options("appender", &[]));
    let mut through = options(&test);
    through.append = proxy.options();
    let ledgers = [Ledger::open(through).await.unwrap(), node(&test).await];
    let random = Mutex::new(StdRng::seed_from_u64(7));
    proxy.plan(move |_| match random.lock().random_range(0..100) {
        0..8 => Fate::CutBefore,
        8..28 => Fate::CutAfter,
        _ => Fate::Pass,
    });
    let flippers: Vec<_> = (0..6_u64)
        .map(|flipper| {
            // The last one goes through a healthy connection.
            let desk = desk(&ledgers[usize::from(flipper == 5)]);
            tokio::spawn(async move {
                let mut answers = Vec::new();
                for number in 0..10 {
                    let by = flipper * 100 + number;
                    let flip = SwitchCommand::Flip { by };
                    answers.push((by, desk.execute::<Switch>(&request(), "s", flip).await));
                }
                answers
            })
        })
        .collect();
    let mut done = 0;
    let mut answers = Vec::new();
    for flipper in flippers {
        answers.extend(flipper.await.unwrap());
    }
    let flips = flips(&ledgers[1], "s").await;
    assert!(flips.values().all(|times| *times == 1), "{flips:?}");
    for (by, answer) in answers {
        let there = flips.contains_key(&by);
        match answer {
            Ok(_) => {
                assert!(there, "{by} was acknowledged and is lost");
                done += 1;
            }
            Err(DeskError::Conflict | DeskError::Overloaded) => {
                assert!(!there, "{by} was refused and happened");
            }
            Err(DeskError::Fault(Fault::Append(AppendError::Unknown))) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(done > 20, "{done}");
    assert_sound(&ledgers[1]).await;
}

/// A node whose memory is stale for good: it no longer hears the log.
async fn deaf(test: &TestDatabase) -> (Ledger, Proxy) {
    let proxy = Proxy::start(test.database().service_options("tail", &[]));
    let mut options = options(test);
    options.tail_pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(2)
        .connect_lazy_with(proxy.options());
    let ledger = Ledger::open(options).await.unwrap();
    proxy.plan(|_| Fate::Freeze);
    (ledger, proxy)
}

#[tokio::test]
async fn an_answer_without_events_is_given_only_after_the_stream_was_read_again() {
    let test = TestDatabase::create().await;
    let (ours, _proxy) = deaf(&test).await;
    let theirs = node(&test).await;
    let flip = |by| SwitchCommand::Flip { by };
    // Ours remembers it on; theirs has turned it off since.
    desk(&ours)
        .execute::<Switch>(&request(), "a", flip(1))
        .await
        .unwrap();
    desk(&ours)
        .execute::<Switch>(&request(), "b", flip(1))
        .await
        .unwrap();
    for id in ["a", "b"] {
        desk(&theirs)
            .execute::<Switch>(&request(), id, flip(2))
            .await
            .unwrap();
        let remembered = ours.load::<Switch>(id, Freshness::Cached).await.unwrap();
        assert!(
            remembered.cached && remembered.state.on,
            "the test needs a stale memory"
        );
    }
    // From memory the first would be a no-op, the second a refusal.
    let done = desk(&ours)
        .execute::<Switch>(&request(), "a", SwitchCommand::TurnOn { by: 3 })
        .await
        .unwrap();
    assert_eq!(
        (done.changes[0].version, done.changes[0].events.len()),
        (3, 1)
    );
    desk(&ours)
        .execute::<Switch>(&request(), "b", SwitchCommand::Claim { by: 3 })
        .await
        .unwrap();
    // And what is so, is said to be so.
    let done = desk(&ours)
        .execute::<Switch>(&request(), "a", SwitchCommand::TurnOn { by: 4 })
        .await
        .unwrap();
    assert_eq!(
        (
            done.changes[0].version,
            done.changes[0].events.len(),
            done.position
        ),
        (3, 0, 6)
    );
    let refused = desk(&ours)
        .execute::<Switch>(&request(), "b", SwitchCommand::Claim { by: 4 })
        .await;
    assert!(
        matches!(refused, Err(DeskError::Refused(AlreadyOn))),
        "{refused:?}"
    );
    // A command with events from a stale memory loses its race and is decided again.
    desk(&theirs)
        .execute::<Switch>(&request(), "a", flip(5))
        .await
        .unwrap();
    let done = desk(&ours)
        .execute::<Switch>(&request(), "a", flip(6))
        .await
        .unwrap();
    assert_eq!(done.changes[0].version, 5);
    assert_eq!(assert_sound(&theirs).await, 8);
}

#[tokio::test]
async fn a_repeated_key_has_the_first_answer_whatever_it_was() {
    let test = TestDatabase::create().await;
    let desks = [desk(&node(&test).await), desk(&node(&test).await)];
    let flip = |by| SwitchCommand::Flip { by };
    let first = desks[0]
        .execute::<Switch>(&under(1, 1), "s", flip(1))
        .await
        .unwrap();
    assert!(!first.repeated);
    for desk in &desks {
        let again = desk
            .execute::<Switch>(&under(1, 1), "s", flip(1))
            .await
            .unwrap();
        assert!(again.repeated);
        assert_eq!(
            (again.position, &again.changes),
            (first.position, &first.changes)
        );
        let other = desk.execute::<Switch>(&under(1, 2), "s", flip(1)).await;
        assert!(matches!(other, Err(DeskError::KeyReused)), "{other:?}");
    }
    // A refusal is an answer, too, and stays the answer when the reason is gone.
    let claim = || SwitchCommand::Claim { by: 2 };
    let refused = desks[0].execute::<Switch>(&under(2, 1), "s", claim()).await;
    assert!(matches!(refused, Err(DeskError::Refused(AlreadyOn))));
    desks[1]
        .execute::<Switch>(&request(), "s", flip(3))
        .await
        .unwrap();
    let again = desks[1].execute::<Switch>(&under(2, 1), "s", claim()).await;
    assert!(matches!(again, Err(DeskError::Refused(AlreadyOn))));
    // So is a no-op.
    desks[0]
        .execute::<Switch>(&request(), "s", flip(4))
        .await
        .unwrap();
    let quiet = || SwitchCommand::TurnOn { by: 5 };
    desks[0]
        .execute::<Switch>(&under(3, 1), "s", quiet())
        .await
        .unwrap();
    desks[0]
        .execute::<Switch>(&request(), "s", flip(6))
        .await
        .unwrap();
    let again = desks[1]
        .execute::<Switch>(&under(3, 1), "s", quiet())
        .await
        .unwrap();
    assert!(again.repeated && again.changes[0].events.is_empty());
    assert_eq!(assert_sound(desks[0].ledger()).await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_from_many_callers_on_two_nodes_happens_once() {
    let test = TestDatabase::create().await;
    let desks = [desk(&node(&test).await), desk(&node(&test).await)];
    let callers: Vec<_> = (0..20)
        .map(|caller| {
            let desk = desks[caller % 2].clone();
            tokio::spawn(async move {
                desk.execute::<Switch>(&under(1, 1), "s", SwitchCommand::Flip { by: 1 })
                    .await
            })
        })
        .collect();
    let mut first = 0;
    for caller in callers {
        let done = caller.await.unwrap().unwrap();
        assert_eq!(done.position, 1);
        first += usize::from(!done.repeated);
    }
    assert_eq!(first, 1);
    assert_eq!(assert_sound(desks[0].ledger()).await, 1);
}

#[tokio::test]
async fn if_match_holds_at_the_moment_of_the_append_and_no_deadline_is_passed() {
    let test = TestDatabase::create().await;
    let (ours, _proxy) = deaf(&test).await;
    let theirs = desk(&node(&test).await);
    let flip = |by| SwitchCommand::Flip { by };
    let at = |version| Request {
        if_match: Some((StreamId::new("Switch", "s"), version)),
        ..request()
    };
    desk(&ours)
        .execute::<Switch>(&at(0), "s", flip(1))
        .await
        .unwrap();
    theirs
        .execute::<Switch>(&at(1), "s", flip(2))
        .await
        .unwrap();
    // Ours remembers version 1, which is what the caller saw as well.
    let differs = desk(&ours).execute::<Switch>(&at(1), "s", flip(3)).await;
    assert!(
        matches!(
            differs,
            Err(DeskError::VersionDiffers {
                expected: 1,
                found: 2
            })
        ),
        "{differs:?}"
    );
    // The caller knows more than our memory.
    theirs
        .execute::<Switch>(&request(), "s", flip(4))
        .await
        .unwrap();
    desk(&ours)
        .execute::<Switch>(&at(3), "s", flip(5))
        .await
        .unwrap();
    let over = Request {
        deadline: Instant::now(),
        ..request()
    };
    let late = theirs.execute::<Switch>(&over, "s", flip(6)).await;
    assert!(matches!(late, Err(DeskError::Overloaded)));
    assert_eq!(assert_sound(theirs.ledger()).await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_many_want_goes_to_one_whole_account() {
    let test = TestDatabase::create().await;
    let desks = [desk(&node(&test).await), desk(&node(&test).await)];
    let openings: Vec<_> = (1..=10)
        .map(|uid| {
            let desk = desks[usize::from(uid % 2 == 0)].clone();
            tokio::spawn(async move {
                let operation = OpenStaffAccount {
                    uid,
                    name_claim: "backend-name:x".to_owned(),
                    name: "admin".to_owned(),
                    password_hash: "hash".to_owned(),
                    role: 1,
                    perm: 0,
                };
                desk.run(&request(), &operation).await
            })
        })
        .collect();
    let mut winners = Vec::new();
    for opening in openings {
        match opening.await.unwrap() {
            Ok(done) => winners.push(done.outcome),
            Err(DeskError::Refused(AccountError::NameTaken)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(assert_sound(desks[0].ledger()).await, 3);
    for uid in 1..=10 {
        let account = desks[0]
            .ledger()
            .load::<Account>(&format!("backend:{uid}"), Freshness::Reread)
            .await
            .unwrap();
        assert_eq!(account.version, if uid == winners[0] { 2 } else { 0 });
    }
}

#[tokio::test]
async fn who_hangs_up_at_the_desk_may_ask_again_under_the_same_key() {
    let test = TestDatabase::create().await;
    let desk = desk(&node(&test).await);
    let mut answered = 0;
    for number in 0..40_u8 {
        let (id, flip) = (number.to_string(), SwitchCommand::Flip { by: 1 });
        let asking = under(number, 1);
        let patience = Duration::from_micros(u64::from(number) * 200);
        let first = desk.execute::<Switch>(&asking, &id, flip.clone());
        answered += usize::from(tokio::time::timeout(patience, first).await.is_ok());
        let again = desk.execute::<Switch>(&asking, &id, flip).await.unwrap();
        assert_eq!(again.changes[0].version, 1);
    }
    assert!(answered < 40);
    eventually("every switch was flipped once", async || {
        assert_sound(desk.ledger()).await == 40
    })
    .await;
}

/// Turns a switch on, after reads that somebody wrote into.
struct Torn {
    reads: AtomicU32,
}

impl Operation for Torn {
    type Outcome = ();
    type Refusal = AlreadyOn;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<AlreadyOn>> {
        if self.reads.load(Ordering::SeqCst) > 0 {
            self.reads.fetch_sub(1, Ordering::SeqCst);
            return Err(Stop::Fault(Fault::Torn));
        }
        book.decide::<Switch>("torn", &SwitchCommand::Claim { by: 1 })
            .await
    }
}

#[tokio::test]
async fn what_was_read_while_somebody_wrote_is_read_again_a_bounded_number_of_times() {
    let test = TestDatabase::create().await;
    let desk = desk(&node(&test).await);
    let after = async |reads: u32| {
        let reads = AtomicU32::new(reads);
        desk.run(&request(), &Torn { reads }).await
    };
    assert!(matches!(after(u32::MAX).await, Err(DeskError::Conflict)));
    after(3).await.unwrap();
    assert!(matches!(after(1).await, Err(DeskError::Refused(AlreadyOn))));
    assert_eq!(flips(desk.ledger(), "torn").await, HashMap::from([(1, 1)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_write_one_stream_do_so_in_turn_and_nobody_is_sent_away() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    let desk = desk(&ledger);
    let mut flippers = Vec::new();
    for by in 0..96_u64 {
        let desk = desk.clone();
        flippers.push(tokio::spawn(async move {
            let flip = SwitchCommand::Flip { by };
            desk.execute::<Switch>(&request(), "hot", flip).await
        }));
    }
    for flipper in flippers {
        flipper.await.unwrap().unwrap();
    }
    let flips = flips(&ledger, "hot").await;
    assert_eq!(flips.len(), 96);
    assert!(flips.values().all(|times| *times == 1), "{flips:?}");
    assert_sound(&ledger).await;
}
