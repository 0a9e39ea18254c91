//! One socket from its upgrade to its end.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};
use tracing::{debug, warn};
use uuid::Uuid;

use super::frames::{self, FRAME_MAX, Push, Said, TAKEN, Word};
use super::rooms::{Member, News};
use crate::api::App;
use crate::api::wire::Params;
use crate::api::zhugeleida::call::actor;
use crate::api::zhugeleida::cards::usable;
use crate::api::zhugeleida::chat::read_through;
use crate::api::zhugeleida::chat::rows::push_rows;
use crate::api::zhugeleida::signature::{self, Signature};
use crate::api::zhugeleida::{Problem, SURFACE};
use crate::commands;
use crate::commands::chat::{ChatContent, SendChat};
use crate::events::conversation::{Pair, Side};
use crate::events::{Customer, Message as ChatMessage};
use crate::ledger::{Metadata, State, StreamId};
use crate::projections::messages;

/// How long to wait before looking again at read tables that are late.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// An open socket.
pub struct Socket {
    app: App,
    wire: WebSocket,
    /// What stands in the address.
    address: Params,
    /// Whose socket it is; `None` before it registers.
    place: Option<Place>,
    /// Pings without an answer.
    unanswered: u32,
}

/// A registered socket's place.
struct Place {
    pair: Pair,
    room: Member,
    news: watch::Receiver<News>,
    /// How often the customer had been sent away when this socket came.
    dismissals: u64,
    /// The last message that was written, or passed over because the customer had seen it.
    shown: i64,
    /// What the read tables must show.
    wanted: i64,
    /// What they have shown.
    reached: i64,
}

/// Why a socket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goodbye {
    /// The client says so.
    Closed,
    /// The client hung up.
    Gone,
    /// This node leaves.
    Away,
    /// It may not register.
    Refused,
    /// It did not register in time.
    Unregistered,
    /// What let the customer in does not any more.
    Dismissed,
    /// A frame above the limit.
    TooLarge,
    /// No WebSocket is spoken.
    Unreadable,
    /// A fault of ours.
    Broken,
    /// It does not read what is written.
    Slow,
    /// It does not answer pings.
    Silent,
}

impl Goodbye {
    /// The code of the close frame, where there is somebody to read one.
    const fn code(self) -> Option<u16> {
        match self {
            Self::Closed => Some(close_code::NORMAL),
            Self::Away => Some(close_code::AWAY),
            Self::Refused | Self::Unregistered | Self::Dismissed => Some(close_code::POLICY),
            Self::TooLarge => Some(close_code::SIZE),
            Self::Unreadable => Some(close_code::PROTOCOL),
            Self::Broken => Some(close_code::ERROR),
            Self::Gone | Self::Slow | Self::Silent => None,
        }
    }
}

/// What a socket does next.
enum Turn {
    Frame(Option<Result<Message, axum::Error>>),
    Told,
    Ping,
}

impl Socket {
    pub fn new(app: App, wire: WebSocket, address: Params) -> Self {
        Self {
            app,
            wire,
            address: address.spelled("u_id", "uid"),
            place: None,
            unanswered: 0,
        }
    }

    /// Serves it to its end.
    pub async fn run(mut self) {
        let why = match self.serve().await {
            Ok(never) => match never {},
            Err(why) => why,
        };
        self.place = None;
        debug!("A socket ends: {why:?}");
        if matches!(why, Goodbye::Slow | Goodbye::Silent) {
            metrics::counter!("shiji_zhugeleida_sockets_dropped_total").increment(1);
            return;
        }
        let goodbye = async {
            if let Some(code) = why.code() {
                let reason = "".into();
                let close = Message::Close(Some(CloseFrame { code, reason }));
                self.wire.send(close).await?;
            }
            // Read to the end, so that the other side hears it before the connection goes.
            while self.wire.recv().await.transpose()?.is_some() {}
            Ok::<_, axum::Error>(())
        };
        let _ = timeout(self.app.live().limits.close_time, goodbye).await;
    }

    async fn serve(&mut self) -> Result<std::convert::Infallible, Goodbye> {
        let limits = self.app.live().limits.clone();
        let end = self.app.live().end.clone();
        let every = limits.ping_every;
        let mut pings = interval_at(Instant::now() + every, every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let unregistered = sleep(limits.register_time);
        tokio::pin!(unregistered);
        loop {
            let turn = tokio::select! {
                () = end.cancelled() => return Err(Goodbye::Away),
                () = &mut unregistered, if self.place.is_none() => return Err(Goodbye::Unregistered),
                frame = self.wire.recv() => Turn::Frame(frame),
                () = told(self.place.as_mut()) => Turn::Told,
                _ = pings.tick() => Turn::Ping,
            };
            match turn {
                Turn::Frame(None) => return Err(Goodbye::Gone),
                Turn::Frame(Some(Err(_))) => return Err(Goodbye::Unreadable),
                Turn::Frame(Some(Ok(message))) => self.take(message).await?,
                Turn::Told => self.catch_up().await?,
                Turn::Ping => self.ping().await?,
            }
        }
    }

    async fn take(&mut self, message: Message) -> Result<(), Goodbye> {
        match message {
            Message::Text(text) if text.len() > FRAME_MAX => Err(Goodbye::TooLarge),
            Message::Text(text) => match Said::read(&text) {
                Ok(Said::Register(params)) => self.register(params).await,
                Ok(Said::Message(params)) => match self.send(&params).await {
                    Ok(()) => self.say(&TAKEN).await,
                    Err(problem) => self.refuse(problem).await,
                },
                Ok(Said::Closed) => Err(Goodbye::Closed),
                Err(problem) => self.refuse(problem).await,
            },
            Message::Binary(_) => self.refuse(Problem::wrong_type()).await,
            Message::Pong(_) => {
                self.unanswered = 0;
                Ok(())
            }
            // Answered below us.
            Message::Ping(_) => Ok(()),
            Message::Close(_) => Err(Goodbye::Gone),
        }
    }

    async fn ping(&mut self) -> Result<(), Goodbye> {
        if self.unanswered == 2 {
            return Err(Goodbye::Silent);
        }
        self.unanswered += 1;
        self.write(Message::Ping(Bytes::new())).await
    }

    /// The socket is for another pair from now on, or ends.
    async fn register(&mut self, params: Params) -> Result<(), Goodbye> {
        self.place = None;
        match self.admitted(params.or(self.address.clone())).await {
            Ok(place) => {
                self.place = Some(place);
                self.welcome().await
            }
            Err(problem) => {
                self.refuse(problem).await?;
                Err(Goodbye::Refused)
            }
        }
    }

    async fn admitted(&mut self, params: Params) -> Result<Place, Problem> {
        let app = &self.app;
        let pair = frames::pair(&params)?;
        // Listening before looking, so that nothing falls between the two.
        let room = app.live().rooms.enter(pair);
        let news = room.listen();
        let dismissals = news.borrow().dismissals;
        let wanted = app.ledger().tail_position();
        if Signature::is_there(&params)? || !app.live().limits.unsigned {
            signature::customer(app, &params).await?;
        } else {
            let id = pair.customer_id.to_string();
            let found = app.ledger().current::<Customer>(&id).await?.state;
            let customer = found.registered().ok_or_else(Problem::illegal)?;
            if !customer.enabled {
                return Err(Problem::disabled());
            }
        }
        usable(app, pair.uid).await?;
        Ok(Place {
            pair,
            room,
            news,
            dismissals,
            shown: 0,
            wanted,
            reached: 0,
        })
    }

    /// Tells what the customer was not shown yet.
    async fn welcome(&mut self) -> Result<(), Goodbye> {
        let Some(place) = &mut self.place else {
            return Ok(());
        };
        place.wait(&self.app).await;
        let pair = place.pair;
        let look = messages::welcome(self.app.reads(), pair).await;
        let look = match look {
            Ok(look) => look,
            Err(error) => return self.broken(error).await,
        };
        place.shown = look.newest;
        if look.items.is_empty() {
            return Ok(());
        }
        let newest = look.newest;
        self.say(&Push::of(push_rows(pair, look))).await?;
        self.read(newest).await
    }

    /// Tells what was said since, a frame a message, in the order of the log.
    async fn catch_up(&mut self) -> Result<(), Goodbye> {
        loop {
            let Some(place) = &mut self.place else {
                return Ok(());
            };
            if !place.take_news() {
                return Err(Goodbye::Dismissed);
            }
            place.wait(&self.app).await;
            let (pair, shown) = (place.pair, place.shown);
            let look = messages::after(self.app.reads(), pair, shown).await;
            let look = match look {
                Ok(look) => look,
                Err(error) => return self.broken(error).await,
            };
            let positions: Vec<i64> = look.items.iter().map(|i| i.message.position).collect();
            let Some(last) = positions.last().copied() else {
                return Ok(());
            };
            for (position, row) in positions.into_iter().zip(push_rows(pair, look)) {
                self.say(&Push::of(vec![row])).await?;
                if let Some(place) = &mut self.place {
                    place.shown = position;
                }
            }
            self.read(last).await?;
        }
    }

    /// Moves the customer's cursor: they were shown everything up to here.
    async fn read(&mut self, through: i64) -> Result<(), Goodbye> {
        let Some(place) = &self.place else {
            return Ok(());
        };
        if place.room.is_first_through(through) {
            let request = self.request(place.pair);
            let side = (place.pair, Side::Customer);
            let read = read_through(&self.app, &request, side, through).await;
            if let Err(error) = read {
                // The next one takes this one along.
                warn!(error = %error, "What a socket showed does not count as read: {error}");
            }
        }
        Ok(())
    }

    async fn send(&mut self, params: &Params) -> Result<(), Problem> {
        let place = self.place.as_ref().ok_or_else(Problem::illegal)?;
        let pair = frames::pair(params)?;
        if pair != place.pair {
            return Err(Problem::illegal());
        }
        let content = params.any("content").unwrap_or(&Value::Null);
        let content = ChatContent::read(content).map_err(|bad| Problem::field("content", &bad))?;
        let send = SendChat {
            id: self.app.ledger().next_id("message").await?,
            pair,
            writer: Side::Customer,
            content,
        };
        let request = self.request(pair);
        let desk = self.app.desk().clone();
        let done = self
            .app
            .detached(async move { desk.run(&request, &send).await });
        done.await??;
        Ok(())
    }

    fn request(&self, pair: Pair) -> commands::Request {
        commands::Request {
            metadata: Metadata {
                actor: actor(pair.customer_id),
                surface: SURFACE.to_owned(),
                request_id: Uuid::now_v7(),
                causation: None,
                correlation: None,
                at: self.app.now(),
            },
            receipt: None,
            if_match: None,
            deadline: Instant::now() + self.app.settings().request_timeout,
        }
    }

    async fn broken(&mut self, error: sqlx::Error) -> Result<(), Goodbye> {
        let problem = Problem::query(&self.app, error);
        self.refuse(problem).await?;
        Err(Goodbye::Broken)
    }

    async fn refuse(&mut self, problem: Problem) -> Result<(), Goodbye> {
        let (code, msg) = problem.said("a socket");
        self.say(&Word { code, msg }).await
    }

    async fn say(&mut self, frame: &impl Serialize) -> Result<(), Goodbye> {
        self.write(Message::Text(frames::text(frame))).await
    }

    /// Nothing waits behind a frame: who does not read in time is dropped.
    async fn write(&mut self, message: Message) -> Result<(), Goodbye> {
        let write_time = self.app.live().limits.write_time;
        match timeout(write_time, self.wire.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Goodbye::Gone),
            Err(_) => Err(Goodbye::Slow),
        }
    }
}

impl Place {
    /// Takes what was told; `false` when the customer was sent away.
    fn take_news(&mut self) -> bool {
        let news = *self.news.borrow_and_update();
        self.wanted = self.wanted.max(news.through);
        news.dismissals == self.dismissals
    }

    /// Waits for the read tables, as long as queries do.
    async fn wait(&mut self, app: &App) {
        if self.reached >= self.wanted {
            return;
        }
        let watermark = app.ledger().watermark();
        let any = [StreamId::new(ChatMessage::TYPE, "")];
        let patience = app.settings().query_patience;
        if watermark.wait(self.wanted, &any, patience).await.is_empty() {
            self.reached = self.wanted;
        }
    }
}

/// Waits for news, or for the time to look again at read tables that were late.
async fn told(place: Option<&mut Place>) {
    match place {
        None => std::future::pending().await,
        Some(place) if place.reached < place.wanted => sleep(LOOK_AGAIN).await,
        Some(place) => {
            if place.news.changed().await.is_err() {
                // The room lasts as long as its members.
                std::future::pending::<()>().await;
            }
        }
    }
}
