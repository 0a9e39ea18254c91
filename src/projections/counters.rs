//! Every counter of every projection and what it counts (contract README 3.2), so that an audit can count again.
//!
//! Folds keep counters by adding; here they are compared with rows that other folds, or the same one, keep one by one. Only
//! what nothing keeps rows of is counted in the log itself.

use sqlx::{Connection, PgConnection};

use super::projector::key;
use super::{Projection, find};

/// Differences that are named, of each counter.
const NAMED: i64 = 20;

/// A column that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    /// The projection that keeps it.
    pub projection: &'static str,
    /// Its table.
    pub table: &'static str,
    /// Its column.
    pub column: &'static str,
    /// What names a row of the table, as SQL.
    pub key: &'static str,
    /// The projection whose rows are counted; `None`: events of the log.
    pub counts: Option<&'static str>,
    /// What is counted: `key` and `n`, as SQL. `{position}` stands for the checkpoint.
    pub rows: &'static str,
}

/// A row whose counter is not what it counts.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Miscount {
    /// The row.
    pub key: String,
    /// What the counter says.
    pub counter: i64,
    /// How many rows there are.
    pub counted: i64,
}

/// How a counter stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counted {
    /// Compared, at this position.
    Compared {
        /// Rows that were compared.
        rows: i64,
        /// How many differ.
        differing: i64,
        /// The first of them.
        first: Vec<Miscount>,
    },
    /// The two sides do not show the same events, so they prove nothing; why.
    Apart(String),
}

/// Rows under something that was reacted to.
macro_rules! reactions {
    ($kind:literal, $target:literal) => {
        concat!(
            "SELECT target_id AS key, count(*) AS n FROM reactions WHERE kind = '",
            $kind,
            "' AND target_kind = '",
            $target,
            "' GROUP BY 1"
        )
    };
    ($kind:literal, $target:literal, $value:literal) => {
        concat!(
            "SELECT target_id AS key, count(*) AS n FROM reactions WHERE kind = '",
            $kind,
            "' AND target_kind = '",
            $target,
            "' AND value = '",
            $value,
            "' GROUP BY 1"
        )
    };
}

/// Rows under something that was commented on.
macro_rules! comments {
    ($target:literal) => {
        concat!(
            "SELECT target_id AS key, count(*) AS n FROM comments WHERE target_kind = '",
            $target,
            "' GROUP BY 1"
        )
    };
}

/// Rows of whom is followed.
macro_rules! followers {
    ($kind:literal) => {
        concat!(
            "SELECT target AS key, count(*) AS n FROM follows WHERE kind = '",
            $kind,
            "' GROUP BY 1"
        )
    };
}

/// Rows of what was done with something.
macro_rules! visits {
    ($action:literal) => {
        concat!(
            "SELECT target_id::text AS key, count(*) AS n FROM visits WHERE action = '",
            $action,
            "' GROUP BY 1"
        )
    };
}

macro_rules! counters {
    ($($projection:literal . $table:literal [$key:literal] {
        $($column:literal: $counts:expr, $rows:expr;)+
    })+) => {
        /// All of them.
        pub const ALL: &[Counter] = &[$($(Counter {
            projection: $projection,
            table: $table,
            column: $column,
            key: $key,
            counts: $counts,
            rows: $rows,
        },)+)+];
    };
}

counters! {
    "articles"."article_counts"["article_id::text"] {
        "like_count": Some("reactions"), reactions!("like", "article");
        "collect_count": Some("reactions"), reactions!("collect", "article");
        "comment_count": Some("comments"), comments!("article");
    }
    "cards"."card_counts"["uid::text"] {
        "popularity_num": Some("visits"), visits!("CardViewed");
        "praise_num": Some("reactions"), reactions!("praise", "card");
        "forward_num": Some("visits"), visits!("CardForwarded");
        "sign_num": Some("reactions"), reactions!("sign", "card");
    }
    "catalogue"."cloths"["id::text"] {
        "collect_count": Some("reactions"), reactions!("collect", "cloth");
    }
    "catalogue"."games"["id::text"] {
        "like_count": Some("reactions"), reactions!("like", "game");
        "collect_count": Some("reactions"), reactions!("collect", "game");
        "comment_count": Some("comments"), comments!("game");
    }
    "catalogue"."masters"["id"] {
        "follower_count": Some("follows"), followers!("master");
    }
    "catalogue"."merchants"["id"] {
        "follow_count": Some("follows"), followers!("merchant");
    }
    "comments"."comment_votes"["comment_id::text"] {
        "up_count": Some("reactions"), reactions!("vote", "comment", "up");
        "down_count": Some("reactions"), reactions!("vote", "comment", "down");
    }
    "diaries"."diary_counts"["diary_id::text"] {
        "read_count": Some("visits"), visits!("DiaryRead");
        "comment_count": Some("comments"), comments!("diary");
        "up_count": Some("reactions"), reactions!("praise", "diary");
    }
    "diaries"."diary_totals"["concat_ws(' ', company_id, case_id)"] {
        "total": Some("diaries"),
            "SELECT concat_ws(' ', company_id, case_id) AS key, count(*) AS n FROM diaries WHERE status = 1 GROUP BY 1";
    }
    "members"."member_counts"["uid"] {
        "follow_count": Some("follows"), "SELECT follower AS key, count(*) AS n FROM follows WHERE kind = 'user' GROUP BY 1";
        "follower_count": Some("follows"), followers!("user");
        "article_count": Some("articles"), "SELECT author AS key, count(*) AS n FROM articles GROUP BY 1";
    }
    "messages"."conversation_cursors"["concat_ws(' ', owner_kind, owner_id, peer_kind, peer_id)"] {
        "unread_count": Some("messages"),
            "SELECT concat_ws(' ', r.owner_kind, r.owner_id, r.peer_kind, r.peer_id) AS key, count(*) AS n
             FROM conversation_cursors r
             JOIN message_copies m ON m.owner_id = r.owner_id AND m.owner_kind = r.owner_kind AND m.peer_id = r.peer_id
                  AND m.peer_kind = r.peer_kind AND m.incoming AND m.position > r.read_through
             GROUP BY 1";
    }
    "products"."product_counts"["product_id::text"] {
        "forward_count": Some("visits"), visits!("ProductForwarded");
        "consult_count": Some("visits"), visits!("ProductConsulted");
    }
    "showcases"."showcases"["id"] {
        "view_cnt": None,
            "SELECT payload #>> '{ShowcaseViewed,task_id}' AS key, count(*) AS n FROM events
             WHERE aggregate_type = 'Visit' AND event_type = 'ShowcaseViewed' AND position <= {position} GROUP BY 1";
        "like_cnt": Some("reactions"), reactions!("like", "showcase");
        "comment_cnt": Some("comments"), comments!("showcase");
    }
    "showcases"."showcase_totals"["industry_type::text"] {
        "total": Some("showcases"),
            "SELECT industry_type::text AS key, count(*) AS n FROM showcases WHERE shown GROUP BY 1";
    }
    "tags"."tag_counts"["tag_id::text"] {
        "search_count": Some("visits"), visits!("TagSearched");
    }
    "tasks"."tasks_total"["''"] {
        "total": Some("tasks"), "SELECT '' AS key, count(*) AS n FROM tasks";
    }
    "teams"."teams"["id"] {
        "rolec": Some("teams"), "SELECT team_id AS key, count(*) AS n FROM team_roles GROUP BY 1";
        "usroc": Some("teams"), "SELECT team_id AS key, count(*) AS n FROM team_members GROUP BY 1";
    }
    "tickets"."projects"["id::text"] {
        "ticket_count": Some("tickets"), "SELECT project_id::text AS key, count(*) AS n FROM tickets WHERE state = 0 GROUP BY 1";
    }
}

/// Counts again what a counter counts and compares, in one snapshot. The connection looks for tables where this build has
/// them.
///
/// # Errors
/// When the database says no.
pub async fn count_again(db: &mut PgConnection, counter: &Counter) -> sqlx::Result<Counted> {
    let mut tx = db
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?;
    let mut sides = vec![counter.projection];
    sides.extend(counter.counts.filter(|other| *other != counter.projection));
    let mut positions = Vec::new();
    for side in sides {
        let Some(projection) = find(side) else {
            return Ok(Counted::Apart(format!("there is no projection {side}")));
        };
        let (position, parked) = stand(&mut tx, projection).await?;
        let Some(position) = position else {
            return Ok(Counted::Apart(format!("{side} was never started here")));
        };
        if parked > 0 {
            return Ok(Counted::Apart(format!("{side} has {parked} events parked")));
        }
        positions.push((side, position));
    }
    let at = positions[0].1;
    if let Some((side, other)) = positions.iter().find(|(_, position)| *position != at) {
        return Ok(Counted::Apart(format!(
            "{} stands at {at}, {side} at {other}",
            counter.projection
        )));
    }
    let sql = sql(counter, at);
    // Not a checked macro: tables and columns come from the list above.
    let rows: Vec<(String, i64, i64, i64, i64)> = sqlx::query_as(&sql)
        .persistent(false)
        .fetch_all(&mut *tx)
        .await?;
    tx.rollback().await?;
    let (rows_compared, differing) = rows.first().map_or((0, 0), |row| (row.3, row.4));
    let first = rows.into_iter().filter(|row| row.1 != row.2);
    Ok(Counted::Compared {
        rows: rows_compared,
        differing,
        first: first
            .map(|(key, counter, counted, ..)| Miscount {
                key,
                counter,
                counted,
            })
            .collect(),
    })
}

/// The differences first, then one row at least if there is any: each with how many were compared and how many differ.
fn sql(counter: &Counter, position: i64) -> String {
    let Counter {
        table, column, key, ..
    } = counter;
    let rows = counter.rows.replace("{position}", &position.to_string());
    format!(
        "WITH compared AS (
             SELECT coalesce(c.key, r.key) AS key, coalesce(c.n, 0)::bigint AS counter, coalesce(r.n, 0)::bigint AS counted
             FROM (SELECT ({key}) COLLATE \"C\" AS key, {column} AS n FROM {table}) c
             FULL JOIN (SELECT key COLLATE \"C\" AS key, n FROM ({rows}) s) r ON r.key = c.key
         ), sums AS (
             SELECT count(*) AS compared, count(*) FILTER (WHERE counter <> counted) AS differing FROM compared
         ), wrong AS (
             SELECT key, counter, counted FROM compared WHERE counter <> counted ORDER BY key LIMIT {NAMED}
         )
         SELECT coalesce(w.key, ''), coalesce(w.counter, 0), coalesce(w.counted, 0), s.compared, s.differing
         FROM sums s LEFT JOIN wrong w ON true
         ORDER BY w.key"
    )
}

/// How far a projection is, and how much of it is set aside.
async fn stand(
    db: &mut PgConnection,
    projection: &'static dyn Projection,
) -> sqlx::Result<(Option<i64>, i64)> {
    let (name, version) = key(projection);
    let row = sqlx::query!(
        r#"SELECT (SELECT p.position FROM projection_positions p
                   WHERE p.projection = $1 AND p.version = $2) AS position,
                  (SELECT count(*) FROM projection_parked p
                   WHERE p.projection = $1 AND p.version = $2) AS "parked!""#,
        name,
        version,
    )
    .fetch_one(db)
    .await?;
    Ok((row.position, row.parked))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::projections::all;

    /// Is a column of this name and type one that counts?
    fn counts(name: &str, kind: &str) -> bool {
        let named = ["_count", "_cnt", "_num"]
            .iter()
            .any(|end| name.ends_with(end));
        kind.starts_with("bigint") && (named || ["rolec", "usroc", "total"].contains(&name))
    }

    #[test]
    fn every_column_that_counts_is_on_the_list() {
        let mut found = BTreeSet::new();
        for projection in all() {
            let mut table = "";
            for line in projection.ddl().lines() {
                if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
                    table = rest.split([' ', '(']).next().unwrap_or_default();
                }
                let mut words = line.trim().splitn(2, ' ');
                let name = words.next().unwrap_or_default();
                if line.starts_with(' ') && counts(name, words.next().unwrap_or_default().trim()) {
                    found.insert((projection.name(), table, name));
                }
            }
        }
        let listed: BTreeSet<_> = (ALL.iter())
            .map(|c| (c.projection, c.table, c.column))
            .collect();
        assert_eq!(found, listed);
        assert_eq!(listed.len(), ALL.len(), "a counter stands there twice");
    }
}
