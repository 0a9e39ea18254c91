//! What can be asked of the teams.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Postgres, QueryBuilder, Row};

use crate::projections::filter::{Field, Fields, Filter, Order, Page, PageRules, set_backstop};

/// The fields of a team that a caller may name (`xdua.md` 2.2), over the columns of `SOMEBODYS` under the name `m`.
pub static FIELDS: Fields = Fields {
    fields: &[
        Field::text("id", "m.id").or(&["_id"]),
        Field::text("code", "m.code").or(&["key"]),
        Field::text("name", "m.name"),
        Field::text("brief", "m.brief").or(&["breif"]),
        Field::text("avatar", "m.avatar"),
        Field::text("creator_id", "m.creator_id"),
        Field::text("creator_name", "m.creator_name"),
        Field::text("cstamp", "m.cstamp"),
        Field::integer_text("enabled", "m.enabled"),
        Field::integer_text("private", "m.private"),
        Field::integer_text("invite_only", "m.invite_only"),
        Field::integer_text("rolec", "m.rolec"),
        Field::integer_text("usroc", "m.usroc"),
        Field::integer("ct", "m.ct"),
        Field::integer("ut", "m.ut"),
    ],
    bare: "code",
    order: "cstamp:DESC",
    tie: "id",
};

/// Teams on a page.
pub const PAGE: PageRules = PageRules {
    default: 20,
    max: 100,
};

/// Somebody's teams with the name of whom they belong to.
const SOMEBODYS: &str = "SELECT t.*, coalesce(u.name, '') AS creator_name
     FROM teams t
     LEFT JOIN dua_users u ON u.id = t.creator_id
     WHERE t.creator_id = ";

/// A team as its creator sees it. Flags are 0 or 1.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `events::team`")]
pub struct TeamItem {
    pub id: String,
    pub code: String,
    pub name: String,
    pub brief: String,
    pub avatar: String,
    pub creator_id: String,
    /// `""` once erased.
    pub creator_name: String,
    /// When it came to be, `YYYY-MM-DD HH:MM:SS`, UTC+8.
    pub cstamp: String,
    pub enabled: i16,
    pub private: i16,
    pub invite_only: i16,
    /// Roles.
    pub rolec: i64,
    /// User–role assignments.
    pub usroc: i64,
}

/// A part of somebody's teams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamPage {
    /// How many match on all pages.
    pub total: i64,
    /// Those of this page.
    pub items: Vec<TeamItem>,
}

/// What of somebody's teams is asked for.
#[derive(Debug, Clone)]
pub struct TeamsWanted {
    /// The id of their creator, without the realm.
    pub creator_id: String,
    /// Which of them; `None` for all.
    pub filter: Option<Filter>,
    /// In which order.
    pub order: Order,
    /// Which part.
    pub page: Page,
}

impl TeamsWanted {
    /// Counts and reads in one statement, so that both are of one moment. It is put together at run time, because its shape
    /// is the caller's; what the caller wrote is bound.
    fn statement(&self) -> QueryBuilder<'_, Postgres> {
        let mut sql = QueryBuilder::new("WITH hit AS (SELECT m.* FROM (");
        sql.push(SOMEBODYS)
            .push_bind(&self.creator_id)
            .push(") m WHERE ");
        match &self.filter {
            Some(filter) => filter.push_where(&mut sql),
            None => {
                sql.push("true");
            }
        }
        sql.push(") SELECT c.total, m.* FROM (SELECT count(*) AS total FROM hit) c LEFT JOIN (");
        sql.push("SELECT m.* FROM hit m");
        self.order.push_order_by(&mut sql);
        self.page.push_limit(&mut sql);
        sql.push(") m ON true");
        self.order.push_order_by(&mut sql);
        sql
    }

    async fn run(&self, db: &mut PgConnection) -> sqlx::Result<TeamPage> {
        let mut sql = self.statement();
        // There are as many shapes as callers think of: none is kept prepared.
        let rows = sql.build().persistent(false).fetch_all(db).await?;
        let total = rows.first().map_or(Ok(0), |row| row.try_get("total"))?;
        let items = rows.iter().filter_map(|row| item(row).transpose());
        Ok(TeamPage {
            total,
            items: items.collect::<sqlx::Result<_>>()?,
        })
    }
}

/// `None` for the row that brings nothing but the total.
fn item(row: &PgRow) -> sqlx::Result<Option<TeamItem>> {
    let Some(id) = row.try_get("id")? else {
        return Ok(None);
    };
    Ok(Some(TeamItem {
        id,
        code: row.try_get("code")?,
        name: row.try_get("name")?,
        brief: row.try_get("brief")?,
        avatar: row.try_get("avatar")?,
        creator_id: row.try_get("creator_id")?,
        creator_name: row.try_get("creator_name")?,
        cstamp: row.try_get("cstamp")?,
        enabled: row.try_get("enabled")?,
        private: row.try_get("private")?,
        invite_only: row.try_get("invite_only")?,
        rolec: row.try_get("rolec")?,
        usroc: row.try_get("usroc")?,
    }))
}

/// A page of somebody's teams, and how many there are. A filter that takes too long is given up
/// ([`crate::projections::filter::is_too_costly`]).
///
/// # Errors
/// When the database says no.
pub async fn page(pool: &PgPool, wanted: &TeamsWanted) -> sqlx::Result<TeamPage> {
    if wanted.filter.is_none() {
        return wanted.run(&mut *pool.acquire().await?).await;
    }
    let mut bounded = pool.begin().await?;
    set_backstop(&mut bounded).await?;
    let page = wanted.run(&mut bounded).await?;
    bounded.commit().await?;
    Ok(page)
}
