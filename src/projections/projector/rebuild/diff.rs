//! The new tables against the live ones, row by row.
//!
//! Both stand at one position in one snapshot; a snapshot lasts a second or two, so that it holds nobody up, and the next one
//! goes on behind the last key.

use std::fmt::Write;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use sqlx::{Connection, Executor, PgConnection, Row};

use super::RebuildError;
use super::shadow::{Rebuild, tables};

/// Rows of one statement.
const CHUNK: i64 = 5_000;
/// How long a snapshot is used.
const SNAPSHOT: Duration = Duration::from_secs(2);
/// Differing rows told of each table; the others are counted.
const TOLD: usize = 20;

/// A value that differs.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Difference {
    /// `<projection>.<table>`.
    pub table: String,
    /// The row's key.
    pub key: Value,
    /// Which column; `*` when the row is on one side only.
    pub column: String,
    /// What the live tables have; null when they have no such row.
    pub live: Value,
    /// What the new ones have; null when they have no such row.
    pub rebuilt: Value,
}

/// What a comparison came to.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Compared {
    /// The position both stood at when the last snapshot was taken.
    pub position: i64,
    /// Rows of the live tables that were looked at.
    pub rows: i64,
    /// Rows that differ.
    pub differing: usize,
    /// The differences of the first of them, table by table.
    pub differences: Vec<Difference>,
}

/// One table, and how far it was compared.
struct Table {
    projection: &'static str,
    name: String,
    live: String,
    new: String,
    /// Key columns and their types; none of a table with a few rows only.
    key: Vec<(String, String)>,
    /// The last key that was compared, as texts.
    low: Option<Vec<String>>,
    done: bool,
    told: usize,
}

impl Rebuild {
    /// Compares the new tables with the live ones. `progress` hears how many rows were compared.
    ///
    /// # Errors
    /// [`RebuildError`].
    pub async fn diff(&mut self, mut progress: impl FnMut(i64)) -> Result<Compared, RebuildError> {
        let mut reader = self.database.connect("rebuild diff", &[]).await?;
        let mut all = Vec::new();
        for track in &self.tracks {
            let (live, new) = (
                track.projection.schema(),
                self.slot.schema(track.projection),
            );
            for name in tables(&mut reader, &live).await? {
                all.push(Table {
                    projection: track.projection.name(),
                    key: key(&mut reader, &live, &name).await?,
                    live: format!("{live}.{name}"),
                    new: format!("{new}.{name}"),
                    name,
                    low: None,
                    done: false,
                    told: 0,
                });
            }
        }
        let mut compared = Compared::default();
        while all.iter().any(|table| !table.done) {
            self.align().await?;
            compared.position = self.position();
            // The snapshot is taken by the first statement, while both stand still.
            let snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT count(*) FROM pg_namespace WHERE nspname = ''";
            let taken = reader.execute(snapshot).await;
            self.owner.execute("ROLLBACK").await?;
            taken?;
            let until = Instant::now() + SNAPSHOT;
            for table in all.iter_mut().filter(|table| !table.done) {
                while !table.done && Instant::now() < until {
                    if table.key.is_empty() {
                        keyless(&mut reader, table, &mut compared).await?;
                    } else {
                        chunk(&mut reader, table, &mut compared).await?;
                    }
                    progress(compared.rows);
                }
            }
            reader.execute("COMMIT").await?;
        }
        let _ = reader.close().await;
        Ok(compared)
    }
}

/// The primary key's columns with their types, in its order.
async fn key(
    db: &mut PgConnection,
    schema: &str,
    table: &str,
) -> Result<Vec<(String, String)>, RebuildError> {
    // Not a checked macro: the catalogue's types are not ours.
    let rows = sqlx::query(
        "SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type
         FROM pg_index i
         CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k(attnum, n)
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
         WHERE i.indisprimary AND i.indrelid = format('%I.%I', $1::text, $2::text)::regclass
         ORDER BY k.n",
    )
    .bind(schema)
    .bind(table)
    .fetch_all(db)
    .await?;
    let columns: Vec<_> = (rows.iter())
        .map(|row| Ok((row.try_get("name")?, row.try_get("type")?)))
        .collect::<sqlx::Result<_>>()?;
    Ok(columns)
}

impl Table {
    fn columns(&self) -> String {
        let names: Vec<&str> = self.key.iter().map(|(name, _)| name.as_str()).collect();
        names.join(", ")
    }

    /// `(a, b) > ($1::text::bigint, $2::text::text)`, from the parameter of this number on.
    fn beside(&self, sign: &str, first: usize) -> String {
        let mut bounds = String::new();
        for (n, (_, of)) in self.key.iter().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            // Writing to a text does not fail.
            let _ = write!(bounds, "{comma}${}::text::{of}", first + n);
        }
        format!("ROW({}) {sign} ROW({bounds})", self.columns())
    }
}

/// Compares the next rows of a table. Its statements are put together at run time, because tables and keys are whatever
/// projections there are; the names come from the catalogue.
async fn chunk(
    db: &mut PgConnection,
    table: &mut Table,
    compared: &mut Compared,
) -> Result<(), RebuildError> {
    let columns = table.columns();
    let width = table.key.len();
    let low = table.low.clone().unwrap_or_default();
    let above = match &table.low {
        Some(_) => table.beside(">", 1),
        None => "true".to_owned(),
    };
    let texts: Vec<String> = (table.key.iter())
        .map(|(name, _)| format!("{name}::text"))
        .collect();
    let high = format!(
        "SELECT ARRAY[{}] AS key FROM {} WHERE {above} ORDER BY {columns} OFFSET {} LIMIT 1",
        texts.join(", "),
        table.live,
        CHUNK - 1
    );
    let mut query = sqlx::query_scalar::<_, Vec<String>>(&high).persistent(false);
    for bound in &low {
        query = query.bind(bound);
    }
    let high = query.fetch_optional(&mut *db).await?;
    let first = if table.low.is_some() { width + 1 } else { 1 };
    let below = match &high {
        Some(_) => table.beside("<=", first),
        None => "true".to_owned(),
    };
    let side = |of: &str| format!("(SELECT t AS whole, t.* FROM {of} t WHERE {above} AND {below})");
    let sql = format!(
        "SELECT to_jsonb(l.whole) AS live, to_jsonb(s.whole) AS rebuilt
         FROM {} l
         FULL JOIN {} s USING ({columns})
         WHERE l.whole IS DISTINCT FROM s.whole",
        side(&table.live),
        side(&table.new),
    );
    let count = format!(
        "SELECT count(*) FROM {} WHERE {above} AND {below}",
        table.live
    );
    let bounds: Vec<&String> = low.iter().chain(high.iter().flatten()).collect();
    let mut counting = sqlx::query_scalar::<_, i64>(&count).persistent(false);
    let mut query = sqlx::query(&sql).persistent(false);
    for bound in bounds {
        counting = counting.bind(bound);
        query = query.bind(bound);
    }
    compared.rows += counting.fetch_one(&mut *db).await?;
    for row in query.fetch_all(db).await? {
        let (live, rebuilt): (Option<Value>, Option<Value>) =
            (row.try_get("live")?, row.try_get("rebuilt")?);
        compared.differing += 1;
        if table.told < TOLD {
            table.told += 1;
            tell(table, live, rebuilt, &mut compared.differences);
        }
    }
    match high {
        Some(high) => table.low = Some(high),
        None => table.done = true,
    }
    Ok(())
}

/// Compares a table without a key as a whole: rows that have no equal on the other side.
async fn keyless(
    db: &mut PgConnection,
    table: &mut Table,
    compared: &mut Compared,
) -> Result<(), RebuildError> {
    let only = |here: &str, there: &str| {
        format!("SELECT to_jsonb(t) FROM {here} t EXCEPT ALL SELECT to_jsonb(t) FROM {there} t")
    };
    let count = format!("SELECT count(*) FROM {}", table.live);
    compared.rows += sqlx::query_scalar::<_, i64>(&count)
        .fetch_one(&mut *db)
        .await?;
    let sql = only(&table.live, &table.new);
    let live: Vec<Value> = sqlx::query_scalar(&sql).fetch_all(&mut *db).await?;
    let sql = only(&table.new, &table.live);
    let rebuilt: Vec<Value> = sqlx::query_scalar(&sql).fetch_all(&mut *db).await?;
    compared.differing += live.len().max(rebuilt.len());
    let (mut live, mut rebuilt) = (live.into_iter(), rebuilt.into_iter());
    for _ in 0..TOLD {
        let (one, other) = (live.next(), rebuilt.next());
        if one.is_none() && other.is_none() {
            break;
        }
        tell(table, one, other, &mut compared.differences);
    }
    table.done = true;
    Ok(())
}

fn tell(table: &Table, live: Option<Value>, rebuilt: Option<Value>, into: &mut Vec<Difference>) {
    let one = live.as_ref().or(rebuilt.as_ref());
    let key: Map<String, Value> = (table.key.iter())
        .map(|(name, _)| {
            (
                name.clone(),
                one.map_or(Value::Null, |row| row[name].clone()),
            )
        })
        .collect();
    let mut differ = |column: &str, live: Value, rebuilt: Value| {
        into.push(Difference {
            table: format!("{}.{}", table.projection, table.name),
            key: Value::Object(key.clone()),
            column: column.to_owned(),
            live,
            rebuilt,
        });
    };
    match (live, rebuilt) {
        (Some(Value::Object(live)), Some(Value::Object(rebuilt))) => {
            for (column, value) in &live {
                let other = rebuilt.get(column).unwrap_or(&Value::Null);
                if value != other {
                    differ(column, value.clone(), other.clone());
                }
            }
        }
        (live, rebuilt) => differ(
            "*",
            live.unwrap_or(Value::Null),
            rebuilt.unwrap_or(Value::Null),
        ),
    }
}
