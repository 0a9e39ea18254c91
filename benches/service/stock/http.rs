//! The routes of the stock service that are measured, and the login they need.

use axum::Json;
use axum::Router;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde_json::json;

use super::task::{TaskCommand, User};
use super::view::TaskSummary;
use super::{App, community, password_matches};

/// All routes.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/readyz", get(|| async { "ready" }))
        .route("/backend/api/v1/login", post(login))
        .route("/backend/api/v1/task", post(create))
        .route("/backend/api/v1/tasks", get(list))
        .merge(community::router())
        .with_state(app)
}

/// Anything unexpected becomes an HTTP 500.
pub struct Fault(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        eprintln!("fault: {:#}", self.0);
        let body = json!({"code": 500, "msg": "", "error": "internal"});
        (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
    }
}

/// An answer that says no.
pub fn refusal(code: u16, error: &str) -> Response {
    Json(json!({"code": code, "msg": "", "error": error})).into_response()
}

impl FromRequestParts<App> for User {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .ok_or_else(|| refusal(401, "not_logged_in"))?;
        let found: Option<(i64, String)> = sqlx::query_as(
            "SELECT staff.uid, staff.name FROM sessions JOIN staff USING (uid)
             WHERE sessions.token = $1 AND sessions.expires_at > now()",
        )
        .bind(token)
        .fetch_optional(&app.pool)
        .await
        .map_err(|error| Fault::from(error).into_response())?;
        let (uid, name) = found.ok_or_else(|| refusal(401, "not_logged_in"))?;
        Ok(Self { uid, name })
    }
}

#[derive(Deserialize)]
struct Login {
    name: String,
    password: String,
}

async fn login(State(app): State<App>, Json(asked): Json<Login>) -> Result<Response, Fault> {
    let found: Option<(i64, String)> =
        sqlx::query_as("SELECT uid, password_hash FROM staff WHERE name = $1")
            .bind(&asked.name)
            .fetch_optional(&app.pool)
            .await?;
    let Some((uid, hash)) = found else {
        return Ok(refusal(401, "wrong_credentials"));
    };
    if !password_matches(&asked.password, &hash) {
        return Ok(refusal(401, "wrong_credentials"));
    }
    let token = HEXLOWER.encode(&rand::random::<[u8; 16]>());
    sqlx::query("INSERT INTO sessions (token, uid, expires_at) VALUES ($1, $2, now() + interval '24 hours')")
        .bind(&token)
        .bind(uid)
        .execute(&app.pool)
        .await?;
    let data = json!({"uid": uid, "name": asked.name, "role": 1, "perm": 0});
    let body = Json(json!({"code": 0, "msg": "ok", "error": "", "data": data}));
    Ok(([(HeaderName::from_static("x-session-token"), token)], body).into_response())
}

#[derive(Deserialize)]
struct NewTask {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    priority: i8,
    input: String,
    #[serde(default)]
    note: String,
}

async fn create(
    State(app): State<App>,
    user: User,
    Json(asked): Json<NewTask>,
) -> Result<Response, Fault> {
    if !matches!(asked.kind.as_str(), "image" | "video") {
        return Ok(refusal(400, "invalid_parameter: type"));
    }
    let id: i64 = sqlx::query_scalar("SELECT nextval('task_id')")
        .fetch_one(&app.pool)
        .await?;
    let command = TaskCommand::Create {
        id,
        kind: asked.kind,
        priority: asked.priority,
        input: asked.input,
        note: asked.note,
        user,
    };
    app.tasks.execute(&format!("{id:019}"), command).await?;
    Ok(Json(json!({"code": 0, "msg": "ok", "error": "", "data": {"id": id}})).into_response())
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    offset: u32,
    #[serde(default = "Page::default_limit")]
    limit: u32,
}

impl Page {
    fn default_limit() -> u32 {
        20
    }
}

async fn list(
    State(app): State<App>,
    _user: User,
    Query(page): Query<Page>,
) -> Result<Response, Fault> {
    let total: i64 = sqlx::query_scalar("SELECT count(*) FROM task_view")
        .fetch_one(&app.pool)
        .await?;
    let items: Vec<sqlx::types::Json<TaskSummary>> = sqlx::query_scalar(
        "SELECT payload FROM task_view ORDER BY view_id DESC OFFSET $1 LIMIT $2",
    )
    .bind(i64::from(page.offset))
    .bind(i64::from(page.limit.min(100)))
    .fetch_all(&app.pool)
    .await?;
    Ok(
        Json(json!({"code": 0, "msg": "", "error": "", "total": total, "items": items}))
            .into_response(),
    )
}
