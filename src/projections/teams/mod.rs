//! Work teams as their creators list them, with their roles and who holds them.

mod queries;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, FixedOffset, Utc};
use sqlx::PgConnection;

pub use queries::{FIELDS, PAGE, TeamItem, TeamPage, TeamsWanted, page};

use super::rows::Rows;
use super::{FoldError, Handling, Projection};
use crate::events::{Event, Fact, TeamEvent};

/// Wall time on the wire (contract README 2.2).
const WALL: FixedOffset = FixedOffset::east_opt(8 * 3600).expect("eight hours");

/// The read model `teams`.
pub struct Teams;

#[async_trait]
impl Projection for Teams {
    fn name(&self) -> &'static str {
        "teams"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Team"]
    }

    fn handles(&self, event: &Event) -> Handling {
        let Event::Team(event) = event else {
            return Handling::Ignored;
        };
        match event {
            TeamEvent::TeamCreated { .. }
            | TeamEvent::TeamEdited { .. }
            | TeamEvent::TeamEnabled {}
            | TeamEvent::TeamDisabled {}
            | TeamEvent::TeamRoleAdded { .. }
            | TeamEvent::TeamRoleRemoved { .. }
            | TeamEvent::TeamMemberAssigned { .. }
            | TeamEvent::TeamMemberRemoved { .. }
            | TeamEvent::TeamDeleted {} => Handling::Handled,
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut changes = Changes::default();
        for fact in batch {
            changes.fold(fact);
        }
        changes.write(tx).await?;
        Ok(())
    }
}

/// What a batch comes to.
#[derive(Default)]
struct Changes<'f> {
    made: BTreeMap<&'f str, Made<'f>>,
    changed: BTreeMap<&'f str, Changed<'f>>,
    removed: BTreeSet<&'f str>,
    roles: Rows<(&'f str, u32), Role<'f>>,
    members: Rows<(&'f str, u32, &'f str), i64>,
}

/// A team of this batch, as it stands at its end.
struct Made<'f> {
    position: i64,
    creator_id: &'f str,
    cstamp: String,
    ct: i64,
    now: Changed<'f>,
}

/// New values of what can change, and by how much the counters move.
#[derive(Default)]
struct Changed<'f> {
    /// The last change, Unix seconds.
    ut: i64,
    name: Option<&'f str>,
    code: Option<&'f str>,
    brief: Option<&'f str>,
    avatar: Option<&'f str>,
    private: Option<bool>,
    invite_only: Option<bool>,
    enabled: Option<bool>,
    rolec: i64,
    usroc: i64,
}

/// A role that was added.
struct Role<'f> {
    name: &'f str,
    position: i64,
}

impl<'f> Changes<'f> {
    fn fold(&mut self, fact: &'f Fact) {
        let Event::Team(event) = &fact.event else {
            return;
        };
        let id = fact.place.stream.id.as_str();
        let position = fact.place.position;
        match event {
            TeamEvent::TeamCreated { .. } => self.make(fact, event),
            TeamEvent::TeamDeleted {} => return self.remove(id),
            TeamEvent::TeamEdited {
                name,
                code,
                brief,
                avatar,
                private,
                invite_only,
            } => {
                let team = self.of(id);
                team.name = name.as_deref().or(team.name);
                team.code = code.as_deref().or(team.code);
                team.brief = brief.as_deref().or(team.brief);
                team.avatar = avatar.as_deref().or(team.avatar);
                team.private = private.or(team.private);
                team.invite_only = invite_only.or(team.invite_only);
            }
            TeamEvent::TeamEnabled {} => self.of(id).enabled = Some(true),
            TeamEvent::TeamDisabled {} => self.of(id).enabled = Some(false),
            TeamEvent::TeamRoleAdded { role_id, name } => {
                self.of(id).rolec += 1;
                self.roles.come((id, *role_id), Role { name, position });
            }
            TeamEvent::TeamRoleRemoved { role_id } => {
                self.of(id).rolec -= 1;
                self.roles.go((id, *role_id));
            }
            TeamEvent::TeamMemberAssigned { role_id, user_id } => {
                self.of(id).usroc += 1;
                self.members.come((id, *role_id, user_id), position);
            }
            TeamEvent::TeamMemberRemoved { role_id, user_id } => {
                self.of(id).usroc -= 1;
                self.members.go((id, *role_id, user_id));
            }
        }
        let team = self.of(id);
        if !matches!(event, TeamEvent::TeamCreated { .. }) {
            team.ut = team.ut.max(fact.place.recorded_at.timestamp());
        }
    }

    fn make(&mut self, fact: &'f Fact, event: &'f TeamEvent) {
        let TeamEvent::TeamCreated {
            creator_id,
            name,
            code,
            brief,
            avatar,
            private,
            invite_only,
            enabled,
            since,
        } = event
        else {
            return;
        };
        let born = since.unwrap_or(fact.place.recorded_at);
        let made = Made {
            position: fact.place.position,
            creator_id,
            cstamp: wall(born),
            ct: born.timestamp(),
            now: Changed {
                ut: born.timestamp(),
                name: Some(name),
                code: Some(code),
                brief: Some(brief),
                avatar: Some(avatar),
                private: Some(*private),
                invite_only: Some(*invite_only),
                enabled: Some(*enabled),
                rolec: 0,
                usroc: 0,
            },
        };
        self.made.insert(&fact.place.stream.id, made);
    }

    /// Its roles and members go with it, those of this batch included.
    fn remove(&mut self, id: &'f str) {
        self.changed.remove(id);
        self.roles.new.retain(|(team, _), _| *team != id);
        self.members.new.retain(|(team, _, _), _| *team != id);
        if self.made.remove(id).is_none() {
            self.removed.insert(id);
        }
    }

    fn of(&mut self, id: &'f str) -> &mut Changed<'f> {
        match self.made.get_mut(id) {
            Some(made) => &mut made.now,
            None => self.changed.entry(id).or_default(),
        }
    }
}

fn wall(at: DateTime<Utc>) -> String {
    at.with_timezone(&WALL)
        .format("%Y-%m-%d %H:%M:%S")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_is_eight_hours_ahead_and_cut_to_seconds() {
        let at = DateTime::from_timestamp_millis(1_527_231_279_999).unwrap();
        assert_eq!(wall(at), "2018-05-25 14:54:39");
    }
}
