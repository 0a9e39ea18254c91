//! Any way of cutting the log into batches gives the same tables, and so does a stream that is applied late.

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use shiji::commands::Decide;
use shiji::commands::follow::FollowCommand;
use shiji::events::account::ProfileChange;
use shiji::events::party::{Party, PartyKind};
use shiji::events::{
    Account, AccountEvent, Event, Fact, Follow, Media, MediaEvent, Session, SessionEvent, Task,
    TaskEvent, TaskKind, Team, TeamEvent,
};
use shiji::ledger::{Personal, Recorded, State, StreamId};
use shiji::projections::{self, Handling};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::commerce::{self, Commerce};
use super::dump;
use super::social::{self, Social};
use crate::support::TestDatabase;

/// How many streams a history moves.
const STREAMS: usize = COMMERCE + commerce::STREAMS;
/// Where those of the catalogue, of tickets and orders begin.
const COMMERCE: usize = SOCIAL + social::STREAMS;
/// Where those of articles, comments, reactions and messages begin.
const SOCIAL: usize = 24;

/// A history: which stream moves next, and how.
fn history() -> impl Strategy<Value = Vec<Fact>> {
    prop::collection::vec((0..STREAMS, 0..8_u8, "[a-zé\"]{0,3}"), 1..150).prop_map(|moves| {
        let mut streams: Vec<Stream> = (0..STREAMS).map(Stream::new).collect();
        let mut facts: Vec<Fact> = Vec::new();
        for (stream, choice, text) in moves {
            if let Some(event) = streams[stream].next(choice, &text) {
                let position = i64::try_from(facts.len()).unwrap() + 1;
                facts.push(fact(position, streams[stream].id.clone(), event));
            }
        }
        facts
    })
}

fn fact(position: i64, stream: StreamId, event: Event) -> Fact {
    let noon = DateTime::from_timestamp_millis(1_700_000_000_000).unwrap();
    Fact {
        recorded: Recorded {
            position,
            event_id: Uuid::from_u128(position.unsigned_abs().into()),
            stream,
            sequence: 0,
            event_type: String::new(),
            event_version: "1".to_owned(),
            payload: String::new(),
            metadata: "{}".to_owned(),
            recorded_at: noon + TimeDelta::milliseconds(position),
        },
        event,
    }
}

/// A stream that only does what its kind of stream can do.
struct Stream {
    id: StreamId,
    state: Now,
}

enum Now {
    Task(Task),
    Account(Account),
    Session(Session),
    Media(Media),
    Team(Team),
    Social(Social),
    Commerce(Commerce),
    Follow(Follow, FollowCommand),
}

impl Stream {
    fn new(number: usize) -> Self {
        let (aggregate, id, state) = match number {
            0..5 => ("Task", number.to_string(), Now::Task(Task::default())),
            5..8 => (
                "Account",
                format!("backend:{number}"),
                Now::Account(Account::default()),
            ),
            8 => (
                "Account",
                "member:abc".to_owned(),
                Now::Account(Account::default()),
            ),
            9..12 => (
                "Session",
                format!("hash{number}"),
                Now::Session(Session::default()),
            ),
            14 => (
                "Account",
                "xdua:Dt5mvrtU".to_owned(),
                Now::Account(Account::default()),
            ),
            // Two members that follow each other, or try to follow one that is not there.
            17..19 => (
                "Account",
                format!("community:{number}"),
                Now::Account(Account::default()),
            ),
            19..23 => {
                let (follower, target) = [
                    (17, "user:18"),
                    (18, "user:17"),
                    (17, "user:0"),
                    (17, "master:18"),
                ][number - 19];
                let command = FollowCommand {
                    follower: Party::new(PartyKind::Member, follower),
                    target: target.parse().unwrap(),
                    follow: true,
                };
                let id = format!("{}:{target}", command.follower);
                ("Follow", id, Now::Follow(Follow::default(), command))
            }
            15..17 => ("Team", format!("{number:08x}"), Now::Team(Team::default())),
            23 => (
                "Account",
                "community:a".to_owned(),
                Now::Account(Account::default()),
            ),
            COMMERCE.. => {
                let (id, commerce) = Commerce::new(number - COMMERCE);
                let state = Now::Commerce(commerce);
                return Self { id, state };
            }
            SOCIAL.. => {
                let (id, social) = Social::new(number - SOCIAL);
                let state = Now::Social(social);
                return Self { id, state };
            }
            _ => (
                "Media",
                Uuid::from_u128(number as u128).to_string(),
                Now::Media(Media::default()),
            ),
        };
        let id = StreamId::new(aggregate, id);
        Self { id, state }
    }

    fn next(&mut self, choice: u8, text: &str) -> Option<Event> {
        let subject = self.id.to_string();
        Some(match &mut self.state {
            Now::Task(state) => {
                let event = task_event(state, choice, text)?;
                state.apply(&event);
                Event::Task(event)
            }
            Now::Account(state) => {
                let event = account_event(state, choice, &subject, text);
                state.apply(&event);
                Event::Account(event)
            }
            Now::Follow(state, command) => {
                command.follow = *state == Follow::Absent;
                let event = state.decide(command).unwrap().pop()?;
                state.apply(&event);
                Event::Follow(event)
            }
            Now::Team(state) => {
                let event = team_event(state, choice, text)?;
                state.apply(&event);
                Event::Team(event)
            }
            Now::Session(state) => {
                let event = match state {
                    Session::Unopened => SessionEvent::SessionOpened {
                        account: format!("backend:{}", choice % 2),
                        credential_version: 1,
                        expires_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
                    },
                    Session::Open { .. } => SessionEvent::SessionClosed {},
                    Session::Closed { .. } => return None,
                };
                state.apply(&event);
                Event::Session(event)
            }
            Now::Social(social) => social.next(choice, text)?,
            Now::Commerce(commerce) => commerce.next(choice, text)?,
            Now::Media(state) => {
                let event = match state {
                    Media::Unissued => MediaEvent::MediaIdIssued { issued_to: None },
                    Media::Issued { .. } => MediaEvent::MediaStored {
                        uri: format!("/upload/{text}"),
                        content_type: "image/png".to_owned(),
                        size_bytes: i64::from(choice),
                        sha256: "00".to_owned(),
                    },
                    Media::Stored { .. } => MediaEvent::MediaDeleted {},
                    Media::Deleted => return None,
                };
                state.apply(&event);
                Event::Media(event)
            }
        })
    }
}

fn task_event(state: &Task, choice: u8, text: &str) -> Option<TaskEvent> {
    Some(match (state, choice) {
        (Task::Uncreated, _) => TaskEvent::TaskCreated {
            kind: if choice.is_multiple_of(2) {
                TaskKind::Image
            } else {
                TaskKind::Video
            },
            priority: 1,
            input: text.to_owned(),
            note: text.to_owned(),
            created_by: i64::from(choice),
        },
        (Task::Deleted, _) => return None,
        (_, 0) => TaskEvent::TaskDeleted {},
        (_, 1) => TaskEvent::TaskStarted {},
        (_, 2) => TaskEvent::TaskRequeued {},
        (_, 3) => TaskEvent::TaskCompleted {},
        (_, 4) => TaskEvent::TaskCancelled {},
        (_, 5) => TaskEvent::TaskResultRecorded {
            result: text.to_owned(),
        },
        (_, 6) => TaskEvent::TaskEdited {
            note: Some(text.to_owned()),
            priority: None,
        },
        (_, _) => TaskEvent::TaskEdited {
            note: None,
            priority: Some(-7),
        },
    })
}

/// A role is there from the start, so that its holders may come and go.
fn team_event(state: &Team, choice: u8, text: &str) -> Option<TeamEvent> {
    let team = match state {
        Team::Uncreated => {
            return Some(TeamEvent::TeamCreated {
                creator_id: "Dt5mvrtU".to_owned(),
                name: text.to_owned(),
                code: text.to_owned(),
                brief: text.to_owned(),
                avatar: text.to_owned(),
                private: choice.is_multiple_of(2),
                invite_only: choice.is_multiple_of(3),
                enabled: choice.is_multiple_of(5),
                since: choice
                    .is_multiple_of(2)
                    .then(|| DateTime::from_timestamp(1_500_000_000, 0).unwrap()),
            });
        }
        Team::Deleted => return None,
        Team::Live(team) => team,
    };
    let user_id = "Rb7wTz2c".to_owned();
    Some(match (choice, team.roles.last_key_value()) {
        (0, _) if team.assignments() == 0 => TeamEvent::TeamDeleted {},
        (1, _) => TeamEvent::TeamDisabled {},
        (2, _) => TeamEvent::TeamEdited {
            name: Some(text.to_owned()),
            code: None,
            brief: Some(text.to_owned()),
            avatar: None,
            private: Some(true),
            invite_only: None,
        },
        (3, Some((id, role))) if role.holders.is_empty() => {
            TeamEvent::TeamRoleRemoved { role_id: *id }
        }
        (_, Some((id, role))) if role.holders.contains(&user_id) => TeamEvent::TeamMemberRemoved {
            role_id: *id,
            user_id,
        },
        (4..=6, Some((id, _))) => TeamEvent::TeamMemberAssigned {
            role_id: *id,
            user_id,
        },
        (_, _) => TeamEvent::TeamRoleAdded {
            role_id: team.last_role_id + 1,
            name: text.to_owned(),
        },
    })
}

fn account_event(state: &Account, choice: u8, subject: &str, text: &str) -> AccountEvent {
    let name = Personal::new(subject, text.to_owned());
    match (state, choice) {
        (Account::Unopened, _) => AccountEvent::AccountOpened {
            name,
            role: 1,
            perm: 3,
            country: None,
            phone: Some(Personal::new(subject, "1".to_owned())),
        },
        (_, 0) => AccountEvent::AccountDisabled { reason: None },
        (_, 1) => AccountEvent::AccountEnabled {},
        (_, 2) => AccountEvent::AccountRoleChanged {
            role: 0,
            perm: 1 << 52,
        },
        (_, 3) => AccountEvent::PersonErased {},
        (_, 4) => AccountEvent::PasswordSet {
            password_hash: name,
        },
        (_, 5) => AccountEvent::AccountProfileUpdated(Box::new(ProfileChange {
            city: Some(None),
            birthday_ms: Some(Some(Personal::new(subject, -7))),
            ..ProfileChange::default()
        })),
        (_, 6) => AccountEvent::AccountStandingAdjusted {
            category: None,
            score: Some(7),
            level: None,
            exp: None,
            invitation_code: Some(Some(name)),
            inviter: Some(None),
        },
        (_, _) => AccountEvent::AccountProfileUpdated(Box::new(ProfileChange {
            city: Some(Some(name.clone())),
            gender: Some(Personal::new(subject, 2)),
            name: Some(name),
            ..ProfileChange::default()
        })),
    }
}

/// The tables after these batches; everything is taken back.
async fn tables(
    connection: &mut PgConnection,
    batches: &[Vec<&Fact>],
) -> Vec<(String, Vec<Value>)> {
    let mut tx = connection.begin().await.unwrap();
    for batch in batches {
        for projection in projections::all() {
            let handled: Vec<&Fact> = batch
                .iter()
                .copied()
                .filter(|fact| projection.handles(&fact.event) == Handling::Handled)
                .collect();
            projection.apply(&handled, &mut tx).await.unwrap();
        }
    }
    let tables = dump(&mut tx).await;
    tx.rollback().await.unwrap();
    tables
}

#[test]
fn any_cut_and_any_late_stream_give_the_same_tables() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let test = runtime.block_on(TestDatabase::create());
    let path = projections::search_path();
    let connection = runtime
        .block_on(test.database().connect("cuts", &path))
        .unwrap();
    let connection = tokio::sync::Mutex::new(connection);
    let cases = (
        history(),
        prop::collection::vec(1..20_usize, 150),
        prop::collection::vec(any::<bool>(), STREAMS),
    );
    let mut runner = TestRunner::new(Config {
        cases: 120,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&cases, |(facts, cuts, late)| {
            runtime.block_on(async {
                let mut connection = connection.lock().await;

                let whole: Vec<&Fact> = facts.iter().collect();
                let expected = tables(&mut connection, &[whole]).await;

                let single: Vec<Vec<&Fact>> = facts.iter().map(|fact| vec![fact]).collect();
                prop_assert_eq!(
                    &expected,
                    &tables(&mut connection, &single).await,
                    "one by one"
                );

                let mut rest: Vec<&Fact> = facts.iter().collect();
                let mut batches = Vec::new();
                for cut in cuts {
                    let tail = rest.split_off(cut.min(rest.len()));
                    batches.push(std::mem::replace(&mut rest, tail));
                }
                prop_assert_eq!(&expected, &tables(&mut connection, &batches).await, "cut");

                // Parked streams are replayed each by itself, after everything else.
                let names: Vec<StreamId> = (0..STREAMS).map(|n| Stream::new(n).id).collect();
                let parked: Vec<&StreamId> = names
                    .iter()
                    .zip(&late)
                    .filter(|(_, late)| **late)
                    .map(|(name, _)| name)
                    .collect();
                let of = |name: &StreamId| {
                    facts
                        .iter()
                        .filter(|f| f.recorded.stream == *name)
                        .collect()
                };
                let mut batches: Vec<Vec<&Fact>> = vec![
                    facts
                        .iter()
                        .filter(|f| !parked.contains(&&f.recorded.stream))
                        .collect(),
                ];
                batches.extend(parked.iter().map(|name| of(name)));
                prop_assert_eq!(&expected, &tables(&mut connection, &batches).await, "late");
                Ok(())
            })
        })
        .unwrap();
}
