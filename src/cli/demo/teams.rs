//! The work teams of the data set: those of the document's own example, field by field, and some more of other people.
//!
//! They are the same whatever the seed. A team is a list of commands, one event each, and a command is sent only to a team
//! that stands exactly before it: a second run sends what is missing, and nothing to a team that somebody changed.

use anyhow::{Context, anyhow};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::Serialize;
use tokio::time::Instant;
use uuid::Uuid;

use super::fill::{PATIENCE, SURFACE};
use crate::commands::team::{
    AddRole, AssignMember, CreateTeam, OpenTeamUser, TeamError, user_account,
};
use crate::commands::{Desk, DeskError, Done, Refusal, Request};
use crate::events::team::TeamProfile;
use crate::events::{Account, Team};
use crate::ledger::{Freshness, Metadata};

/// Hours between wall time in the document and UTC.
const WALL: TimeDelta = TimeDelta::hours(8);

/// Whoever the document's example belongs to.
pub const CREATOR: (&str, &str) = ("Dt5mvrtU", "dua:辣椒帅");

/// Other people: id and name.
const OTHERS: [(&str, &str); 3] = [
    ("Xm3kq9Lp", "dua:小满"),
    ("Rb7wTz2c", "dua:老周"),
    ("Hn5dYv8s", "dua:阿宁"),
];

const DEFAULT_AVATAR: &str = "http://xdua-files.oss-cn-qingdao.aliyuncs.com/Image/default.png";

/// Teams of one of the others, so that there is more than one page.
const WORKSHOPS: [&str; 6] = ["木工", "电工", "油漆", "搬运", "保洁", "园艺"];
const CITIES: [(&str, &str); 4] = [
    ("qingdao", "青岛"),
    ("jinan", "济南"),
    ("yantai", "烟台"),
    ("weifang", "潍坊"),
];

/// One team and what becomes of it.
struct Told {
    id: String,
    creator_id: &'static str,
    profile: TeamProfile,
    enabled: bool,
    since: DateTime<Utc>,
    roles: Vec<&'static str>,
    /// Role by its place, and who holds it.
    members: Vec<(u32, &'static str)>,
}

/// What a run has sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Teams created now.
    pub teams: u64,
    /// Commands accepted now, creations and accounts among them.
    pub commands: u64,
}

/// Sends what is missing.
///
/// # Errors
/// When something breaks; what was sent stays.
pub async fn fill(desk: &Desk) -> anyhow::Result<Sent> {
    let mut sent = Sent::default();
    for (id, name) in [CREATOR].into_iter().chain(OTHERS) {
        let account = user_account(id);
        let found = desk
            .ledger()
            .load::<Account>(&account, Freshness::Reread)
            .await?;
        if found.version == 0 {
            let open = OpenTeamUser {
                ids: vec![id.to_owned()],
                name: name.to_owned(),
            };
            let done = desk.run(&request(desk, id), &open).await;
            sent.count(done).with_context(|| format!("account {id}"))?;
        }
    }
    let mut teams = samples()?;
    teams.extend(workshops()?);
    for team in teams {
        sent.tell(desk, &team)
            .await
            .with_context(|| format!("team {}", team.id))?;
    }
    Ok(sent)
}

impl Sent {
    async fn tell(&mut self, desk: &Desk, team: &Told) -> anyhow::Result<()> {
        let request = request(desk, &team.id);
        let mut before = 0;
        if stands(desk, team, before).await? {
            let create = CreateTeam {
                ids: vec![team.id.clone()],
                keys: desk.ledger().keys().clone(),
                creator_id: team.creator_id.to_owned(),
                profile: team.profile.clone(),
                enabled: team.enabled,
                since: Some(team.since),
            };
            let done = desk.run(&request, &create).await;
            // Somebody has another team of that code: then this one is not told.
            if let Err(DeskError::Refused(TeamError::CodeTaken)) = done {
                return Ok(());
            }
            self.count(done)?;
            self.teams += 1;
        }
        for name in &team.roles {
            before += 1;
            if stands(desk, team, before).await? {
                let add = AddRole {
                    id: team.id.clone(),
                    name: (*name).to_owned(),
                };
                self.count(desk.run(&request, &add).await)?;
            }
        }
        for (role_id, user_id) in &team.members {
            before += 1;
            if stands(desk, team, before).await? {
                let assign = AssignMember {
                    id: team.id.clone(),
                    role_id: *role_id,
                    user_id: (*user_id).to_owned(),
                };
                self.count(desk.run(&request, &assign).await)?;
            }
        }
        Ok(())
    }

    /// A refusal means that another run was faster.
    fn count<T, E: Refusal>(&mut self, done: Result<Done<T>, DeskError<E>>) -> anyhow::Result<()> {
        match done {
            Ok(_) => self.commands += 1,
            Err(DeskError::Refused(refusal)) => tracing::debug!("Not sent: {refusal}"),
            Err(error) => return Err(anyhow!("{error}")),
        }
        Ok(())
    }
}

async fn stands(desk: &Desk, team: &Told, at: i64) -> anyhow::Result<bool> {
    let found = desk
        .ledger()
        .load::<Team>(&team.id, Freshness::Cached)
        .await?;
    Ok(found.version == at)
}

/// The document's example.
fn samples() -> anyhow::Result<Vec<Told>> {
    let sample = |id: &str, since: &str, code: &str, name: &str, brief: &str| {
        anyhow::Ok(Told {
            id: id.to_owned(),
            creator_id: CREATOR.0,
            profile: TeamProfile {
                name: name.to_owned(),
                code: code.to_owned(),
                brief: brief.to_owned(),
                avatar: DEFAULT_AVATAR.to_owned(),
                private: false,
                invite_only: false,
            },
            enabled: true,
            since: wall(since)?,
            roles: Vec::new(),
            members: Vec::new(),
        })
    };
    let mut teams = vec![
        sample(
            "b15f96dd",
            "2018-05-25 14:54:39",
            "children",
            "儿研所",
            "给儿研所项目创建的用工队",
        )?,
        sample(
            "83b1d782",
            "2018-03-25 17:42:49",
            "wikicivi",
            "无人阅读",
            "wikcivi用工队的根用户",
        )?,
        sample(
            "c0d8f537",
            "2018-03-25 17:50:05",
            "calathus",
            "水果篮",
            "faf",
        )?,
        sample("fbe261e0", "2018-05-27 10:33:51", "test", "测试", "测试")?,
    ];
    teams[0].roles = vec!["成员"];
    teams[1].roles = vec!["管理员", "成员"];
    teams[3].roles = vec!["成员"];
    teams[3].profile.avatar.clear();
    teams[3].enabled = false;
    Ok(teams)
}

/// A team for every craft in every city, with people in it.
fn workshops() -> anyhow::Result<Vec<Told>> {
    let first = wall("2019-03-01 09:00:00")?;
    let mut teams = Vec::new();
    for (city, (code, city_name)) in CITIES.iter().enumerate() {
        for (craft, craft_name) in WORKSHOPS.iter().enumerate() {
            let number = u32::try_from(city * WORKSHOPS.len() + craft)?;
            let mut told = Told {
                id: format!("{:08x}", 0x5eed_0000 + number),
                creator_id: OTHERS[0].0,
                profile: TeamProfile {
                    name: format!("{city_name}{craft_name}队"),
                    code: format!("{code}-{}", craft + 1),
                    brief: format!("{city_name}的{craft_name}活都找我们"),
                    avatar: DEFAULT_AVATAR.to_owned(),
                    private: number % 5 == 4,
                    invite_only: number % 3 == 2,
                },
                enabled: number % 7 != 6,
                since: first + TimeDelta::hours(i64::from(number) * 53),
                roles: vec!["队长", "工人"],
                members: vec![(1, OTHERS[1].0), (2, OTHERS[2].0)],
            };
            told.members.truncate(usize::try_from(number % 3)?);
            teams.push(told);
        }
    }
    Ok(teams)
}

fn wall(text: &str) -> anyhow::Result<DateTime<Utc>> {
    let there = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S")?;
    Ok((there - WALL).and_utc())
}

fn request(desk: &Desk, what: &str) -> Request {
    Request {
        metadata: Metadata {
            actor: "system:demo".to_owned(),
            surface: SURFACE.to_owned(),
            request_id: Uuid::now_v7(),
            causation: None,
            correlation: Some(format!("demo/teams/{what}")),
            at: desk.ledger().clock().now(),
        },
        receipt: None,
        if_match: None,
        deadline: Instant::now() + PATIENCE,
    }
}
