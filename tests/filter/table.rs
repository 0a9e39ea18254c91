//! A table shaped like the work teams, with a few columns of the other kinds, and its declaration.

use serde_json::Value;
use shiji::projections::filter::{Field, Fields, Filter, Order, Page};
use sqlx::{PgPool, QueryBuilder, Row};

use crate::support::TestDatabase;

pub static FIELDS: Fields = Fields {
    fields: &[
        Field::text("id", "teams.id").or(&["_id"]),
        Field::text("code", "teams.code").or(&["key"]),
        Field::text("name", "teams.name"),
        Field::text("brief", "teams.brief").or(&["breif"]),
        Field::text("avatar", "teams.avatar"),
        Field::text("creator_id", "teams.creator_id"),
        Field::text("creator_name", "teams.creator_name"),
        Field::integer_text("enabled", "teams.enabled::int"),
        Field::integer_text("invite_only", "teams.invite_only::int"),
        Field::integer_text("private", "teams.private::int"),
        Field::integer_text("rolec", "teams.rolec"),
        Field::integer_text("usroc", "teams.usroc"),
        Field::text(
            "cstamp",
            "to_char(teams.created_at AT TIME ZONE INTERVAL '+08:00', 'YYYY-MM-DD HH24:MI:SS')",
        ),
        Field::integer("ct", "extract(epoch FROM teams.created_at)::bigint"),
        Field::integer("ut", "extract(epoch FROM teams.updated_at)::bigint"),
        // What no team has.
        Field::text("note", "teams.note").nullable(),
        Field::integer("score", "teams.score").nullable(),
        Field::boolean("open", "teams.open").nullable(),
        Field::time("seen", "teams.seen").nullable(),
        Field::text_array("tags", "teams.tags").nullable(),
    ],
    bare: "code",
    order: "cstamp:DESC",
    tie: "id",
};

const TABLE: &str = "CREATE TABLE teams (
    set_number bigint NOT NULL,
    id text NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    brief text NOT NULL,
    avatar text NOT NULL,
    creator_id text NOT NULL,
    creator_name text NOT NULL,
    enabled boolean NOT NULL,
    invite_only boolean NOT NULL,
    private boolean NOT NULL,
    rolec integer NOT NULL,
    usroc integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    note text,
    score bigint,
    open boolean,
    seen timestamptz,
    tags text[],
    PRIMARY KEY (set_number, id)
)";

/// A database with the table, empty.
pub struct Teams {
    _database: TestDatabase,
    pub pool: PgPool,
}

impl Teams {
    pub async fn create() -> Self {
        let database = TestDatabase::unmigrated().await;
        let pool = database.database().owner_pool();
        sqlx::query(TABLE).execute(&pool).await.unwrap();
        Self {
            _database: database,
            pool,
        }
    }

    /// Puts in rows as JSON, as one set among others.
    pub async fn insert(&self, set: i64, rows: &[Value]) {
        sqlx::query(
            "INSERT INTO teams
             SELECT row.*
             FROM jsonb_array_elements($1) AS item(json),
                  jsonb_populate_record(NULL::teams, item.json || jsonb_build_object('set_number', $2)) AS row",
        )
        .bind(Value::Array(rows.to_vec()))
        .bind(set)
        .execute(&self.pool)
        .await
        .unwrap();
    }

    /// The ids of a page, and how many there are in all.
    pub async fn query(
        &self,
        set: i64,
        filter: &Filter,
        order: &Order,
        page: Page,
    ) -> sqlx::Result<(Vec<String>, i64)> {
        let mut sql = QueryBuilder::new("SELECT id FROM teams WHERE set_number = ");
        sql.push_bind(set).push(" AND ");
        filter.push_where(&mut sql);
        order.push_order_by(&mut sql);
        page.push_limit(&mut sql);
        let rows = sql.build().persistent(false).fetch_all(&self.pool).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.get("id")).collect();
        let found = i64::try_from(ids.len()).unwrap();
        if 0 < found && found < page.limit {
            // The last page says how many there are.
            return Ok((ids, page.offset + found));
        }

        let mut sql = QueryBuilder::new("SELECT count(*) FROM teams WHERE set_number = ");
        sql.push_bind(set).push(" AND ");
        filter.push_where(&mut sql);
        let total = sql.build().persistent(false).fetch_one(&self.pool).await?;
        Ok((ids, total.get(0)))
    }
}
