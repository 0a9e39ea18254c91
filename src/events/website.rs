//! What can have happened to a company's website (官网), and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use crate::ledger::State;
use crate::stored_events;

/// Facts about a website. Its stream is `Website:{company_id}`: a company has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WebsiteEvent {
    /// It shows these pictures from here on, and no others.
    WebsitePicturesSet {
        /// Places of those that scroll at its top, in order; at most 50.
        cover_picture: Vec<String>,
        /// Places of those below, in order; at most 50.
        content_picture: Vec<String>,
    },
}

stored_events!(WebsiteEvent {
    WebsitePicturesSet: 1,
});

/// The pictures of a website; none until they are set. Readers want `projections::websites`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Website {
    /// Places of those that scroll at its top.
    pub cover_picture: Vec<String>,
    /// Places of those below.
    pub content_picture: Vec<String>,
}

impl State for Website {
    const TYPE: &'static str = "Website";
    type Event = WebsiteEvent;

    fn apply(&mut self, event: &WebsiteEvent) {
        let WebsiteEvent::WebsitePicturesSet {
            cover_picture,
            content_picture,
        } = event;
        self.cover_picture.clone_from(cover_picture);
        self.content_picture.clone_from(content_picture);
    }
}
