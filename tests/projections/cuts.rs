//! Any way of cutting the log into batches gives the same tables, and so does a stream that is applied late.

use std::ops::Range;

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use shiji::commands::Decide;
use shiji::commands::follow::FollowCommand;
use shiji::events::account::ProfileChange;
use shiji::events::card::CardProfile;
use shiji::events::customer::{Source, UserType};
use shiji::events::party::{Party, PartyKind, Target};
use shiji::events::reaction::ReactionKey;
use shiji::events::showcase::{Industry, Score, ShowcaseFile};
use shiji::events::{
    Account, AccountEvent, Card, CardEvent, Comment, CommentEvent, Company, CompanyEvent, Customer,
    CustomerEvent, Event, Fact, Follow, Media, MediaEvent, Reaction, ReactionEvent, Session,
    SessionEvent, Showcase, ShowcaseEvent, Task, TaskEvent, TaskKind, Team, TeamEvent, Visit,
    VisitEvent,
};
use shiji::ledger::{Personal, Place, State, StreamId};
use shiji::projections::{self, Handling};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::commerce::{self, Commerce};
use super::dump;
use super::library::{self, Library};
use super::social::{self, Social};
use crate::support::TestDatabase;

/// How many streams a history moves.
const STREAMS: usize = COMMERCE + commerce::STREAMS;
/// Where the cards of the mini-program begin.
const CARDS: usize = 31;
/// Where articles and messages begin.
const SOCIAL: usize = CARDS + 10;
/// Where the library of a company begins.
const LIBRARY: usize = SOCIAL + social::STREAMS;
/// Where the catalogue, tickets and orders begin.
const COMMERCE: usize = LIBRARY + library::STREAMS;

/// A history: which stream moves next, and how.
fn history(streams: Range<usize>) -> impl Strategy<Value = Vec<Fact>> {
    prop::collection::vec((streams, 0..8_u8, "[a-zé\"]{0,3}"), 1..150).prop_map(|moves| {
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
        place: Place {
            position,
            stream,
            event_type: String::new(),
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
    Showcase(Showcase),
    ShowcaseVisit,
    Comment(Comment),
    Follow(Follow, FollowCommand),
    Social(Social),
    Library(Library),
    Commerce(Commerce),
    Customer(Customer),
    Company(Company),
    Card(Card),
    Visit(Visit),
    Reaction(Reaction),
}

/// The cases of a history. What is counted of them may come before them.
const CASES: [&str; 2] = ["5trb5tu7tj8kfe7gwk7qakfpac", "ofargqanbpeeinswoigjae9rpe"];

impl Stream {
    #[expect(clippy::too_many_lines, reason = "it is a table")]
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
            15 | 16 => ("Team", format!("{number:08x}"), Now::Team(Team::default())),
            17 => (
                "Account",
                "weidu:szasc68seig9jrhqw4eaj9gu3h".to_owned(),
                Now::Account(Account::default()),
            ),
            18 | 19 => (
                "Showcase",
                CASES[number - 18].to_owned(),
                Now::Showcase(Showcase::default()),
            ),
            20 => (
                "Visit",
                format!("weidu:anonymous:showcase:{}", CASES[0]),
                Now::ShowcaseVisit,
            ),
            21 | 22 => (
                "Reaction",
                format!("weidu:author{number}:like:showcase:{}", CASES[0]),
                Now::Reaction(Reaction::default()),
            ),
            23 | 24 => (
                "Comment",
                number.to_string(),
                Now::Comment(Comment::default()),
            ),
            // Two members that follow each other, or try to follow one that is not there.
            25 | 26 => (
                "Account",
                format!("community:{number}"),
                Now::Account(Account::default()),
            ),
            27..31 => {
                let (follower, target) = [
                    (25, "user:26"),
                    (26, "user:25"),
                    (25, "user:0"),
                    (25, "master:18"),
                ][number - 27];
                let command = FollowCommand {
                    follower: Party::new(PartyKind::Member, follower),
                    target: target.parse().unwrap(),
                    follow: true,
                };
                let id = format!("{}:{target}", command.follower);
                ("Follow", id, Now::Follow(Follow::default(), command))
            }
            COMMERCE.. => {
                let (id, commerce) = Commerce::new(number - COMMERCE);
                let state = Now::Commerce(commerce);
                return Self { id, state };
            }
            LIBRARY.. => {
                let (id, library) = Library::new(number - LIBRARY);
                let state = Now::Library(library);
                return Self { id, state };
            }
            SOCIAL.. => {
                let (id, social) = Social::new(number - SOCIAL);
                let state = Now::Social(social);
                return Self { id, state };
            }
            // Customers 17 and 18, companies 19 and 20, their cards 21 and 22.
            CARDS.. => {
                let number = number - CARDS + 17;
                match number {
                    17 | 18 => (
                        "Customer",
                        number.to_string(),
                        Now::Customer(Customer::default()),
                    ),
                    19 | 20 => (
                        "Company",
                        number.to_string(),
                        Now::Company(Company::default()),
                    ),
                    21 | 22 => ("Card", number.to_string(), Now::Card(Card::default())),
                    23 | 24 => (
                        "Visit",
                        format!("customer:17:card:{}", number - 2),
                        Now::Visit(Visit::default()),
                    ),
                    25 => (
                        "Reaction",
                        "customer:17:praise:card:21".to_owned(),
                        Now::Reaction(Reaction::default()),
                    ),
                    _ => (
                        "Reaction",
                        "customer:18:sign:card:21".to_owned(),
                        Now::Reaction(Reaction::default()),
                    ),
                }
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
            Now::Showcase(state) => {
                let event = showcase_event(state, choice, text);
                state.apply(&event);
                Event::Showcase(event)
            }
            Now::ShowcaseVisit => Event::Visit(VisitEvent::ShowcaseViewed {
                viewer: "anonymous".to_owned(),
                task_id: CASES[0].to_owned(),
            }),
            Now::Comment(state) => {
                let event = comment_event(state, choice, text)?;
                state.apply(&event);
                Event::Comment(event)
            }
            Now::Customer(state) => {
                let event = customer_event(state, choice, &subject, text)?;
                state.apply(&event);
                Event::Customer(event)
            }
            Now::Company(state) => {
                let name = text.to_owned();
                let event = match state {
                    Company::Uncreated => CompanyEvent::CompanyCreated { name },
                    Company::Created { .. } => CompanyEvent::CompanyRenamed { name },
                };
                state.apply(&event);
                Event::Company(event)
            }
            Now::Card(state) => {
                let event = card_event(state, choice, &subject, text)?;
                state.apply(&event);
                Event::Card(event)
            }
            Now::Visit(state) => {
                let uid = if self.id.id.ends_with("21") { 21 } else { 22 };
                let event = visit_event(choice, uid);
                state.apply(&event);
                Event::Visit(event)
            }
            Now::Reaction(state) => {
                let event = reaction_event(*state, &self.id.id);
                state.apply(&event);
                Event::Reaction(event)
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
            Now::Library(library) => library.next(choice, text)?,
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

fn showcase_event(state: &Showcase, choice: u8, text: &str) -> ShowcaseEvent {
    let score = Score::from_hundredths(u16::from(choice) * 1_111).unwrap();
    let user_id = "szasc68seig9jrhqw4eaj9gu3h".to_owned();
    let Some(case) = state.published() else {
        return ShowcaseEvent::ShowcasePublished {
            user_id,
            industry: Industry::BrandDesign,
            score_hundredths: score,
        };
    };
    match (choice, case.files.first()) {
        (0, _) if case.withdrawn => ShowcaseEvent::ShowcaseRestored {},
        (0, _) => ShowcaseEvent::ShowcaseWithdrawn {},
        (1, _) => ShowcaseEvent::ShowcaseScored {
            score_hundredths: score,
        },
        (2, _) => ShowcaseEvent::ShowcaseEdited {
            user_id: Some(text.to_owned()),
            industry: None,
        },
        (3, _) => ShowcaseEvent::ShowcaseEdited {
            user_id: None,
            industry: Some(Industry::VisualEffects),
        },
        (4 | 5, Some(file_id)) => ShowcaseEvent::ShowcaseFileRemoved {
            file_id: file_id.clone(),
        },
        (_, _) => {
            let file_id = if case.files.contains("a") { "b" } else { "a" };
            if case.files.contains(file_id) {
                return ShowcaseEvent::ShowcaseWithdrawn {};
            }
            ShowcaseEvent::ShowcaseFileAdded(ShowcaseFile {
                file_id: file_id.to_owned(),
                user_id,
                name: format!("{text}.jpg"),
                mime_type: "image/jpeg".to_owned(),
                size_bytes: 7,
                width_pixels: 1,
                height_pixels: 2,
                path: format!("a/{text}.jpg"),
                preview_path: choice.is_multiple_of(2).then(|| "a/b".to_owned()),
                sha256: None,
            })
        }
    }
}

/// Under a case or, now and then, under something else.
fn comment_event(state: &Comment, choice: u8, text: &str) -> Option<CommentEvent> {
    Some(match state {
        Comment::Unwritten => CommentEvent::CommentPublished {
            target: if choice == 0 {
                "article:61".parse::<Target>().unwrap()
            } else {
                format!("showcase:{}", CASES[1]).parse().unwrap()
            },
            author: "weidu:szasc68seig9jrhqw4eaj9gu3h".parse::<Party>().unwrap(),
            content: text.to_owned(),
            reply: None,
        },
        Comment::Live(written) => CommentEvent::CommentDeleted {
            target: written.target.clone(),
            reason: None,
        },
        Comment::Deleted(_) => return None,
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

fn customer_event(
    state: &Customer,
    choice: u8,
    subject: &str,
    text: &str,
) -> Option<CustomerEvent> {
    let own = Personal::new(subject, text.to_owned());
    let (source, user_type) = (Source::Forward, UserType::MiniProgram);
    let Some(customer) = state.registered() else {
        return Some(CustomerEvent::CustomerRegistered {
            openid: own,
            unionid: None,
            user_type,
            source,
            trial: choice.is_multiple_of(2),
        });
    };
    let uid = i64::from(choice % 3) + 21;
    Some(match choice {
        0 => CustomerEvent::CustomerDisabled {},
        1 => CustomerEvent::CustomerEnabled {},
        2 => CustomerEvent::CustomerLoggedIn { trial: false },
        3 if customer.erased => return None,
        3 => CustomerEvent::PersonErased {},
        4 | 5 if !customer.bindings.contains_key(&uid) => CustomerEvent::CustomerBound {
            uid,
            pid: (choice == 4).then_some(18),
            source,
            user_type,
        },
        6 if !customer.erased => CustomerEvent::FormIdCollected {
            form_id: own,
            expires_at: DateTime::from_timestamp(1_800_000_000 + i64::from(choice), 0).unwrap(),
        },
        _ if customer.erased => return None,
        _ => CustomerEvent::CustomerProfileUpdated {
            username: Some(own.clone()),
            headimgurl: None,
            city: Some(own.clone()),
            country: None,
            province: Some(own),
            language: None,
        },
    })
}

fn card_event(state: &Card, choice: u8, subject: &str, text: &str) -> Option<CardEvent> {
    let own = || Personal::new(subject, text.to_owned());
    let Some(card) = state.created() else {
        let profile = CardProfile {
            username: own(),
            avatar: own(),
            mingpian_avatar: own(),
            address: text.to_owned(),
            position: text.to_owned(),
            email: own(),
            wechat: own(),
            mingpian_phone: own(),
            sign: own(),
            qr_code_url: text.to_owned(),
            poster_url: text.to_owned(),
        };
        return Some(CardEvent::CardCreated {
            company_id: 19,
            profile,
        });
    };
    if card.erased {
        return None;
    }
    Some(match (choice, card.photos.first()) {
        (0, _) => CardEvent::CardDisabled {},
        (1, _) => CardEvent::CardEnabled {},
        (2, _) => CardEvent::PersonErased {},
        (3, _) => CardEvent::CardTokenRotated {},
        (4, Some(photo_id)) => CardEvent::CardPhotoRemoved {
            photo_id: *photo_id,
        },
        (4 | 5, _) => CardEvent::CardPhotoAdded {
            photo_id: card.last_photo_id + 1,
            photo_url: text.to_owned(),
        },
        (_, _) => CardEvent::CardEdited {
            username: Some(own()),
            avatar: None,
            mingpian_avatar: None,
            address: Some(text.to_owned()),
            position: None,
            email: Some(own()),
            wechat: None,
            mingpian_phone: None,
            sign: Some(own()),
            qr_code_url: None,
            poster_url: Some(text.to_owned()),
        },
    })
}

fn visit_event(choice: u8, uid: i64) -> VisitEvent {
    let (customer_id, company_id) = (17, 19);
    match choice {
        0..3 => VisitEvent::CardViewed { customer_id, uid },
        3 => VisitEvent::CardForwarded { customer_id, uid },
        4 => VisitEvent::CardPosterSaved { customer_id, uid },
        5 => VisitEvent::CaseBrowsed {
            customer_id,
            company_id,
            case_id: 1,
        },
        6 => VisitEvent::WebsiteViewed {
            customer_id,
            uid,
            company_id,
        },
        _ => VisitEvent::ShowcaseViewed {
            viewer: "anonymous".to_owned(),
            task_id: "x".to_owned(),
        },
    }
}

fn reaction_event(state: Reaction, id: &str) -> ReactionEvent {
    let ReactionKey {
        actor,
        kind,
        target,
    } = id.parse().unwrap();
    let value = None;
    match state {
        Reaction::Absent => ReactionEvent::ReactionAdded {
            actor,
            kind,
            target,
            value,
        },
        Reaction::Given { .. } => ReactionEvent::ReactionRemoved {
            actor,
            kind,
            target,
            value,
        },
    }
}

/// Totals that are kept, and what they are of.
const TOTALS: [(&str, &str); 3] = [
    (
        "TABLE showcase_totals",
        "SELECT industry_type, count(*) FROM showcases WHERE shown GROUP BY 1",
    ),
    (
        "TABLE diary_totals",
        "SELECT company_id, case_id, count(*) FROM diaries WHERE status = 1 GROUP BY 1, 2",
    ),
    (
        "SELECT total FROM tasks_total",
        "SELECT count(*) FROM tasks",
    ),
];

/// The tables after these batches, with totals that are right; everything is taken back.
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
    for (kept, counted) in TOTALS {
        let differing = format!(
            "SELECT to_jsonb(d) FROM ((({kept}) EXCEPT ALL ({counted})) UNION ALL (({counted}) EXCEPT ALL ({kept}))) d"
        );
        let differing: Vec<Value> =
            (sqlx::query_scalar(&differing).fetch_all(&mut *tx).await).unwrap();
        assert!(differing.is_empty(), "{kept}: {differing:?}");
    }
    tx.rollback().await.unwrap();
    tables
}

#[test]
fn any_cut_and_any_late_stream_give_the_same_tables() {
    hold(0..STREAMS);
}

/// By itself, so that its streams meet often.
#[test]
fn so_they_do_for_the_library_of_a_company() {
    hold(LIBRARY..STREAMS);
}

fn hold(streams: Range<usize>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let test = runtime.block_on(TestDatabase::create());
    let path = projections::search_path();
    let connection = runtime
        .block_on(test.database().connect("cuts", &path))
        .unwrap();
    let connection = tokio::sync::Mutex::new(connection);
    let cases = (
        history(streams),
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
                let of =
                    |name: &StreamId| facts.iter().filter(|f| f.place.stream == *name).collect();
                let mut batches: Vec<Vec<&Fact>> = vec![
                    facts
                        .iter()
                        .filter(|f| !parked.contains(&&f.place.stream))
                        .collect(),
                ];
                batches.extend(parked.iter().map(|name| of(name)));
                prop_assert_eq!(&expected, &tables(&mut connection, &batches).await, "late");
                Ok(())
            })
        })
        .unwrap();
}
