//! Commands to a master that look at other streams, too: the member it is linked to, and the claim on that member.

use super::listed::{ListedCommand, ListedError};
use super::name_claim::{NameClaimCommand, NameClaimError};
use super::{Book, Operation, Stop};
use crate::events::master::{MasterDetails, MasterEdit};
use crate::events::{Account, Master, NameClaim};
use crate::ledger::{Keys, State, StreamId};

/// The scope of claims on members: a member is at most one master.
const SCOPE: &str = "master-member";

/// The id of the claim on a member.
fn claim_id(keys: &Keys, uid: &str) -> String {
    format!("{SCOPE}:{}", keys.name(SCOPE, uid))
}

/// Links a member to a master: the member must be there, and no other master. Whether it is enabled does not matter.
async fn link(
    book: &mut Book,
    keys: &Keys,
    master_id: &str,
    uid: &str,
) -> Result<(), Stop<ListedError>> {
    let account = book.state::<Account>(&format!("community:{uid}")).await?;
    if account.open().is_none() {
        return Err(Stop::Refused(ListedError::NoOwner {
            field: "uid".to_owned(),
        }));
    }
    let holder = holder(master_id);
    claim(book, keys, uid, NameClaimCommand::Claim { holder }).await
}

async fn claim(
    book: &mut Book,
    keys: &Keys,
    uid: &str,
    command: NameClaimCommand,
) -> Result<(), Stop<ListedError>> {
    book.decide::<NameClaim>(&claim_id(keys, uid), &command)
        .await
        .map_err(|stop| stop.map(|NameClaimError::Taken| ListedError::MemberTaken))
}

fn holder(master_id: &str) -> String {
    StreamId::new(Master::TYPE, master_id).to_string()
}

/// Makes a master, linked to a member or not.
#[derive(Debug, Clone)]
pub struct CreateMaster {
    /// Its new id.
    pub id: String,
    /// The keys claims are named under.
    pub keys: Keys,
    /// How it is described.
    pub details: MasterDetails,
}

impl Operation for CreateMaster {
    type Outcome = String;
    type Refusal = ListedError;

    async fn attempt(&self, book: &mut Book) -> Result<String, Stop<ListedError>> {
        book.create::<Master>(&self.id);
        let create = ListedCommand::Create(self.details.clone());
        book.decide::<Master>(&self.id, &create).await?;
        if let Some(uid) = &self.details.uid {
            link(book, &self.keys, &self.id, uid).await?;
        }
        Ok(self.id.clone())
    }
}

/// Describes a master otherwise; another member is claimed and the old one let go.
#[derive(Debug, Clone)]
pub struct EditMaster {
    /// The master.
    pub id: String,
    /// The keys claims are named under.
    pub keys: Keys,
    /// What changes.
    pub edit: MasterEdit,
}

impl Operation for EditMaster {
    type Outcome = ();
    type Refusal = ListedError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<ListedError>> {
        let before = book.state::<Master>(&self.id).await?;
        let edit = ListedCommand::Edit(self.edit.clone());
        book.decide::<Master>(&self.id, &edit).await?;
        let old = before.details().and_then(|master| master.uid.as_deref());
        let Some(new) = self.edit.uid.as_ref().map(Option::as_deref) else {
            return Ok(());
        };
        if new == old {
            return Ok(());
        }
        if let Some(uid) = new {
            link(book, &self.keys, &self.id, uid).await?;
        }
        if let Some(uid) = old {
            let holder = holder(&self.id);
            claim(book, &self.keys, uid, NameClaimCommand::Release { holder }).await?;
        }
        Ok(())
    }
}
