//! What visitors did that is only counted and logged: views, forwards, calls, searches.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use std::collections::BTreeMap;

use chrono::serde::ts_milliseconds;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ledger::State;
use crate::stored_events;

/// Facts about one visitor and one thing. The stream is `Visit:{actor}:{target}`, as `customer:2:card:1`; all but
/// consultations are appended without a look at it.
///
/// In the mini-program `customer_id` is the visitor and `uid` the enterprise user whose pages they look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are the ids of what they name")]
pub enum VisitEvent {
    /// A business card was looked at.
    CardViewed { customer_id: i64, uid: i64 },
    /// It was forwarded.
    CardForwarded { customer_id: i64, uid: i64 },
    /// Its phone number was called.
    CardPhoneCalled { customer_id: i64, uid: i64 },
    /// Its WeChat id was saved.
    CardWechatSaved { customer_id: i64, uid: i64 },
    /// Its poster was fetched.
    CardPosterSaved { customer_id: i64, uid: i64 },
    /// A product was looked at.
    ProductViewed {
        customer_id: i64,
        uid: i64,
        product_id: i64,
    },
    /// It was forwarded.
    ProductForwarded {
        customer_id: i64,
        uid: i64,
        product_id: i64,
    },
    /// Somebody asked about it; the chat message stands in the same job.
    ProductConsulted {
        customer_id: i64,
        uid: i64,
        product_id: i64,
        /// When, milliseconds since the epoch: not again within a minute.
        #[serde(with = "ts_milliseconds")]
        at: DateTime<Utc>,
    },
    /// A company's website was looked at.
    WebsiteViewed {
        customer_id: i64,
        uid: i64,
        company_id: i64,
    },
    /// A case was opened.
    CaseBrowsed {
        customer_id: i64,
        company_id: i64,
        case_id: i64,
    },
    /// Cases were looked up by a tag.
    TagSearched {
        customer_id: i64,
        company_id: i64,
        tag_id: i64,
    },
    /// A diary was opened.
    DiaryRead {
        customer_id: i64,
        company_id: i64,
        diary_id: i64,
    },
    /// A case of the case list was looked at.
    ShowcaseViewed {
        /// An account id without its realm, or `anonymous`.
        viewer: String,
        task_id: String,
    },
}

stored_events!(VisitEvent {
    CardViewed: 1,
    CardForwarded: 1,
    CardPhoneCalled: 1,
    CardWechatSaved: 1,
    CardPosterSaved: 1,
    ProductViewed: 1,
    ProductForwarded: 1,
    ProductConsulted: 1,
    WebsiteViewed: 1,
    CaseBrowsed: 1,
    TagSearched: 1,
    DiaryRead: 1,
    ShowcaseViewed: 1,
});

/// The only thing a visit's rule needs: when this visitor last asked about this product.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// By the enterprise user who was asked.
    pub consulted_at: BTreeMap<i64, DateTime<Utc>>,
}

impl State for Visit {
    const TYPE: &'static str = "Visit";
    const SNAPSHOT_EVERY: Option<i64> = Some(500);
    type Event = VisitEvent;

    fn apply(&mut self, event: &VisitEvent) {
        match event {
            VisitEvent::ProductConsulted { uid, at, .. } => {
                self.consulted_at.insert(*uid, *at);
            }
            VisitEvent::CardViewed { .. }
            | VisitEvent::CardForwarded { .. }
            | VisitEvent::CardPhoneCalled { .. }
            | VisitEvent::CardWechatSaved { .. }
            | VisitEvent::CardPosterSaved { .. }
            | VisitEvent::ProductViewed { .. }
            | VisitEvent::ProductForwarded { .. }
            | VisitEvent::WebsiteViewed { .. }
            | VisitEvent::CaseBrowsed { .. }
            | VisitEvent::TagSearched { .. }
            | VisitEvent::DiaryRead { .. }
            | VisitEvent::ShowcaseViewed { .. } => {}
        }
    }
}
