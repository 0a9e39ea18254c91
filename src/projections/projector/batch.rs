//! One batch, one transaction: hold the front, fold, wait until what was folded is on the disk, move the front, commit.
//!
//! In as few round trips as can be: the statements of the folds, and one that moves the front, announces, commits and holds the
//! front for the batch after it. Where checkpoints are written, those are moved first, which locks them.

use std::collections::{BTreeMap, HashSet};
use std::fmt::{Display, Write};
use std::time::Duration;

use futures::{TryStreamExt, pin_mut};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor, PgConnection, Row};
use tokio::time::{Instant, timeout_at};
use tracing::error;
use uuid::Uuid;

use super::super::{FoldError, Handling, Projection};
use super::{CHANNEL, Slot, poison};
use crate::events::{Fact, Unread};
use crate::ledger::{DecodeError, Durable, FeedError, Ledger, Place, Recorded, StreamId, Told};
use crate::postgres::PLANNING_ONCE;

/// What became of the events of one type: handled, ignored, parked.
pub(super) type Counts = BTreeMap<String, [i64; 3]>;

/// An event of a batch, read if it can be.
enum Item {
    Fact(Box<Fact>),
    Malformed(Box<Unread>),
}

impl Item {
    fn place(&self) -> &Place {
        match self {
            Self::Fact(fact) => &fact.place,
            Self::Malformed(unread) => &unread.place,
        }
    }
}

/// How long, in bytes, what a front says of its projections may become before they write it into their own rows.
const LONG: usize = 2_000;

/// How long a batch waits for an append on its way to the disk. Meanwhile it holds what it has written, which others may want to
/// write; what got there later is in the log.
const PATIENCE: Duration = Duration::from_millis(500);

/// Events that follow each other.
#[derive(Default)]
pub(super) struct Batch {
    items: Vec<Item>,
    /// Where among them those of each aggregate are: most projections feed on few.
    of: BTreeMap<String, Vec<usize>>,
    /// What has to be on the disk before anybody is shown the batch.
    underway: Vec<Durable>,
}

impl Batch {
    /// Reads events, up to the first that this build does not know, of which it tells.
    pub fn read(events: Vec<Recorded>) -> (Self, Option<String>) {
        let mut batch = Self::default();
        let unknown = events.into_iter().find_map(|event| batch.take(event).err());
        (batch, unknown)
    }

    /// [`read`](Self::read), of so many events that the log holds after a position.
    ///
    /// # Errors
    /// [`FeedError`].
    pub async fn after(
        ledger: &Ledger,
        position: i64,
        limit: i64,
    ) -> Result<(Self, Option<String>), FeedError> {
        let events = ledger.tell(position, limit);
        pin_mut!(events);
        let mut batch = Self::default();
        while let Some(told) = events.try_next().await? {
            if let Err(unknown) = batch.take(told) {
                return Ok((batch, Some(unknown)));
            }
        }
        Ok((batch, None))
    }

    /// Reads one more.
    ///
    /// # Errors
    /// A sentence about an event that this build does not know.
    fn take(&mut self, told: impl Into<Told>) -> Result<(), String> {
        match Fact::of(told) {
            Ok(fact) => self.push(Item::Fact(Box::new(fact))),
            Err(unread) if matches!(unread.error, DecodeError::Unknown { .. }) => {
                return Err(format!("event {}: {unread}", unread.place.position));
            }
            Err(unread) => self.push(Item::Malformed(unread)),
        }
        Ok(())
    }

    fn push(&mut self, item: Item) {
        let aggregate = item.place().stream.aggregate.as_ref();
        let at = self.items.len();
        match self.of.get_mut(aggregate) {
            Some(places) => places.push(at),
            None => {
                self.of.insert(aggregate.to_owned(), vec![at]);
            }
        }
        self.items.push(item);
    }

    /// Some of it is on its way to the disk.
    pub fn underway(mut self, underway: Vec<Durable>) -> Self {
        self.underway = underway;
        self
    }

    /// Waits until all of it is on the disk.
    async fn durable(&self) -> Result<(), BatchError> {
        let until = Instant::now() + PATIENCE;
        for append in &self.underway {
            if !matches!(timeout_at(until, append.wait()).await, Ok(true)) {
                return Err(BatchError::Undone);
            }
        }
        Ok(())
    }

    /// How many events.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Where the first and the last event stand.
    pub fn ends(&self) -> Option<(&Place, &Place)> {
        Some((self.items.first()?.place(), self.items.last()?.place()))
    }

    /// The events of some aggregates, in order.
    fn of(&self, aggregates: &[&str]) -> impl Iterator<Item = &Item> {
        let of = aggregates.iter().filter_map(|name| self.of.get(*name));
        let mut places: Vec<usize> = of.flatten().copied().collect();
        places.sort_unstable();
        places.into_iter().map(|at| &self.items[at])
    }
}

/// A projection on its way, as the leader knows it.
pub(super) struct Track {
    pub projection: &'static dyn Projection,
    /// Which of its sets of tables.
    pub slot: Slot,
    pub fence: i64,
    pub position: i64,
    /// What its own row says: where it stood when that was written last, if it travels with a front.
    pub stored: i64,
    /// Does it travel with the front of this leadership?
    pub joined: bool,
    pub revision: i64,
    pub counts: Counts,
    /// What of `counts` the front says and its own row does not.
    pub ahead: Counts,
    /// Streams whose events are set aside.
    pub parked: HashSet<StreamId>,
    /// Events of the batch at hand that were found to fail, with their errors.
    pub poison: BTreeMap<i64, String>,
}

/// Where the projections stand that a leadership moves together: one row for all of them.
pub(super) struct Front {
    id: Uuid,
    /// Where it stands; `None` until the first batch has made it.
    position: Option<i64>,
    /// The next batch's transaction is open and holds it: nobody else takes hold of a checkpoint that names it.
    held: bool,
}

impl Front {
    /// One that nobody has joined.
    pub fn new() -> Self {
        Self {
            id: Uuid::new_v4(),
            position: None,
            held: false,
        }
    }

    /// Does the open transaction hold it?
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Lets go of it: the next batch does not come at once, or is not one for all.
    ///
    /// # Errors
    /// When the database says no.
    pub async fn rest(&mut self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if std::mem::take(&mut self.held) {
            connection.execute("COMMIT").await?;
        }
        Ok(())
    }
}

/// What becomes of a batch beside the tables.
pub(super) struct Course<'a> {
    /// There is nobody to tell.
    pub alone: bool,
    /// Of those that stand foremost; the others go their own way.
    pub front: Option<&'a mut Front>,
}

impl Course<'_> {
    /// Into tables that do not serve.
    pub const OFF: Self = Self {
        alone: true,
        front: None,
    };
}

/// Why a batch did not go through. Nothing of it is in the tables.
#[derive(Debug, thiserror::Error)]
pub(super) enum BatchError {
    /// A projection could not fold it.
    #[error("{}: {error}", .projection)]
    Fold {
        projection: &'static str,
        error: FoldError,
    },
    /// Somebody else moves the projection now.
    #[error("the lease of {0} went to another node")]
    Fenced(&'static str),
    /// The tables do not stand where they stood: begin again from where they are.
    #[error(
        "{projection} was moved or replayed meanwhile: it stood at {expected} and stands at {found}"
    )]
    Moved {
        projection: &'static str,
        expected: i64,
        found: i64,
    },
    /// Somebody took hold of the checkpoint of a projection that this batch does not concern: begin again.
    #[error("the front of the projections was closed meanwhile")]
    Closed,
    /// It is not known of all its events that they are on the disk: begin again.
    #[error("an append on its way to the disk has not got there")]
    Undone,
    /// Positions are missing.
    #[error("a batch does not follow: {found} comes after {after}")]
    Hole { after: i64, found: i64 },
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What a batch is for one projection.
#[derive(Default)]
struct Share<'a> {
    handled: Vec<&'a Fact>,
    parked: Vec<(&'a Place, Option<String>)>,
    newly_parked: HashSet<StreamId>,
    /// By aggregate and event type.
    counts: BTreeMap<(&'a str, &'a str), [i64; 3]>,
}

impl Share<'_> {
    /// Its counts as rows keep them.
    fn counted(&self) -> impl Iterator<Item = (String, [i64; 3])> {
        (self.counts.iter())
            .map(|((aggregate, event), counted)| (format!("{aggregate}/{event}"), *counted))
    }
}

impl Track {
    /// How rows about it name it.
    pub fn key(&self) -> (String, i32) {
        self.slot.key(self.projection)
    }

    fn share<'a>(&self, batch: &'a Batch) -> Share<'a> {
        let mut share = Share::default();
        for item in batch.of(self.projection.feeds_on()) {
            let place = item.place();
            let stream = &place.stream;
            let aside = self.parked.contains(stream) || share.newly_parked.contains(stream);
            let (error, handling) = match item {
                _ if aside => (None, None),
                Item::Malformed(unread) => (Some(unread.to_string()), None),
                Item::Fact(fact) => match self.poison.get(&place.position) {
                    Some(error) => (Some(error.clone()), None),
                    None => (None, Some((fact, self.projection.handles(&fact.event)))),
                },
            };
            let counted = match handling {
                Some((fact, Handling::Handled)) => {
                    share.handled.push(fact);
                    0
                }
                Some((_, Handling::Ignored)) => 1,
                None => {
                    if !aside {
                        share.newly_parked.insert(stream.clone());
                    }
                    share.parked.push((place, error));
                    2
                }
            };
            let kind = (stream.aggregate.as_ref(), place.event_type.as_str());
            share.counts.entry(kind).or_default()[counted] += 1;
        }
        share
    }

    /// Does a batch of which this is its share write to its row, whatever the front could say?
    fn writes(&self, share: &Share<'_>) -> bool {
        !self.joined || !share.parked.is_empty()
    }

    /// The handled events of a batch, as the projection is given them.
    pub fn handled<'a>(&self, batch: &'a Batch) -> Vec<&'a Fact> {
        self.share(batch).handled
    }
}

/// How connections that fold are set, besides [`PLANNING_ONCE`]: folds find rows by key, too. Rows and checkpoint are lost or kept
/// together, so commits need not wait for the disk.
const FOLDING: [(&str, &str); 2] = [("synchronous_commit", "off"), ("enable_memoize", "off")];

/// A connection to fold on.
pub(super) async fn connect(options: PgConnectOptions) -> sqlx::Result<PgConnection> {
    let options = options.options(PLANNING_ONCE).options(FOLDING);
    let mut connection = options.connect().await?;
    connection.execute(PREPARE).await?;
    Ok(connection)
}

/// [`apply`], with the streams of events that a projection cannot fold set aside.
///
/// # Errors
/// Those that are no event's fault; nothing of the batch is then in the tables.
pub(super) async fn carry(
    connection: &mut PgConnection,
    tracks: &mut [&mut Track],
    batch: &Batch,
    mut course: Course<'_>,
) -> Result<(), BatchError> {
    loop {
        match apply(connection, tracks, batch, &mut course).await {
            Ok(()) => return Ok(()),
            Err(error) => {
                blame(connection, tracks, batch, error).await?;
                if let Some(front) = &mut course.front {
                    front.held = false;
                }
            }
        }
    }
}

/// Finds the event to blame for a failed batch, if it is an event's fault; else the error stands.
async fn blame(
    connection: &mut PgConnection,
    tracks: &mut [&mut Track],
    batch: &Batch,
    error: BatchError,
) -> Result<(), BatchError> {
    let name = match &error {
        BatchError::Fold { projection, error } if error.is_data() => *projection,
        _ => return Err(error),
    };
    connection.execute("ROLLBACK").await?;
    let Some(track) = (tracks.iter_mut()).find(|track| track.projection.name() == name) else {
        return Err(error);
    };
    let Some((position, reason)) = poison::search(connection, track, batch).await? else {
        return Err(error);
    };
    error!(
        event.position = position,
        projection = name,
        "{name} cannot take event {position} and parks its stream: {reason}"
    );
    track.poison.insert(position, reason);
    Ok(())
}

/// Folds a batch into the tables of these projections, all of which stand right before it. Whole or not at all; the
/// caller drops the connection, or rolls back, after an error.
pub(super) async fn apply(
    connection: &mut PgConnection,
    tracks: &mut [&mut Track],
    batch: &Batch,
    course: &mut Course<'_>,
) -> Result<(), BatchError> {
    let Some(last) = batch.ends().map(|(_, last)| last.position) else {
        return Ok(());
    };
    check_order(tracks, batch)?;
    let shares: Vec<Share<'_>> = tracks.iter().map(|track| track.share(batch)).collect();
    let written = Written::of(tracks, &shares);
    let front = course.front.as_deref_mut();
    begin_batch(connection, (tracks, &shares), &written, front, last).await?;
    for (track, share) in tracks.iter().zip(&shares) {
        if !share.handled.is_empty() {
            let folded = track.projection.apply(&share.handled, connection).await;
            folded.map_err(|error| BatchError::Fold {
                projection: track.projection.name(),
                error,
            })?;
        }
        if !share.parked.is_empty() {
            park(connection, track, &share.parked).await?;
        }
    }
    // Before this nobody is told of it, and no other session sees it.
    batch.durable().await?;
    let news = news(tracks, &shares, (last, course.alone));
    let front = course.front.as_deref_mut();
    finish(connection, &news, &written, front, last).await?;
    let joins = course.front.is_some();
    let kept = written.rows.into_iter().zip(written.ahead);
    for ((track, share), (row, ahead)) in tracks.iter_mut().zip(shares).zip(kept) {
        track.position = last;
        if row {
            track.stored = last;
            track.joined = joins;
        }
        track.ahead = ahead;
        add(&mut track.counts, share.counted());
        track.poison.clear();
        if !share.newly_parked.is_empty() {
            track.revision += 1;
            track.parked.extend(share.newly_parked);
        }
    }
    Ok(())
}

/// Where a batch writes down what became of its events.
struct Written {
    /// By projection: in its own row?
    rows: Vec<bool>,
    /// By projection: what the front says after it.
    ahead: Vec<Counts>,
    /// All of that, as the front has it.
    told: String,
}

impl Written {
    fn of(tracks: &[&mut Track], shares: &[Share<'_>]) -> Self {
        let mut rows = Vec::with_capacity(tracks.len());
        let mut ahead = Vec::with_capacity(tracks.len());
        let mut told = serde_json::Map::new();
        for (track, share) in tracks.iter().zip(shares) {
            let row = track.writes(share);
            let mut counts = Counts::new();
            if !row {
                counts.clone_from(&track.ahead);
                add(&mut counts, share.counted());
            }
            if !counts.is_empty() {
                told.insert(track.key().0, serde_json::json!(counts));
            }
            rows.push(row);
            ahead.push(counts);
        }
        let mut told = serde_json::Value::from(told).to_string();
        if told.len() > LONG {
            "{}".clone_into(&mut told);
            for (row, ahead) in rows.iter_mut().zip(&mut ahead) {
                *row |= !ahead.is_empty();
                ahead.clear();
            }
        }
        Self { rows, ahead, told }
    }
}

/// Counts more.
pub(super) fn add(counts: &mut Counts, more: impl IntoIterator<Item = (String, [i64; 3])>) {
    for (event, added) in more {
        let entry = counts.entry(event).or_default();
        for (sum, added) in entry.iter_mut().zip(added) {
            *sum += added;
        }
    }
}

fn check_order(tracks: &[&mut Track], batch: &Batch) -> Result<(), BatchError> {
    let mut after = tracks.first().map_or(0, |track| track.position);
    for item in &batch.items {
        let found = item.place().position;
        if found != after + 1 {
            return Err(BatchError::Hole { after, found });
        }
        after = found;
    }
    Ok(())
}

/// Prepares what every batch begins with: planned once, and sent together with BEGIN. Prepared by hand because checked macros
/// are one statement, and one round trip, each. The checkpoints are looked up one by one, in the order given, in which
/// everybody locks them, and from the newest: planned while the table is fresh, a plainer statement would walk the index
/// through all that vacuum has not taken away yet (the `+ 0` keeps it from that).
const PREPARE: &str = "
    PREPARE shiji_lock (text[], integer[]) AS
        SELECT k.projection, c.position, c.fence, c.revision
        FROM (SELECT unnest($1) AS projection, unnest($2) AS version) k
        CROSS JOIN LATERAL (
            SELECT c.position, c.fence, c.revision
            FROM projection_checkpoints c
            WHERE c.projection = k.projection AND c.version = k.version
            ORDER BY c.position DESC
            LIMIT 1
            FOR UPDATE
        ) c;
    PREPARE shiji_move (text[], integer[], bigint[], bigint[], bigint[], boolean[], bigint, uuid, jsonb) AS
        UPDATE projection_checkpoints c
        SET position = $7,
            front = $8,
            revision = c.revision + n.revised::integer,
            counts = coalesce($9 -> n.projection, c.counts)
        FROM (SELECT unnest($1) AS projection, unnest($2) AS version, unnest($3) AS position, unnest($4) AS fence,
                     unnest($5) AS revision, unnest($6) AS revised) n
        CROSS JOIN LATERAL (
            SELECT f.ctid
            FROM projection_checkpoints f
            WHERE f.projection = n.projection AND f.version = n.version
            ORDER BY f.position DESC
            LIMIT 1
        ) f
        WHERE c.ctid = f.ctid AND c.position + 0 = n.position AND c.fence = n.fence AND c.revision = n.revision;
    PREPARE shiji_make (uuid, bigint) AS
        INSERT INTO projection_fronts (front, position) VALUES ($1, $2);
    PREPARE shiji_hold (uuid, bigint) AS
        SELECT FROM projection_fronts WHERE front = $1 AND position = $2 AND NOT closed FOR NO KEY UPDATE;
    PREPARE shiji_advance (uuid, bigint, bigint, jsonb) AS
        UPDATE projection_fronts SET position = $3, counts = $4 WHERE front = $1 AND position = $2 AND NOT closed";

/// Opens the transaction unless that is done, so that nobody else moves these projections until it ends. Checkpoints that are
/// written are moved here, before their front: those who take hold of one lock them in this order. Rows that somebody else
/// has locked are waited for and then looked at again, and only later statements see what was committed during the wait; whoever
/// was fenced off, or stands elsewhere than the tables, moves nothing and hears why.
async fn begin_batch(
    connection: &mut PgConnection,
    (tracks, shares): (&[&mut Track], &[Share<'_>]),
    written: &Written,
    front: Option<&mut Front>,
    last: i64,
) -> Result<(), BatchError> {
    let legs: Vec<(&Track, &Share<'_>)> = (tracks.iter().zip(shares).zip(&written.rows))
        .filter(|(_, row)| **row)
        .map(|((track, share), _)| (&**track, share))
        .collect();
    let held = front.as_ref().is_some_and(|front| front.held);
    if held && legs.is_empty() {
        return Ok(());
    }
    let mut sql = if held { "COMMIT;BEGIN;" } else { "BEGIN;" }.to_owned();
    let mut rows = legs.len();
    if !legs.is_empty() {
        let named = front.as_ref().map(|front| front.id);
        sql.push_str(&move_rows(&legs, named, last));
    }
    if let Some(front) = front {
        front.held = false;
        rows += 1;
        let id = front.id;
        let _ = match front.position {
            Some(position) => write!(sql, "EXECUTE shiji_hold ('{id}', {position})"),
            None => write!(sql, "EXECUTE shiji_make ('{id}', {last})"),
        };
    }
    let moved = connection.execute(sql.as_str()).await?;
    if usize::try_from(moved.rows_affected()) == Ok(rows) {
        return Ok(());
    }
    connection.execute("ROLLBACK").await?;
    let all: Vec<&Track> = tracks.iter().map(|track| &**track).collect();
    begin(connection, &all).await?;
    connection.execute("ROLLBACK").await?;
    Err(BatchError::Closed)
}

/// The statement that moves the checkpoints of these projections.
fn move_rows(legs: &[(&Track, &Share<'_>)], front: Option<Uuid>, last: i64) -> String {
    let tracks = || legs.iter().map(|(track, _)| *track);
    let (names, versions) = keys(tracks());
    let positions = array(tracks().map(|track| track.stored));
    let fences = array(tracks().map(|track| track.fence));
    let revisions = array(tracks().map(|track| track.revision));
    let revised = array(legs.iter().map(|(_, share)| !share.newly_parked.is_empty()));
    let front = front.map_or("NULL".to_owned(), |front| format!("'{front}'"));
    let counts: serde_json::Map<_, _> = (legs.iter())
        .map(|(track, share)| {
            let mut counts = track.counts.clone();
            add(&mut counts, share.counted());
            (track.key().0, serde_json::json!(counts))
        })
        .collect();
    let counts = quoted(&serde_json::Value::from(counts).to_string());
    format!(
        "EXECUTE shiji_move ({names}, {versions}, {positions}, {fences}, {revisions}, {revised}, {last}, {front}, {counts});"
    )
}

/// A text as the server reads it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Opens the transaction and locks the checkpoints, in one round trip.
pub(super) async fn begin(
    connection: &mut PgConnection,
    tracks: &[&Track],
) -> Result<(), BatchError> {
    let (names, versions) = keys(tracks.iter().copied());
    let sql = format!("BEGIN; EXECUTE shiji_lock ({names}, {versions})");
    let rows = connection.fetch_all(sql.as_str()).await?;
    for track in tracks {
        let projection = track.projection.name();
        let row = (rows.iter())
            .find(|row| {
                row.try_get::<&str, _>("projection")
                    .is_ok_and(|name| name == track.key().0)
            })
            .ok_or(sqlx::Error::RowNotFound)?;
        let (position, fence): (i64, i64) = (row.try_get("position")?, row.try_get("fence")?);
        if fence != track.fence {
            return Err(BatchError::Fenced(projection));
        }
        // The revision moves when parked streams were replayed meanwhile.
        if position != track.stored || row.try_get::<i64, _>("revision")? != track.revision {
            return Err(BatchError::Moved {
                projection,
                expected: track.stored,
                found: position,
            });
        }
    }
    Ok(())
}

async fn park(
    connection: &mut PgConnection,
    track: &Track,
    parked: &[(&Place, Option<String>)],
) -> sqlx::Result<()> {
    let (name, version) = track.key();
    let positions: Vec<i64> = parked.iter().map(|(event, _)| event.position).collect();
    let text = |of: fn(&Place) -> String| parked.iter().map(|(e, _)| of(e)).collect::<Vec<_>>();
    let aggregates = text(|event| event.stream.aggregate.to_string());
    let streams = text(|event| event.stream.id.clone());
    let types = text(|event| event.event_type.clone());
    let errors: Vec<Option<String>> = parked.iter().map(|(_, error)| error.clone()).collect();
    sqlx::query!(
        "INSERT INTO projection_parked (projection, version, position, aggregate, stream_id, event_type, error)
         SELECT $1, $2, n.*
         FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[]) AS n",
        name,
        version,
        &positions,
        &aggregates,
        &streams,
        &types,
        &errors as &[Option<String>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The projections and their versions, as arrays.
fn keys<'a>(tracks: impl Iterator<Item = &'a Track>) -> (String, String) {
    let (names, versions): (Vec<String>, Vec<i32>) = tracks.map(Track::key).unzip();
    (array(names), array(versions))
}

/// An array of numbers, truths or plain words as the server reads it: a single constant, which costs it less than a
/// constructor with one for each.
fn array(items: impl IntoIterator<Item = impl Display>) -> String {
    let mut text = "'{".to_owned();
    for (place, item) in items.into_iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let _ = write!(text, "{comma}{item}");
    }
    text.push_str("}'");
    text
}

/// Moves the front, tells the other nodes, commits, and holds the front for the batch after this, in one round trip.
async fn finish(
    connection: &mut PgConnection,
    news: &str,
    written: &Written,
    front: Option<&mut Front>,
    last: i64,
) -> sqlx::Result<()> {
    let Some(front) = front else {
        connection.execute(format!("{news}COMMIT").as_str()).await?;
        return Ok(());
    };
    let mut sql = String::new();
    let mut rows = u64::from(!news.is_empty()) + 1;
    if let Some(position) = front.position {
        let (id, told) = (front.id, quoted(&written.told));
        let _ = write!(
            sql,
            "EXECUTE shiji_advance ('{id}', {position}, {last}, {told});"
        );
        rows += 1;
    }
    let _ = write!(
        sql,
        "{news}COMMIT;BEGIN;EXECUTE shiji_hold ('{}', {last})",
        front.id
    );
    let moved = connection.execute(sql.as_str()).await?;
    front.position = Some(last);
    front.held = true;
    if moved.rows_affected() != rows {
        // Somebody has closed it since. The next batch hears who.
        front.rest(connection).await?;
    }
    Ok(())
}

/// The statement that tells the other nodes, if there are any.
fn news(tracks: &[&mut Track], shares: &[Share<'_>], (last, alone): (i64, bool)) -> String {
    if shares.iter().any(|share| !share.newly_parked.is_empty()) {
        // Who is told has to look.
        format!("SELECT pg_notify('{CHANNEL}', 'parked');")
    } else if alone {
        String::new()
    } else {
        let news = positions(last, tracks.iter().map(|track| track.projection));
        format!("SELECT pg_notify('{CHANNEL}', '{news}');")
    }
}

/// What other nodes hear: the position, and the schemas that stand there.
fn positions(position: i64, projections: impl Iterator<Item = &'static dyn Projection>) -> String {
    let mut news = position.to_string();
    for projection in projections {
        let _ = write!(news, " {}", projection.schema());
    }
    news
}
