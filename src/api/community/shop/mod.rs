//! Projects of masters, their tickets, carts and orders (`contract/community.md` 3.52 … 3.84).

mod cart;
mod orders;
mod projects;
mod tickets;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::App;

/// The functions of this folder.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(projects::detail))
        .routes(routes!(projects::list))
        .routes(routes!(projects::recommend_list))
        .routes(routes!(projects::following))
        .routes(routes!(tickets::detail))
        .routes(routes!(tickets::list))
        .routes(routes!(tickets::mine))
        .routes(routes!(tickets::following))
        .routes(routes!(cart::info))
        .routes(routes!(cart::add))
        .routes(routes!(cart::remove))
        .routes(routes!(orders::create))
        .routes(routes!(orders::create_by_shopping_cart))
        .routes(routes!(orders::pay))
        .routes(routes!(orders::cancel))
        .routes(routes!(orders::detail))
        .routes(routes!(orders::mine))
}
