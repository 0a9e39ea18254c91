//! Commands to masters (`community.md` section 5).

use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Failure, Success};
use super::fields::{Flaws, trimmed, trimmed_some};
use super::listing::{Bounds, create_by, given};
use super::one::{operate, plain};
use super::table::{Call, Fields, StaffCommand, StaffCreation};
use super::target::{Hexed, Target, bit};
use crate::commands::listed::ListedCommand;
use crate::commands::master;
use crate::commands::member::{is_hex_id, new_hex_id};
use crate::events::Master;
use crate::events::master::{MasterDetails, MasterEdit};

/// Enter a master, linked to a member or not.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateMaster {
    /// 1 to 64 characters.
    name: String,
    /// The name of a picture.
    avatar: Option<String>,
    /// At most 2000 characters.
    #[serde(default)]
    intro: String,
    /// At most 200 characters.
    #[serde(default)]
    address: String,
    /// `YYYY-MM-DD`.
    birthday: Option<NaiveDate>,
    /// Among those that are recommended.
    #[serde(default)]
    recommended: bool,
    /// The member it is; a member is at most one master.
    uid: Option<String>,
}

impl Fields for CreateMaster {
    const NAME: &'static str = "CreateMaster";

    fn check(&self, flaws: &mut Flaws) {
        flaws.name("name", Some(&self.name), 64);
        flaws.image("avatar", self.avatar.as_ref());
        flaws.text("intro", Some(&self.intro), 2000);
        flaws.text("address", Some(&self.address), 200);
        uid(flaws, self.uid.as_ref());
    }
}

impl StaffCreation for CreateMaster {
    type Target = Hexed<Master>;
    const BIT: u64 = bit::CATALOGUE;

    async fn run(self, call: Call) -> Result<Success, Failure> {
        let details = MasterDetails {
            name: trimmed(&self.name),
            avatar: self.avatar,
            intro: trimmed(&self.intro),
            address: trimmed(&self.address),
            birthday: self.birthday,
            recommended: self.recommended,
            uid: self.uid,
        };
        let create = master::CreateMaster {
            id: new_hex_id(),
            keys: call.app.ledger().keys().clone(),
            details,
        };
        create_by::<Hexed<Master>, _>(call, &create).await
    }
}

/// Describe a master otherwise; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditMaster {
    /// 1 to 64 characters.
    name: Option<String>,
    /// The name of a picture. Null clears it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    avatar: Option<Option<String>>,
    /// At most 2000 characters.
    intro: Option<String>,
    /// At most 200 characters.
    address: Option<String>,
    /// `YYYY-MM-DD`. Null clears it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    birthday: Option<Option<NaiveDate>>,
    /// Among those that are recommended.
    recommended: Option<bool>,
    /// The member it is; a member is at most one master. Null clears it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    uid: Option<Option<String>>,
}

impl Fields for EditMaster {
    const NAME: &'static str = "EditMaster";

    fn check(&self, flaws: &mut Flaws) {
        flaws.name("name", self.name.as_ref(), 64);
        flaws.image("avatar", self.avatar.as_ref().and_then(Option::as_ref));
        flaws.text("intro", self.intro.as_ref(), 2000);
        flaws.text("address", self.address.as_ref(), 200);
        uid(flaws, self.uid.as_ref().and_then(Option::as_ref));
    }
}

impl StaffCommand for EditMaster {
    type Target = Hexed<Master>;

    async fn run(self, call: Call, target: Hexed<Master>) -> Result<Success, Failure> {
        let edit = MasterEdit {
            name: trimmed_some(self.name.as_ref()),
            avatar: self.avatar,
            intro: trimmed_some(self.intro.as_ref()),
            address: trimmed_some(self.address.as_ref()),
            birthday: self.birthday,
            recommended: self.recommended,
            uid: self.uid,
        };
        let edit = master::EditMaster {
            id: target.id(),
            keys: call.app.ledger().keys().clone(),
            edit,
        };
        operate(call, target, &edit).await
    }
}

plain!(
    /// Put a master and its projects out of sight.
    WithdrawMaster to Hexed<Master>: Master, ListedCommand::Withdraw
);
plain!(
    /// Show a master again.
    RestoreMaster to Hexed<Master>: Master, ListedCommand::Restore
);

fn uid(flaws: &mut Flaws, uid: Option<&String>) {
    if uid.is_some_and(|uid| !is_hex_id(uid)) {
        flaws.say("uid", "must be 32 lower-case hex characters");
    }
}
