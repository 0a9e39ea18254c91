//! Commands to orders (`community.md` section 5).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::{Flaws, trimmed_some};
use super::listing::Bounds;
use super::one::operate;
use super::table::{Call, Fields, StaffCommand};
use super::target::Numbered;
use crate::commands::order;
use crate::events::Order;

/// Cancel an order that waits for its payment. Its tickets are for sale again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelOrder {
    /// Why, at most 200 characters.
    reason: Option<String>,
}

impl Fields for CancelOrder {
    const NAME: &'static str = "CancelOrder";

    fn check(&self, flaws: &mut Flaws) {
        flaws.text("reason", self.reason.as_ref(), 200);
    }
}

impl StaffCommand for CancelOrder {
    type Target = Numbered<Order>;

    async fn run(self, call: Call, order: Numbered<Order>) -> Result<Success, Failure> {
        let cancel = order::CancelOrder {
            order_id: order.number,
            uid: None,
            reason: trimmed_some(self.reason.as_ref()),
        };
        operate(call, order, &cancel).await
    }
}

/// Confirm that an order was paid, for a gateway that says so later. Its tickets are sold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmPayment {
    /// What whoever took the money calls the payment, 1 to 128 characters.
    reference: Option<String>,
}

impl Fields for ConfirmPayment {
    const NAME: &'static str = "ConfirmPayment";

    fn check(&self, flaws: &mut Flaws) {
        flaws.name("reference", self.reference.as_ref(), 128);
    }
}

impl StaffCommand for ConfirmPayment {
    type Target = Numbered<Order>;

    async fn run(self, call: Call, order: Numbered<Order>) -> Result<Success, Failure> {
        let pay = order::PayOrder {
            order_id: order.number,
            uid: None,
            reference: trimmed_some(self.reference.as_ref()),
        };
        operate(call, order, &pay).await
    }
}
