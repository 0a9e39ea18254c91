//! Commands to websites (`zhugeleida.md` section 4).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::table::{Call, Fields, StaffCommand};
use super::target::{Target, WebsiteId};
use crate::commands::website;
use crate::events::Website;

/// Pictures of one list, at most.
const PICTURES: usize = 50;

/// Set all pictures of a company's website.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetWebsitePictures {
    /// Places of those that scroll at its top, in order; at most 50, each 1 to 512 characters.
    cover_picture: Vec<String>,
    /// Places of those below, in order; at most 50, each 1 to 512 characters.
    content_picture: Vec<String>,
}

impl Fields for SetWebsitePictures {
    const NAME: &'static str = "SetWebsitePictures";

    fn check(&self, flaws: &mut Flaws) {
        places(flaws, "cover_picture", &self.cover_picture);
        places(flaws, "content_picture", &self.content_picture);
    }
}

impl StaffCommand for SetWebsitePictures {
    type Target = WebsiteId;

    async fn run(self, call: Call, website: WebsiteId) -> Result<Success, Failure> {
        let set = website::SetWebsitePictures {
            company_id: website.0,
            pictures: Website {
                cover_picture: self.cover_picture,
                content_picture: self.content_picture,
            },
        };
        let done = call.app.desk().run(&call.request, &set).await?;
        Ok(Success::of::<WebsiteId, _>(&call.app, &website.id(), &done))
    }
}

fn places(flaws: &mut Flaws, field: &str, places: &[String]) {
    if places.len() > PICTURES {
        let given = places.len();
        flaws.say(
            field,
            format!("must be at most {PICTURES} places, not {given}"),
        );
    }
    for place in places {
        flaws.chars(field, place, 1..=512);
    }
}
