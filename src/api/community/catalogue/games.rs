//! Games: reading them, liking and collecting them (`contract/community.md` 3.22 … 3.32). What is said about them is another
//! folder's.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{PAGE, PageParams, millis, react};
use crate::api::App;
use crate::api::community::call::MemberCall;
use crate::api::community::envelope::{self, Answer, Nothing};
use crate::api::community::{Problem, SURFACE};
use crate::commands::reaction::Wish;
use crate::events::party::{Target, TargetKind};
use crate::events::reaction::ReactionKind;
use crate::projections::catalogue::{self, Game};

/// A game as the caller sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::Game)]
pub struct GameView {
    game_id: i64,
    #[schema(example = "游戏名称0")]
    name: String,
    /// The name of a picture.
    image: String,
    intro: String,
    /// Milliseconds since the epoch.
    created_at: i64,
    /// The caller collected it.
    is_collect: bool,
    /// The caller likes it.
    is_like: bool,
    like_count: i64,
}

impl From<Game> for GameView {
    fn from(game: Game) -> Self {
        Self {
            game_id: game.id,
            name: game.name,
            image: game.image,
            intro: game.intro,
            created_at: millis(game.created_at),
            is_collect: game.is_collect,
            is_like: game.is_like,
            like_count: game.like_count,
        }
    }
}

/// Which game.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[schema(as = community::GameId)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "it documents parameters, which are read leniently"
)]
pub struct GameId {
    /// Game id.
    #[schema(minimum = 1, example = 1)]
    #[param(minimum = 1, example = 1)]
    game_id: i64,
}

/// A game.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::GameDetail)]
pub struct GameDetail {
    game_detail: GameView,
}

/// Game detail (游戏详情)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/game_detail", tag = SURFACE, operation_id = "community_game_detail",
    request_body = GameId, params(GameId),
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 423", body = Answer<GameDetail>)),
)]
pub async fn detail(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let id = call.fields.id("game_id")?.required()?;
    let game = catalogue::game(app.reads(), &call.member.uid, id).await;
    let game = game.map_err(|error| Problem::query(&app, error))?;
    let game_detail = game.ok_or_else(Problem::not_found)?.into();
    Ok(envelope::found(stamp, GameDetail { game_detail }))
}

/// Recommended games.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::GameRecommendList)]
pub struct GameRecommendList {
    game_recommend_list: Vec<GameView>,
}

/// Recommended games (系统推荐游戏列表（分页）)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/game_recommend_list", tag = SURFACE, operation_id = "community_game_recommend_list",
    request_body = PageParams, params(PageParams),
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<GameRecommendList>)),
)]
pub async fn recommend_list(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let page = call.fields.page(PAGE)?;
    let uid = &call.member.uid;
    let games = catalogue::recommended_games(app.reads(), uid, page.offset, page.limit).await;
    let games = games.map_err(|error| Problem::query(&app, error))?;
    let game_recommend_list = games.into_iter().map(GameView::from).collect();
    Ok(envelope::found(
        stamp,
        GameRecommendList {
            game_recommend_list,
        },
    ))
}

/// Like a game (游戏点赞)
#[utoipa::path(
    post, path = "/community/api/v1/game_like", tag = SURFACE, operation_id = "community_game_like",
    request_body = GameId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn like(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let target = Target::new(TargetKind::Game, call.fields.id("game_id")?.required()?);
    react(&app, &call, ReactionKind::Like, target, Wish::Add(None)).await
}

/// Take back a game like (游戏取消点赞)
#[utoipa::path(
    post, path = "/community/api/v1/game_unlike", tag = SURFACE, operation_id = "community_game_unlike",
    request_body = GameId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn unlike(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let target = Target::new(TargetKind::Game, call.fields.id("game_id")?.required()?);
    react(&app, &call, ReactionKind::Like, target, Wish::Remove).await
}

/// Collect a game (游戏收藏)
#[utoipa::path(
    post, path = "/community/api/v1/game_collect", tag = SURFACE, operation_id = "community_game_collect",
    request_body = GameId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn collect(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let target = Target::new(TargetKind::Game, call.fields.id("game_id")?.required()?);
    react(&app, &call, ReactionKind::Collect, target, Wish::Add(None)).await
}

/// Remove a game from the collection (游戏取消收藏)
#[utoipa::path(
    post, path = "/community/api/v1/game_uncollect", tag = SURFACE, operation_id = "community_game_uncollect",
    request_body = GameId,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 409, 423", body = Answer<Nothing>)),
)]
pub async fn uncollect(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let target = Target::new(TargetKind::Game, call.fields.id("game_id")?.required()?);
    react(&app, &call, ReactionKind::Collect, target, Wish::Remove).await
}
