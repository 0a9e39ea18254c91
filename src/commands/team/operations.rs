//! Commands to a team that look at other streams, too: the claim on its code, the accounts of creator and members.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;

use super::{TeamCommand, TeamEdit, TeamError, is_user_id, user_account};
use crate::commands::name_claim::{NameClaimCommand, NameClaimError};
use crate::commands::{Book, Operation, Stop};
use crate::events::team::{LiveTeam, TeamProfile};
use crate::events::{Account, NameClaim, Team};
use crate::ledger::{Keys, State, StreamId};

/// The scope of codes. They are told apart by letter case, as the field they appear in is.
const SCOPE: &str = "team-code";

/// Ids made at once, of which the first that is free is taken.
const CANDIDATES: usize = 8;

/// Some random ids for a team.
#[must_use]
pub fn new_team_ids() -> Vec<String> {
    let one = || HEXLOWER.encode(&rand::random::<[u8; 4]>());
    (0..CANDIDATES).map(|_| one()).collect()
}

/// Is it an id that is ever given to a team?
#[must_use]
pub fn is_team_id(text: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 8 && text.bytes().all(hex)
}

/// The id of the claim on a code among a creator's teams.
fn claim_id(keys: &Keys, creator_id: &str, code: &str) -> String {
    // No id has a slash.
    let hashed = keys.name(SCOPE, &format!("{creator_id}/{code}"));
    format!("{SCOPE}:{hashed}")
}

fn holder(id: &str) -> String {
    StreamId::new(Team::TYPE, id).to_string()
}

async fn claim(book: &mut Book, claim: &str, team: &str) -> Result<(), Stop<TeamError>> {
    let holder = holder(team);
    book.decide::<NameClaim>(claim, &NameClaimCommand::Claim { holder })
        .await
        .map_err(|stop| stop.map(|NameClaimError::Taken| TeamError::CodeTaken))
}

async fn release(book: &mut Book, claim: &str, team: &str) -> Result<(), Stop<TeamError>> {
    let holder = holder(team);
    book.decide::<NameClaim>(claim, &NameClaimCommand::Release { holder })
        .await
        .map_err(|stop| stop.map(|NameClaimError::Taken| TeamError::CodeTaken))
}

/// The account must be there; whether it is enabled does not matter.
async fn known(book: &mut Book, user_id: &str) -> Result<(), Stop<TeamError>> {
    let there = is_user_id(user_id) && {
        let account = book.state::<Account>(&user_account(user_id)).await?;
        account.open().is_some()
    };
    if there {
        return Ok(());
    }
    Err(Stop::Refused(TeamError::NoAccount {
        user_id: user_id.to_owned(),
    }))
}

async fn live(book: &mut Book, id: &str) -> Result<LiveTeam, Stop<TeamError>> {
    match &*book.state::<Team>(id).await? {
        Team::Live(team) => Ok(team.clone()),
        Team::Uncreated | Team::Deleted => Err(Stop::Refused(TeamError::NotFound)),
    }
}

/// Founds a team: its code is claimed, the team created, under the first of some ids that is free.
#[derive(Debug, Clone)]
pub struct CreateTeam {
    /// Ids that may be free. One of eight hex characters may be taken, though hardly ever.
    pub ids: Vec<String>,
    /// The keys claims are named under.
    pub keys: Keys,
    /// The id of its creator, without the realm.
    pub creator_id: String,
    /// How it is described.
    pub profile: TeamProfile,
    /// In use.
    pub enabled: bool,
    /// When it came to be, where that was elsewhere and before.
    pub since: Option<DateTime<Utc>>,
}

impl Operation for CreateTeam {
    /// The team's id.
    type Outcome = String;
    type Refusal = TeamError;

    async fn attempt(&self, book: &mut Book) -> Result<String, Stop<TeamError>> {
        known(book, &self.creator_id).await?;
        let create = TeamCommand::Create {
            creator_id: self.creator_id.clone(),
            profile: self.profile.clone(),
            enabled: self.enabled,
            since: self.since,
        };
        let code = claim_id(&self.keys, &self.creator_id, &self.profile.code);
        // Looked at first, so that it is recorded first.
        book.state::<NameClaim>(&code).await?;
        for id in &self.ids {
            if *book.state::<Team>(id).await? != Team::Uncreated {
                continue;
            }
            claim(book, &code, id).await?;
            book.decide::<Team>(id, &create).await?;
            return Ok(id.clone());
        }
        Err(Stop::Refused(TeamError::Exists))
    }
}

/// Describes a team otherwise; a new code is claimed and the old one let go.
#[derive(Debug, Clone)]
pub struct EditTeam {
    /// The team.
    pub id: String,
    /// The keys claims are named under.
    pub keys: Keys,
    /// What changes.
    pub edit: TeamEdit,
}

impl Operation for EditTeam {
    type Outcome = ();
    type Refusal = TeamError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<TeamError>> {
        let team = live(book, &self.id).await?;
        let old = &team.profile.code;
        if let Some(new) = self.edit.code.as_ref().filter(|new| *new != old) {
            let id_of = |code| claim_id(&self.keys, &team.creator_id, code);
            claim(book, &id_of(new), &self.id).await?;
            release(book, &id_of(old), &self.id).await?;
        }
        let edit = TeamCommand::Edit(self.edit.clone());
        book.decide::<Team>(&self.id, &edit).await
    }
}

/// Adds a role to a team.
#[derive(Debug, Clone)]
pub struct AddRole {
    /// The team.
    pub id: String,
    /// The role's name.
    pub name: String,
}

impl Operation for AddRole {
    /// The role's id.
    type Outcome = u32;
    type Refusal = TeamError;

    async fn attempt(&self, book: &mut Book) -> Result<u32, Stop<TeamError>> {
        let name = self.name.clone();
        book.decide::<Team>(&self.id, &TeamCommand::AddRole { name })
            .await?;
        Ok(live(book, &self.id).await?.last_role_id)
    }
}

/// Gives an account a role of a team.
#[derive(Debug, Clone)]
pub struct AssignMember {
    /// The team.
    pub id: String,
    /// Which role.
    pub role_id: u32,
    /// The id of the account, without the realm.
    pub user_id: String,
}

impl Operation for AssignMember {
    type Outcome = ();
    type Refusal = TeamError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<TeamError>> {
        known(book, &self.user_id).await?;
        let assign = TeamCommand::Assign {
            role_id: self.role_id,
            user_id: self.user_id.clone(),
        };
        book.decide::<Team>(&self.id, &assign).await
    }
}

/// Removes a team; its code is free again.
#[derive(Debug, Clone)]
pub struct DeleteTeam {
    /// The team.
    pub id: String,
    /// The keys claims are named under.
    pub keys: Keys,
}

impl Operation for DeleteTeam {
    type Outcome = ();
    type Refusal = TeamError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<TeamError>> {
        let state = book.state::<Team>(&self.id).await?;
        book.decide::<Team>(&self.id, &TeamCommand::Delete).await?;
        if let Team::Live(team) = &*state {
            let code = claim_id(&self.keys, &team.creator_id, &team.profile.code);
            release(book, &code, &self.id).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_eight_lower_case_hex_characters() {
        assert!(new_team_ids().iter().all(|id| is_team_id(id)));
        assert!(is_team_id("b15f96dd"));
        for bad in ["new", "b15f96d", "B15F96DD", "b15f96dg", "b15f96dd0"] {
            assert!(!is_team_id(bad), "{bad}");
        }
    }

    #[test]
    fn a_code_is_claimed_for_its_creator_and_letter_case() {
        let keys = Keys::derive(&crate::ledger::Secret::new([7; 32]));
        let id = |creator, code| claim_id(&keys, creator, code);
        assert_eq!(id("Dt5mvrtU", "test"), id("Dt5mvrtU", "test"));
        assert_ne!(id("Dt5mvrtU", "test"), id("dt5mvrtu", "test"));
        assert_ne!(id("Dt5mvrtU", "test"), id("Dt5mvrtU", "Test"));
    }
}
