//! The people of the data set, and opening their accounts.

use anyhow::anyhow;

use super::fill::{Done, Sender};
use crate::cli::bootstrap;
use crate::commands::DeskError;
use crate::commands::account::{AccountCommand, AccountError, Actor};
use crate::events::Account;

/// Permission bits (contract README, section 4).
const TASKS: u64 = 1;
const MEDIA: u64 = 2;
const STAFF: u64 = 256;

/// One of them.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// The name they are shown under.
    pub name: &'static str,
    /// 0 operator, 1 super administrator.
    pub role: u32,
    /// Permission bits.
    pub perm: u64,
    /// No longer with the house: opened, then disabled.
    pub left: bool,
}

const fn operator(name: &'static str, perm: u64) -> Member {
    Member {
        name,
        role: 0,
        perm,
        left: false,
    }
}

/// Everybody. Only ever extended at the end: who did what follows from the order.
pub const EVERYBODY: [Member; 12] = [
    Member {
        name: "王芳",
        role: 1,
        perm: 0,
        left: false,
    },
    operator("李伟", TASKS | MEDIA | STAFF),
    operator("张敏", TASKS | MEDIA),
    operator("刘洋", TASKS | MEDIA),
    operator("陈静", TASKS),
    operator("杨磊", TASKS),
    operator("赵丽娜", TASKS),
    operator("黄志强", TASKS),
    operator("周晓燕", MEDIA),
    operator("吴桐", 0),
    operator("徐若曦", 0),
    Member {
        left: true,
        ..operator("孙浩然", TASKS)
    },
];

/// Who may take tasks up, as places in [`EVERYBODY`].
pub const WORKERS: [usize; 7] = [1, 2, 3, 4, 5, 6, 7];

/// Opens the accounts that are missing, and learns everybody's uid.
pub async fn enter(sender: &mut Sender, done: &Done) -> anyhow::Result<u64> {
    // Nobody knows this password: who wants to log in as one of them has it set by an administrator.
    let mut hash = None;
    let mut opened = 0;
    for (place, member) in EVERYBODY.iter().enumerate() {
        let correlation = format!("demo/{}/staff/{place}", sender.seed);
        let known = done
            .get(&correlation)
            .and_then(|(id, _)| id.strip_prefix("backend:")?.parse().ok());
        let uid = if let Some(uid) = known {
            uid
        } else {
            let hash = match &hash {
                Some(hash) => hash,
                None => hash.insert(bootstrap::hash(bootstrap::make_password()).await?),
            };
            opened += 1;
            open(sender, member, correlation.clone(), hash).await?
        };
        if member.left {
            let disable = AccountCommand::Disable {
                by: Actor::Another,
                reason: None,
            };
            let request = sender.request("system:demo", correlation, None);
            let id = format!("backend:{uid}");
            sender
                .desk
                .execute::<Account>(&request, &id, disable)
                .await
                .map_err(|error| {
                    anyhow!("the account of {} cannot be disabled: {error}", member.name)
                })?;
        }
        sender.uids.push(uid);
    }
    Ok(opened)
}

/// Opens one account. Names of another data set's staff, or of real people, are told apart by a number.
async fn open(
    sender: &Sender,
    member: &Member,
    correlation: String,
    hash: &str,
) -> anyhow::Result<i64> {
    let request = sender.request("system:demo", correlation, None);
    for attempt in 1..=99 {
        let name = match attempt {
            1 => member.name.to_owned(),
            more => format!("{}{more}", member.name),
        };
        let mut uid = sender.desk.ledger().next_id("staff").await?;
        if uid == bootstrap::FIRST {
            // Kept for the first administrator.
            uid = sender.desk.ledger().next_id("staff").await?;
        }
        let account = bootstrap::account(&sender.desk, uid, &name, hash, member.role, member.perm);
        match sender.desk.run(&request, &account).await {
            Ok(done) => return Ok(done.outcome),
            Err(DeskError::Refused(AccountError::NameTaken)) => {}
            Err(error) => {
                return Err(anyhow!("the account of {name} cannot be opened: {error}"));
            }
        }
    }
    Err(anyhow!("99 accounts are called {} already", member.name))
}
