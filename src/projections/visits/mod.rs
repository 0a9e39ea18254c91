//! The radar's activity log (访问日志): what customers of the mini-program looked at, forwarded, called, searched.

use async_trait::async_trait;
use sqlx::PgConnection;

use super::{FoldError, Handling, Projection};
use crate::events::party::TargetKind;
use crate::events::{Event, Fact, VisitEvent};

/// The read model `visits`.
pub struct Visits;

#[async_trait]
impl Projection for Visits {
    fn name(&self) -> &'static str {
        "visits"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Visit"]
    }

    fn handles(&self, event: &Event) -> Handling {
        match event {
            Event::Visit(event) if Seen::of(event).is_some() => Handling::Handled,
            _ => Handling::Ignored,
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let seen = batch.iter().filter_map(|fact| match &fact.event {
            Event::Visit(event) => Seen::of(event).map(|seen| (*fact, seen)),
            _ => None,
        });
        let seen: Vec<(&Fact, Seen)> = seen.collect();
        if !seen.is_empty() {
            insert(tx, seen).await?;
        }
        Ok(())
    }
}

/// Who did it, on whose pages, with what.
struct Seen {
    customer_id: i64,
    uid: Option<i64>,
    company_id: Option<i64>,
    target: (TargetKind, i64),
}

impl Seen {
    /// `None` for those of the case list, who are no customers.
    fn of(event: &VisitEvent) -> Option<Self> {
        let (customer_id, uid, company_id, target) = match *event {
            VisitEvent::CardViewed { customer_id, uid }
            | VisitEvent::CardForwarded { customer_id, uid }
            | VisitEvent::CardPhoneCalled { customer_id, uid }
            | VisitEvent::CardWechatSaved { customer_id, uid }
            | VisitEvent::CardPosterSaved { customer_id, uid } => {
                (customer_id, Some(uid), None, (TargetKind::Card, uid))
            }
            VisitEvent::ProductViewed {
                customer_id,
                uid,
                product_id,
            }
            | VisitEvent::ProductForwarded {
                customer_id,
                uid,
                product_id,
            }
            | VisitEvent::ProductConsulted {
                customer_id,
                uid,
                product_id,
                ..
            } => (
                customer_id,
                Some(uid),
                None,
                (TargetKind::Product, product_id),
            ),
            VisitEvent::WebsiteViewed {
                customer_id,
                uid,
                company_id,
            } => (
                customer_id,
                Some(uid),
                Some(company_id),
                (TargetKind::Website, company_id),
            ),
            VisitEvent::CaseBrowsed {
                customer_id,
                company_id,
                case_id,
            } => (
                customer_id,
                None,
                Some(company_id),
                (TargetKind::Case, case_id),
            ),
            VisitEvent::TagSearched {
                customer_id,
                company_id,
                tag_id,
            } => (
                customer_id,
                None,
                Some(company_id),
                (TargetKind::Tag, tag_id),
            ),
            VisitEvent::DiaryRead {
                customer_id,
                company_id,
                diary_id,
            } => (
                customer_id,
                None,
                Some(company_id),
                (TargetKind::Diary, diary_id),
            ),
            VisitEvent::ShowcaseViewed { .. } => return None,
        };
        Some(Self {
            customer_id,
            uid,
            company_id,
            target,
        })
    }
}

async fn insert(tx: &mut PgConnection, seen: Vec<(&Fact, Seen)>) -> sqlx::Result<()> {
    let mut numbers: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let mut whose: (Vec<_>, Vec<_>) = Default::default();
    let mut texts: (Vec<_>, Vec<_>) = Default::default();
    let mut at = Vec::with_capacity(seen.len());
    for (fact, seen) in seen {
        numbers.0.push(fact.place.position);
        numbers.1.push(seen.customer_id);
        numbers.2.push(seen.target.1);
        whose.0.push(seen.uid);
        whose.1.push(seen.company_id);
        texts.0.push(fact.place.event_type.clone());
        texts.1.push(seen.target.0.word().to_owned());
        at.push(fact.place.recorded_at);
    }
    sqlx::query!(
        "INSERT INTO visits (position, at, customer_id, uid, company_id, action, target_kind, target_id)
         SELECT unnest($1::bigint[]), unnest($2::timestamptz[]), unnest($3::bigint[]), unnest($4::bigint[]),
                unnest($5::bigint[]), unnest($6::text[]), unnest($7::text[]), unnest($8::bigint[])",
        &numbers.0,
        &at,
        &numbers.1,
        &whose.0 as &[Option<i64>],
        &whose.1 as &[Option<i64>],
        &texts.0,
        &texts.1,
        &numbers.2,
    )
    .execute(tx)
    .await?;
    Ok(())
}
