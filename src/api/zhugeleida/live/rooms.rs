//! Who is to be told, and hearing the log for them.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::events::conversation::Pair;
use crate::events::{self, CustomerEvent, Event, MessageEvent};
use crate::ledger::{DecodeError, Follower, Ledger, Recorded};

/// Events taken from the log at once.
const CHUNK: usize = 500;
/// How long to wait after the log could not be read.
const PAUSE: Duration = Duration::from_millis(200);

/// What the sockets of a pair are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct News {
    /// There are messages up to here.
    pub through: i64,
    /// How often the customer was sent away.
    pub dismissals: u64,
}

/// The sockets of a pair.
pub struct Room {
    pair: Pair,
    news: watch::Sender<News>,
    /// How far one of them has moved the customer's cursor.
    read_through: AtomicI64,
}

impl Room {
    /// What is told from now on.
    pub fn listen(&self) -> watch::Receiver<News> {
        self.news.subscribe()
    }

    /// Is it this socket that moves the customer's cursor? One of a room is enough.
    pub fn is_first_through(&self, position: i64) -> bool {
        self.read_through.fetch_max(position, Ordering::Relaxed) < position
    }
}

/// A place in a room; dropped, it is left.
pub struct Member {
    rooms: Arc<Rooms>,
    room: Arc<Room>,
}

impl Deref for Member {
    type Target = Room;

    fn deref(&self) -> &Room {
        &self.room
    }
}

impl Drop for Member {
    /// The last one closes the room behind them. Rooms are only looked into under the lock, so nobody else holds one.
    fn drop(&mut self) {
        let mut open = self.rooms.open.lock();
        if Arc::strong_count(&self.room) == 1 {
            open.remove(&self.room.pair);
        }
    }
}

/// The rooms of a node. A room is there as long as somebody is in it.
#[derive(Default)]
pub struct Rooms {
    open: Mutex<HashMap<Pair, Weak<Room>>>,
    heard: AtomicBool,
}

impl Rooms {
    /// Enters the room of a pair.
    pub fn enter(self: &Arc<Self>, pair: Pair) -> Member {
        let mut open = self.open.lock();
        let room = open.get(&pair).and_then(Weak::upgrade);
        let room = room.unwrap_or_else(|| {
            let room = Arc::new(Room {
                pair,
                news: watch::Sender::new(News::default()),
                read_through: AtomicI64::new(0),
            });
            open.insert(pair, Arc::downgrade(&room));
            room
        });
        drop(open);
        let rooms = Arc::clone(self);
        Member { rooms, room }
    }

    /// Begins to hear the log, if nobody does yet: with the first socket.
    pub fn hear(self: &Arc<Self>, ledger: &Ledger, end: &CancellationToken) {
        if self.heard.swap(true, Ordering::AcqRel) {
            return;
        }
        let aggregates = vec!["Customer".to_owned(), "Message".to_owned()];
        let follower = ledger.follow(ledger.tail_position(), Some(aggregates));
        let (rooms, end) = (Arc::clone(self), end.clone());
        tokio::spawn(async move { rooms.follow(follower, end).await });
    }

    async fn follow(&self, mut follower: Follower, end: CancellationToken) {
        loop {
            let heard = tokio::select! {
                heard = follower.next(CHUNK) => heard,
                () = end.cancelled() => return,
            };
            match heard {
                Ok(events) => {
                    for recorded in &events {
                        if let Err(error) = self.tell(recorded) {
                            let position = recorded.position;
                            warn!(position, error = %error, "Sockets are not told of event {position}: {error}");
                        }
                    }
                }
                Err(error) => {
                    warn!(error = %error, "Sockets do not hear the log: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn tell(&self, recorded: &Recorded) -> Result<(), DecodeError> {
        // Most of the time nobody is there.
        if self.open.lock().is_empty() {
            return Ok(());
        }
        match events::decode(recorded)? {
            Event::Message(MessageEvent::MessageSent { from, to, .. }) => {
                if let Some((pair, _)) = Pair::of(&from, &to) {
                    self.told(pair, recorded.position);
                }
            }
            Event::Customer(
                CustomerEvent::CustomerTokenRotated {}
                | CustomerEvent::CustomerDisabled {}
                | CustomerEvent::PersonErased {},
            ) => self.dismiss(&recorded.stream.id),
            _ => {}
        }
        Ok(())
    }

    fn told(&self, pair: Pair, through: i64) {
        let open = self.open.lock();
        if let Some(room) = open.get(&pair).and_then(Weak::upgrade) {
            room.news.send_modify(|news| news.through = through);
        }
    }

    /// What let a customer in does not any more.
    fn dismiss(&self, customer_id: &str) {
        let open = self.open.lock();
        for (pair, room) in &*open {
            if pair.customer_id.to_string() == customer_id
                && let Some(room) = room.upgrade()
            {
                room.news.send_modify(|news| news.dismissals += 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: Pair = Pair {
        uid: 1,
        customer_id: 2,
    };

    #[test]
    fn a_room_is_there_while_somebody_is_in_it() {
        let rooms = Arc::new(Rooms::default());
        let (one, two) = (rooms.enter(PAIR), rooms.enter(PAIR));
        assert!(Arc::ptr_eq(&one.room, &two.room));
        drop(one);
        rooms.told(PAIR, 7);
        assert_eq!(two.listen().borrow().through, 7);
        drop(two);
        assert!(rooms.open.lock().is_empty());
        // Told to nobody, it is not remembered either.
        rooms.told(PAIR, 8);
        assert_eq!(rooms.enter(PAIR).listen().borrow().through, 0);
    }

    #[test]
    fn one_socket_of_a_room_moves_the_cursor() {
        let room = Arc::new(Rooms::default()).enter(PAIR);
        assert!(room.is_first_through(5) && !room.is_first_through(5));
        assert!(!room.is_first_through(4) && room.is_first_through(6));
    }

    #[test]
    fn a_dismissed_customer_is_told_in_every_room() {
        let rooms = Arc::new(Rooms::default());
        let other = Pair { uid: 9, ..PAIR };
        let stranger = Pair {
            customer_id: 3,
            ..PAIR
        };
        let members = [PAIR, other, stranger].map(|pair| rooms.enter(pair));
        rooms.dismiss("2");
        let dismissals = members.map(|member| member.listen().borrow().dismissals);
        assert_eq!(dismissals, [1, 1, 0]);
    }
}
