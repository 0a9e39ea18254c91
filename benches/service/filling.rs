//! What a store holds after years: members, articles, what they made of them, and the lives of tasks. Written as commands
//! write it, one job each, but without asking: 10 million commands over HTTP would take most of an hour.
//!
//! A process of its own (`service fill`), beside the service whose log it is, which folds the events as they come.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use cqrs_es::DomainEvent;
use futures::future::try_join_all;
use futures::stream::{self, StreamExt, TryStreamExt};
use shiji::commands::article::PublishArticle;
use shiji::commands::member::{OpenMember, Phone, new_hex_id};
use shiji::commands::{Desk, Operation, Request};
use shiji::events::comment::CommentEvent;
use shiji::events::party::{Party, PartyKind, Target, TargetKind};
use shiji::events::reaction::{ReactionEvent, ReactionKey, ReactionKind};
use shiji::events::task::TaskEvent;
use shiji::events::{Comment, Reaction, Task, TaskKind};
use shiji::ledger::{
    Append, AppendLimits, Clock, Expected, Keys, Ledger, LedgerOptions, Metadata, NewEvent, Secret,
    State, StreamId, StreamWrite, Verdict,
};
use shiji::postgres::Database;
use shiji::settings::StoreSettings;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use uuid::Uuid;

use crate::options::FillOptions;

/// Events of a beat: six of tasks, a comment, likes, collections, and a like that is taken back.
const BEAT: usize = (TASK_ENDS + 1) + 1 + LIKES + COLLECTS + 1;

/// Likes in a beat.
const LIKES: usize = 15;

/// Collections in a beat.
const COLLECTS: usize = 2;

/// Beats that are written at once.
const WAVE: usize = 100;

/// Waves on their way at once.
const UNDER_WAY: usize = 2;

/// Beats from one event of a stream to the next: so many that the one before is written by then.
const PACE: usize = WAVE * UNDER_WAY;

/// The age at which a task is done.
const TASK_ENDS: usize = 5;

/// The door of members.
const SURFACE: &str = "community";

/// Members and articles that come at once.
const AT_ONCE: usize = 64;

/// How long one command may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The staff account that the service makes first; tasks are its own.
const STAFF: i64 = 1;

/// How many live in a store of so many events.
#[derive(Debug, Clone, Copy)]
pub struct Town {
    /// Members, two events each.
    pub members: usize,
    /// Articles, one event each.
    pub articles: usize,
    /// Beats of everything else.
    pub beats: usize,
}

impl Town {
    /// For so many events: what is there grows with them, as in life. In a small one there are more members and articles, so
    /// that everybody can like something once.
    #[must_use]
    pub fn of(events: usize) -> Self {
        let least = events.isqrt() + 1;
        let (members, articles) = ((events / 250).max(least), (events / 200).max(least));
        let rest = events.saturating_sub(2 * members + articles);
        Self {
            members,
            articles,
            beats: rest.div_ceil(BEAT),
        }
    }
}

/// Fills the log of a running service.
///
/// # Errors
///
/// When the log does not take something.
pub async fn fill(options: &FillOptions) -> Result<()> {
    let town = Town::of(options.events);
    let ledger = open(options).await?;
    let began = Instant::now();
    let mut life = Life::settle(&ledger, town).await?;
    let waves = town.beats.div_ceil(WAVE);
    let mut under_way = VecDeque::new();
    for wave in 0..waves {
        let beats = wave * WAVE..town.beats.min((wave + 1) * WAVE);
        let jobs = life.jobs(beats).await?;
        if under_way.len() == UNDER_WAY {
            written(under_way.pop_front()).await?;
        }
        under_way.push_back(tokio::spawn(append(ledger.clone(), jobs)));
        if (wave + 1) % waves.div_ceil(10) == 0 {
            let seconds = began.elapsed().as_secs_f64();
            eprintln!("    {} of {waves} parts in {seconds:.0} s", wave + 1);
        }
    }
    while !under_way.is_empty() {
        written(under_way.pop_front()).await?;
    }
    Ok(())
}

async fn append(ledger: Ledger, jobs: Vec<Append>) -> Result<()> {
    let appends = jobs.into_iter().map(|job| ledger.append(job));
    for verdict in try_join_all(appends).await? {
        ensure!(
            matches!(verdict, Verdict::Appended(_)),
            "a job was in the log already"
        );
    }
    Ok(())
}

async fn written(wave: Option<JoinHandle<Result<()>>>) -> Result<()> {
    match wave {
        Some(wave) => wave.await?,
        None => Ok(()),
    }
}

/// Opens the log of a running service, as another node.
async fn open(options: &FillOptions) -> Result<Ledger> {
    let store = StoreSettings {
        data_dir: options.data_dir.clone(),
        database_url: None,
        master_key: None,
        pg_bin: Some(options.postgres_bin.clone()),
        pg_user: "postgres".to_owned(),
    };
    let database = Database::attach(&store).await?;
    let key = store.obtain_master_key()?;
    let most = WAVE * BEAT * UNDER_WAY;
    Ok(Ledger::open(LedgerOptions {
        pool: database.pool("fill", 8, &[]),
        tail_pool: database.pool("fill tail", 2, &[]),
        append: database.service_options("fill appender", &[]),
        keys: Keys::derive(&Secret::new(*key.expose())),
        limits: AppendLimits {
            queue: most,
            batch_jobs: most,
            batch_events: most,
            answer: PATIENCE,
            ..AppendLimits::default()
        },
        cache_entries: 1_000,
        clock: Clock::system(),
    })
    .await?)
}

/// Who lives there, and what there is to like and to do.
struct Life {
    ledger: Ledger,
    uids: Vec<String>,
    articles: Vec<i64>,
    /// The task of each beat so far.
    tasks: Vec<i64>,
}

impl Life {
    /// Members come and publish articles: commands, of which there are few.
    async fn settle(ledger: &Ledger, town: Town) -> Result<Self> {
        let desk = Desk::new(ledger.clone(), Duration::ZERO);
        let uids = (0..town.members).map(|nth| member(&desk, nth));
        let uids: Vec<String> = stream::iter(uids).buffered(AT_ONCE).try_collect().await?;
        let articles = (0..town.articles).map(|nth| article(&desk, nth, &uids));
        let articles = stream::iter(articles).buffered(AT_ONCE);
        Ok(Self {
            articles: articles.try_collect().await?,
            ledger: ledger.clone(),
            uids,
            tasks: Vec::with_capacity(town.beats),
        })
    }

    /// What happens in some beats. No stream is in it twice.
    async fn jobs(&mut self, beats: Range<usize>) -> Result<Vec<Append>> {
        self.tasks.extend(self.ids("task", beats.len()).await?);
        let comments = self.ids("comment", beats.len()).await?;
        let mut jobs = Vec::with_capacity(beats.len() * BEAT);
        for (beat, comment) in beats.zip(comments) {
            for age in 0..=TASK_ENDS {
                if let Some(begun) = beat.checked_sub(age * PACE) {
                    jobs.push(self.task(self.tasks[begun], age)?);
                }
            }
            jobs.push(self.comment(beat, comment)?);
            for nth in 0..LIKES {
                jobs.push(self.like(beat * LIKES + nth)?);
            }
            for nth in 0..COLLECTS {
                jobs.push(self.collect(beat * COLLECTS + nth)?);
            }
            if let Some(liked) = beat.checked_sub(PACE) {
                jobs.push(self.unlike(liked * LIKES)?);
            }
        }
        Ok(jobs)
    }

    /// So many ids, taken as commands take them.
    async fn ids(&self, sequence: &'static str, wanted: usize) -> Result<Vec<i64>> {
        let ids = (0..wanted).map(|_| self.ledger.next_id(sequence));
        Ok(try_join_all(ids).await?)
    }

    /// What happens to a task of this age.
    fn task(&self, id: i64, age: usize) -> Result<Append> {
        let event = match age {
            0 => TaskEvent::TaskCreated {
                kind: TaskKind::Image,
                priority: (id % 10).try_into()?,
                input: format!("https://pictures.example/{id:010}.jpg"),
                note: "grown".to_owned(),
                created_by: STAFF,
            },
            1 => TaskEvent::TaskEdited {
                note: Some("封面，先做".to_owned()),
                priority: None,
            },
            2 => TaskEvent::TaskStarted {},
            3 => TaskEvent::TaskEdited {
                note: None,
                priority: Some(9),
            },
            4 => TaskEvent::TaskResultRecorded {
                result: format!("https://results.example/{id:010}.jpg"),
            },
            TASK_ENDS => TaskEvent::TaskCompleted {},
            _ => bail!("nothing happens to a task of age {age}"),
        };
        let staff = Party::new(PartyKind::Staff, STAFF);
        job::<Task>(&self.ledger, id.to_string(), age, &event, &staff, "backend")
    }

    fn comment(&self, beat: usize, id: i64) -> Result<Append> {
        let (author, target) = self.pair(beat);
        let event = CommentEvent::CommentPublished {
            target,
            author: author.clone(),
            content: "春光正好，下回同去。".to_owned(),
            reply: None,
        };
        job::<Comment>(&self.ledger, id.to_string(), 0, &event, &author, SURFACE)
    }

    fn like(&self, nth: usize) -> Result<Append> {
        self.react(nth, ReactionKind::Like, true)
    }

    fn unlike(&self, nth: usize) -> Result<Append> {
        self.react(nth, ReactionKind::Like, false)
    }

    fn collect(&self, nth: usize) -> Result<Append> {
        self.react(nth, ReactionKind::Collect, true)
    }

    fn react(&self, nth: usize, kind: ReactionKind, give: bool) -> Result<Append> {
        let (actor, target) = self.pair(nth);
        let key = ReactionKey {
            actor: actor.clone(),
            kind,
            target: target.clone(),
        };
        let event = if give {
            ReactionEvent::ReactionAdded {
                actor: actor.clone(),
                kind,
                target,
                value: None,
            }
        } else {
            ReactionEvent::ReactionRemoved {
                actor: actor.clone(),
                kind,
                target,
                value: None,
            }
        };
        let version = usize::from(!give);
        job::<Reaction>(
            &self.ledger,
            key.to_string(),
            version,
            &event,
            &actor,
            SURFACE,
        )
    }

    /// A member and an article, none twice: every article comes up once before any comes up again.
    fn pair(&self, nth: usize) -> (Party, Target) {
        let (round, place) = (nth / self.articles.len(), nth % self.articles.len());
        let member = &self.uids[(place + round) % self.uids.len()];
        (
            Party::new(PartyKind::Member, member),
            Target::new(TargetKind::Article, self.articles[place]),
        )
    }
}

/// Opens an account with a phone that nobody can have.
async fn member(desk: &Desk, nth: usize) -> Result<String> {
    let phone = Phone::new("86", &format!("1000{nth:07}")).context("no phone")?;
    let open = OpenMember {
        uid: new_hex_id(),
        phone_claim: phone.claim(desk.ledger().keys()),
        phone,
        nickname: format!("故人{nth}"),
        password_hash: None,
    };
    send(desk, "system:bench", &open).await?;
    Ok(open.uid)
}

async fn article(desk: &Desk, nth: usize, uids: &[String]) -> Result<i64> {
    let author = uids[nth % uids.len()].clone();
    let actor = Party::new(PartyKind::Member, &author).to_string();
    let publish = PublishArticle {
        id: desk.ledger().next_id("article").await?,
        author,
        content: format!(
            "第{nth}次穿着马面裙去西湖边，桃花开得正好，一路上有人来问这是哪朝哪代的衣裳。"
        ),
        images: vec![format!("bench/{:03}.jpg", nth % 200)],
    };
    send(desk, &actor, &publish).await?;
    Ok(publish.id)
}

async fn send<O: Operation>(desk: &Desk, actor: &str, operation: &O) -> Result<()> {
    let request = Request {
        metadata: metadata(desk.ledger(), actor.to_owned(), SURFACE),
        receipt: None,
        if_match: None,
        deadline: Instant::now() + PATIENCE,
    };
    match desk.run(&request, operation).await {
        Ok(_) => Ok(()),
        Err(refused) => bail!("{refused}"),
    }
}

/// One event as a command writes it, to a stream that stands where it must.
fn job<A: State>(
    ledger: &Ledger,
    id: String,
    version: usize,
    event: &A::Event,
    actor: &Party,
    surface: &str,
) -> Result<Append> {
    Ok(Append {
        streams: vec![StreamWrite {
            stream: StreamId::new(A::TYPE, id),
            expected: Expected::Exact(version.try_into()?),
            events: vec![NewEvent {
                event_id: Uuid::now_v7(),
                event_type: event.event_type().into(),
                event_version: event.event_version().into(),
                payload: serde_json::to_string(event)?,
            }],
        }],
        guards: vec![],
        metadata: metadata(ledger, actor.to_string(), surface),
        receipt: None,
        deadline: Instant::now() + PATIENCE,
    })
}

fn metadata(ledger: &Ledger, actor: String, surface: &str) -> Metadata {
    Metadata {
        actor,
        surface: surface.to_owned(),
        request_id: Uuid::now_v7(),
        causation: None,
        correlation: None,
        at: ledger.clock().now(),
    }
}
