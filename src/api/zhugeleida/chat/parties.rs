//! Between whom a call of the chat is, and who makes it (`contract/zhugeleida.md` 2.5).
//!
//! The document mixes two styles. With `uid` (or `u_id`) the customer calls about an enterprise user; with `customer_id`
//! either may call about the customer, and whose token fits tells who it is.

use crate::api::App;
use crate::api::zhugeleida::Problem;
use crate::api::zhugeleida::call::Call;
use crate::api::zhugeleida::signature::{Signature, card_token, customer_token};
use crate::events::conversation::{Pair, Side};
use crate::events::{Card, Customer};

/// The two of a call, both there, neither disabled where that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parties {
    /// Between whom it is.
    pub pair: Pair,
    /// Who makes it.
    pub caller: Side,
}

/// The two as they were named, and who may have signed.
struct Named {
    pair: Pair,
    card: bool,
    customer: bool,
}

impl Named {
    fn read(call: &Call) -> Result<Self, Problem> {
        let number = |name| Ok::<_, Problem>(call.params.quoted_int(name)?.optional());
        let user_id = number("user_id")?.ok_or_else(Problem::illegal)?;
        // What stands in the body may be the enterprise user; whoever signs writes themselves into the query.
        let signer = call.incoming.query().quoted_int("user_id")?.optional();
        let signer = signer.unwrap_or(user_id);
        if let Some(uid) = number("uid")? {
            let customer_id = signer;
            return Ok(Self {
                pair: Pair { uid, customer_id },
                card: false,
                customer: true,
            });
        }
        let uid = user_id;
        let customer_id = number("customer_id")?.ok_or_else(Problem::wrong_type)?;
        Ok(Self {
            pair: Pair { uid, customer_id },
            card: signer == uid,
            customer: signer == customer_id || signer == uid,
        })
    }
}

impl Parties {
    /// Reads them from a call. With `writer` only that side may have signed.
    pub async fn of(app: &App, call: &Call, writer: Option<Side>) -> Result<Self, Problem> {
        let signature = Signature::read(&call.params)?;
        let Named {
            pair,
            card,
            customer,
        } = Named::read(call)?;
        let Pair { uid, customer_id } = pair;
        // Who calls is asked of today, whatever is shown.
        let ledger = app.ledger().present();
        let found = ledger.current::<Card>(&uid.to_string()).await?.state;
        let enterprise = found.created();
        let found = ledger.current::<Customer>(&customer_id.to_string()).await?;
        let person = found.state.registered();
        // Somebody unknown has a token, too, so that finding out takes as long.
        let version = enterprise.map_or(0, |card| card.token_version);
        let by_card = signature.holds(app, &card_token(ledger.keys(), uid, version));
        let version = person.map_or(0, |customer| customer.token_version);
        let by_customer =
            signature.holds(app, &customer_token(ledger.keys(), customer_id, version));
        let asked = |side| writer.is_none_or(|writer| writer == side);
        let caller = if by_card && card && asked(Side::Card) && enterprise.is_some() {
            Side::Card
        } else if by_customer && customer && asked(Side::Customer) && person.is_some() {
            Side::Customer
        } else {
            return Err(Problem::illegal());
        };
        let enterprise = enterprise.ok_or_else(Problem::no_such_id)?;
        let person = person.ok_or_else(Problem::no_such_id)?;
        // Somebody who is shut out may still be written to.
        if !enterprise.enabled || (caller == Side::Customer && !person.enabled) {
            return Err(Problem::disabled());
        }
        Ok(Self { pair, caller })
    }

    /// How events name the caller.
    pub fn actor(&self) -> String {
        self.pair.party(self.caller).to_string()
    }
}
