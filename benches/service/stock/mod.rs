//! The stock service: what one writes after reading the README of `postgres-es`.
//!
//! Each aggregate in a `CqrsFramework` over `PostgresEventRepository`, with a `GenericQuery` into a view table, axum in
//! front. It speaks the same wire as ours for the requests that are measured. It is here to be compared with, so it is
//! kept honest: no detour that its libraries do not ask for, and none of our inventions either.
//!
//! Where there was a choice, the one that is faster for it was taken: task ids are padded, so that the view's own
//! primary key serves the list in order, and nothing is logged.

mod community;
mod http;
mod order;
mod reaction;
pub mod replay;
mod task;
mod view;

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use cqrs_es::persist::GenericQuery;
use cqrs_es::{Aggregate, Query, View};
use postgres_es::{PostgresCqrs, PostgresViewRepository, postgres_cqrs};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::options::StockOptions;
use crate::servers::{STAFF_NAME, STAFF_PASSWORD};
use order::{Order, OrderView, Ticket, TicketView};
use reaction::{CountByArticle, Reaction};
use task::Task;
use view::TaskView;

/// The tables: those of `postgres-es`' `db/init.sql`, and what a login needs.
const SCHEMA: &str = include_str!("schema.sql");

/// What the handlers share.
#[derive(Clone)]
struct App {
    pool: PgPool,
    tasks: Arc<PostgresCqrs<Task>>,
    reactions: Arc<PostgresCqrs<Reaction>>,
    orders: Arc<PostgresCqrs<Order>>,
    tickets: Arc<PostgresCqrs<Ticket>>,
}

/// Serves until the process is stopped.
///
/// # Errors
///
/// When the database cannot be prepared or the address is taken.
pub async fn serve(options: StockOptions) -> Result<()> {
    let pool = PgPoolOptions::new()
        .max_connections(options.pool)
        .connect(&options.database_url)
        .await?;
    prepare(&pool).await?;

    let likes = CountByArticle(query(&pool, "like_count_view"));
    let app = App {
        tasks: framework(&pool, query::<TaskView, Task>(&pool, "task_view")),
        reactions: framework(&pool, likes),
        orders: framework(&pool, query::<OrderView, Order>(&pool, "order_view")),
        tickets: framework(&pool, query::<TicketView, Ticket>(&pool, "ticket_view")),
        pool,
    };
    let listener = tokio::net::TcpListener::bind(options.listen).await?;
    axum::serve(listener, http::router(app)).await?;
    Ok(())
}

/// A view table that is kept by events.
fn query<V: View<A>, A: Aggregate>(
    pool: &PgPool,
    table: &str,
) -> GenericQuery<PostgresViewRepository<V, A>, V, A> {
    let views = Arc::new(PostgresViewRepository::new(table, pool.clone()));
    let mut query = GenericQuery::new(views);
    query.use_error_handler(Box::new(|error| {
        eprintln!("the view was not updated: {error}");
    }));
    query
}

fn framework<A: Aggregate<Services = ()>>(
    pool: &PgPool,
    query: impl Query<A> + 'static,
) -> Arc<PostgresCqrs<A>> {
    Arc::new(postgres_cqrs(pool.clone(), vec![Box::new(query)], ()))
}

async fn prepare(pool: &PgPool) -> Result<()> {
    sqlx::raw_sql(SCHEMA)
        .execute(pool)
        .await
        .context("the tables of the stock service")?;
    let hash = Argon2::default()
        .hash_password(STAFF_PASSWORD.as_bytes())
        .map_err(|error| anyhow!("{error}"))?
        .to_string();
    sqlx::query("INSERT INTO staff (name, password_hash) VALUES ($1, $2)")
        .bind(STAFF_NAME)
        .bind(hash)
        .execute(pool)
        .await?;
    Ok(())
}

/// Whether a password is the one behind a stored hash.
fn password_matches(password: &str, stored: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|stored| {
        Argon2::default()
            .verify_password(password.as_bytes(), &stored)
            .is_ok()
    })
}
