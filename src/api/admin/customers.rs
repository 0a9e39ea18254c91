//! Commands to customers of the mini-program (`zhugeleida.md` section 4).

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::Flaws;
use super::one::plain;
use super::table::{Call, Fields, StaffCommand};
use super::target::{Numbered, Target};
use crate::commands::customer::{self, Binding, CustomerCommand};
use crate::events::Customer;
use crate::events::customer::{Source, UserType};

/// Bind a customer to an enterprise user. For one enterprise user the first binding counts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BindCustomer {
    /// The enterprise user.
    uid: i64,
    /// The customer who brought them.
    pid: Option<i64>,
    /// 1 scan, 2 forward.
    #[schema(minimum = 1, maximum = 2)]
    source: i64,
    /// 1 official account, 2 mini-program.
    #[schema(minimum = 1, maximum = 2)]
    user_type: i64,
}

impl Fields for BindCustomer {
    const NAME: &'static str = "BindCustomer";

    fn check(&self, flaws: &mut Flaws) {
        if Source::from_number(self.source).is_none() {
            flaws.say("source", "must be 1 or 2");
        }
        if UserType::from_number(self.user_type).is_none() {
            flaws.say("user_type", "must be 1 or 2");
        }
    }
}

impl StaffCommand for BindCustomer {
    type Target = Numbered<Customer>;

    async fn run(self, call: Call, customer: Numbered<Customer>) -> Result<Success, Failure> {
        let bind = customer::BindCustomer {
            customer_id: customer.number,
            binding: Binding {
                uid: self.uid,
                pid: self.pid,
                source: Source::from_number(self.source).ok_or(Failure::Malformed)?,
                user_type: UserType::from_number(self.user_type).ok_or(Failure::Malformed)?,
            },
            signed: true,
        };
        let done = call.app.desk().run(&call.request, &bind).await?;
        let id = customer.id();
        Ok(Success::of::<Numbered<Customer>, _>(&call.app, &id, &done))
    }
}

plain! {
    /// Shut a customer out.
    DisableCustomer to Numbered<Customer>: Customer, CustomerCommand::Disable
}

plain! {
    /// Let a customer in again.
    EnableCustomer to Numbered<Customer>: Customer, CustomerCommand::Enable
}

plain! {
    /// Let a customer's token be void. They get another one when they log in again.
    RotateCustomerToken to Numbered<Customer>: Customer, CustomerCommand::RotateToken
}
