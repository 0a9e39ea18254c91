//! Thousands of jobs from several nodes at once, conflicts among them.

use std::collections::{HashMap, HashSet};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use shiji::ledger::{AppendError, Expected, Recorded, head};
use sqlx::postgres::PgListener;

use super::*;

/// Jobs per writer, and writers per node.
const JOBS: usize = 60;
const WRITERS: u64 = 16;

/// What a writer sent: the ids of its events by stream, and whether the log said yes.
struct Sent {
    events: Vec<(String, Uuid)>,
    accepted: bool,
}

/// Writes to one to five streams of a few, at the version it last read, perhaps under a guard.
async fn write(ledger: Ledger, seed: u64) -> Vec<Sent> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut known = HashMap::<usize, i64>::new();
    let mut sent = Vec::new();
    for _ in 0..JOBS {
        let mut names: Vec<usize> = (0..random.random_range(1..=5))
            .map(|_| random.random_range(0..40))
            .collect();
        names.sort_unstable();
        names.dedup();
        let mut job = job(&[]);
        for name in &names {
            let expected = if random.random_bool(0.2) {
                Expected::Any
            } else {
                Expected::Exact(known.get(name).copied().unwrap_or(0))
            };
            let events = (0..random.random_range(1..=3))
                .map(|_| noted(&name.to_string()))
                .collect();
            let stream = stream(&name.to_string());
            job.streams.push(StreamWrite {
                stream,
                expected,
                events,
            });
        }
        if random.random_bool(0.3) {
            let guarded = random.random_range(40..44);
            job.guards.push((
                stream(&guarded.to_string()),
                known.get(&guarded).copied().unwrap_or(0),
            ));
            names.push(guarded);
        } else if random.random_bool(0.05) {
            // Now and then what others guard moves.
            let name = random.random_range(40..44).to_string();
            job.streams.push(StreamWrite {
                stream: stream(&name),
                expected: Expected::Any,
                events: vec![noted(&name)],
            });
        }
        let events = job
            .streams
            .iter()
            .flat_map(|write| {
                write
                    .events
                    .iter()
                    .map(|event| (write.stream.id.clone(), event.event_id))
            })
            .collect();
        match ledger.append(job).await {
            Ok(verdict) => {
                for event in yes(Ok(verdict)).events.iter() {
                    known.insert(event.stream.id.parse().unwrap(), event.sequence);
                }
                sent.push(Sent {
                    events,
                    accepted: true,
                });
            }
            Err(AppendError::Stale) => {
                for name in names {
                    let version = version(&ledger, &name.to_string()).await;
                    known.insert(name, i64::try_from(version).unwrap());
                }
                sent.push(Sent {
                    events,
                    accepted: false,
                });
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_have_no_hole_and_every_accepted_job_is_there_whole_and_once() {
    let test = TestDatabase::create().await;
    let nodes = [node(&test).await, node(&test).await, node(&test).await];
    let last = node(&test).await;
    // One follower on a writing node, one on a node that only listens.
    let following: Vec<_> = [&nodes[0], &last]
        .into_iter()
        .map(|ledger| {
            let mut follower = ledger.follow(0, None);
            tokio::spawn(async move {
                let mut seen: Vec<Recorded> = Vec::new();
                while seen.last().is_none_or(|event| event.stream.id != "end") {
                    seen.extend(follower.next(100).await.unwrap());
                }
                seen
            })
        })
        .collect();
    let writers: Vec<_> = (0..WRITERS * 3)
        .map(|number| {
            tokio::spawn(write(
                nodes[usize::try_from(number % 3).unwrap()].clone(),
                number,
            ))
        })
        .collect();
    let mut sent = Vec::new();
    for writer in writers {
        sent.extend(writer.await.unwrap());
    }
    let end = yes(last.append(job(&[("end", Expected::Any)])).await).position;
    assert_eq!(assert_sound(&last).await, end);

    let log = last.read(0, end).await.unwrap();
    let places: HashMap<Uuid, &Recorded> =
        log.iter().map(|event| (event.event_id, event)).collect();
    assert_eq!(places.len(), log.len());
    let (accepted, refused): (Vec<Sent>, Vec<Sent>) =
        sent.into_iter().partition(|job| job.accepted);
    assert!(
        accepted.len() > 200 && refused.len() > 200,
        "{} : {}",
        accepted.len(),
        refused.len()
    );
    for job in &accepted {
        let positions: Vec<i64> = job
            .events
            .iter()
            .map(|(_, id)| places[id].position)
            .collect();
        let first = positions[0];
        let whole: Vec<i64> = (first..).take(positions.len()).collect();
        assert_eq!(positions, whole, "a job lies together, in order");
        assert!(
            job.events
                .iter()
                .all(|(name, id)| places[id].stream.id == *name)
        );
    }
    let written: HashSet<Uuid> = accepted
        .iter()
        .flat_map(|job| job.events.iter().map(|(_, id)| *id))
        .collect();
    assert_eq!(written.len() + 1, log.len(), "refused jobs left nothing");
    for follower in following {
        let seen = follower.await.unwrap();
        assert_eq!(seen.len(), log.len());
        for (seen, read) in seen.iter().zip(&log) {
            assert_eq!(format!("{seen:?}"), format!("{read:?}"));
        }
    }
}

#[tokio::test]
async fn time_never_goes_back_even_when_the_server_s_clock_does() {
    let test = TestDatabase::create().await;
    let ledger = node(&test).await;
    fill(&ledger, "a", 1).await;
    // The last event was recorded by a clock that was an hour ahead.
    sqlx::query("UPDATE events SET recorded_at = recorded_at + interval '1 hour'")
        .execute(&mut superuser(&test).await)
        .await
        .unwrap();
    let first = ledger.read(0, 1).await.unwrap()[0].recorded_at;
    let later = yes(ledger.append(job(&[("b", Expected::Any)])).await);
    assert_eq!(later.events[0].recorded_at, first);
    assert_eq!(ledger.read(1, 1).await.unwrap()[0].recorded_at, first);
}

#[tokio::test]
async fn others_are_told_of_the_newest_position_and_not_by_the_commit_that_appends() {
    let test = TestDatabase::create().await;
    let (writing, _hearing) = (node(&test).await, node(&test).await);
    let look = service(&test);
    let mut ears = PgListener::connect_with(&look).await.unwrap();
    ears.listen("shiji_events").await.unwrap();
    let mut told_by = HashSet::new();
    for stream in ["a", "b"] {
        fill(&writing, stream, 30).await;
        let newest = head(&look).await.unwrap().position;
        let speaker = loop {
            let notice = tokio::time::timeout(Duration::from_secs(20), ears.recv()).await;
            let notice = notice.unwrap().unwrap();
            if notice.payload() == newest.to_string() {
                break i32::try_from(notice.process_id()).unwrap();
            }
        };
        let name: String =
            sqlx::query_scalar("SELECT application_name FROM pg_stat_activity WHERE pid = $1")
                .bind(speaker)
                .fetch_one(&look)
                .await
                .unwrap();
        assert_eq!(name, "shiji herald");
        told_by.insert(speaker);
        // Whoever tells loses the connection: later ones are told on another.
        let mut superuser = superuser(&test).await;
        sqlx::query("SELECT pg_terminate_backend($1, 10000)")
            .bind(speaker)
            .execute(&mut superuser)
            .await
            .unwrap();
    }
    assert_eq!(told_by.len(), 2);
}
