//! Banners (`contract/community.md` 3.15, 3.21, 3.34, 3.78).

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::App;
use crate::api::community::call::MemberCall;
use crate::api::community::envelope::{self, Answer};
use crate::api::community::{Problem, SURFACE};
use crate::events::banner::Placement;
use crate::projections::catalogue::{self, Banner};

/// A picture that leads somewhere.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = community::Banner)]
pub struct BannerView {
    banner_id: i64,
    /// The name of a picture.
    image: String,
    /// `""` when it leads nowhere.
    url: String,
}

impl From<Banner> for BannerView {
    fn from(banner: Banner) -> Self {
        Self {
            banner_id: banner.id,
            image: banner.image,
            url: banner.url,
        }
    }
}

async fn of(app: &App, placement: Placement) -> Result<Vec<BannerView>, Problem> {
    let banners = catalogue::banners(app.reads(), placement).await;
    let banners = banners.map_err(|error| Problem::query(app, error))?;
    Ok(banners.into_iter().map(BannerView::from).collect())
}

/// Home banners.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::HomeBanners)]
pub struct HomeBanners {
    home_banner: Vec<BannerView>,
}

/// Home banners (读首页banner)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/home_banner", tag = SURFACE, operation_id = "community_home_banner",
    responses((status = 200, description = "Codes: 0, 401, 423", body = Answer<HomeBanners>)),
)]
pub async fn home(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let home_banner = of(&app, Placement::Home).await?;
    Ok(envelope::found(stamp, HomeBanners { home_banner }))
}

/// Design circle banners.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::DesignCircleBanners)]
pub struct DesignCircleBanners {
    design_circle_banner: Vec<BannerView>,
}

/// Design circle banners (读设计圈banner)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/design_circle_banner", tag = SURFACE, operation_id = "community_design_circle_banner",
    responses((status = 200, description = "Codes: 0, 401, 423", body = Answer<DesignCircleBanners>)),
)]
pub async fn design_circle(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let design_circle_banner = of(&app, Placement::DesignCircle).await?;
    Ok(envelope::found(
        stamp,
        DesignCircleBanners {
            design_circle_banner,
        },
    ))
}

/// Ticket banners.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::TicketBanners)]
pub struct TicketBanners {
    ticket_banner: Vec<BannerView>,
}

/// Ticket banners (读票儿banner)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/ticket_banner", tag = SURFACE, operation_id = "community_ticket_banner",
    responses((status = 200, description = "Codes: 0, 401, 423", body = Answer<TicketBanners>)),
)]
pub async fn ticket(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let ticket_banner = of(&app, Placement::Ticket).await?;
    Ok(envelope::found(stamp, TicketBanners { ticket_banner }))
}

/// Game banners, under two names: the documented one belongs to another function.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::GameBanners)]
pub struct GameBanners {
    design_circle_banner: Vec<BannerView>,
    game_banner: Vec<BannerView>,
}

/// Game banners (读游戏banner)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/game_banner", tag = SURFACE, operation_id = "community_game_banner",
    responses((status = 200, description = "Codes: 0, 401, 423", body = Answer<GameBanners>)),
)]
pub async fn game(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let game_banner = of(&app, Placement::Game).await?;
    let banners = GameBanners {
        design_circle_banner: game_banner.clone(),
        game_banner,
    };
    Ok(envelope::found(stamp, banners))
}
