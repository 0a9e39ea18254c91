//! The first staff account: who may log in to an empty store.

use std::time::Duration;

use anyhow::{anyhow, bail};
use data_encoding::BASE32_NOPAD;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use uuid::Uuid;

use crate::api::passwords::Passwords;
use crate::commands::account::{AccountError, OpenStaffAccount};
use crate::commands::{Desk, DeskError, Request};
use crate::events::Account;
use crate::ledger::{Freshness, Metadata};
use crate::settings::Settings;

/// The uid of the first administrator.
pub const FIRST: i64 = 1;
/// Who is administrator where nobody was named.
const NAME: &str = "admin";
/// How long opening the account may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What became of the first account.
pub enum First {
    /// It was there.
    There,
    /// Nobody is named, so nobody can log in.
    Nobody,
    /// It was opened with the password of the settings.
    Opened {
        /// Its name.
        name: String,
    },
    /// It was opened with a password that stands nowhere else.
    Made {
        /// Its name.
        name: String,
        /// Shown once.
        password: SecretString,
    },
}

/// Opens the first account (uid 1, super administrator) when it is missing, with name and password of the settings;
/// with `or_make`, what they lack is made up.
///
/// # Errors
/// One sentence, when the settings name only half of it, or not a usable one.
pub async fn first(desk: &Desk, settings: &Settings, or_make: bool) -> anyhow::Result<First> {
    if exists(desk).await? {
        return Ok(First::There);
    }
    let given = settings.bootstrap_staff_name.clone();
    let (name, password, made) = match (given, settings.bootstrap_staff_password.clone()) {
        (Some(name), Some(password)) => (name, password, false),
        (name, None) if or_make => {
            let name = name.unwrap_or_else(|| NAME.to_owned());
            (name, make_password(), true)
        }
        (None, None) => return Ok(First::Nobody),
        (Some(_), None) => bail!(
            "SHIJI_BOOTSTRAP_STAFF_PASSWORD is missing: SHIJI_BOOTSTRAP_STAFF_NAME names the first account, and it needs a password"
        ),
        (None, Some(_)) => bail!(
            "SHIJI_BOOTSTRAP_STAFF_NAME is missing: SHIJI_BOOTSTRAP_STAFF_PASSWORD is given, but not for whom"
        ),
    };
    check(&name, &password)?;
    // Uid 1 is kept for this account: the sequence passes it whoever comes next.
    desk.ledger().next_id("staff").await?;
    let hash = hash(password.clone()).await?;
    let request = Request {
        metadata: Metadata {
            actor: "system:bootstrap".to_owned(),
            surface: "cli".to_owned(),
            request_id: Uuid::now_v7(),
            causation: None,
            correlation: None,
            at: desk.ledger().clock().now(),
        },
        receipt: None,
        if_match: None,
        deadline: Instant::now() + PATIENCE,
    };
    match desk
        .run(&request, &account(desk, FIRST, &name, &hash, 1, 0))
        .await
    {
        Ok(_) if made => Ok(First::Made { name, password }),
        Ok(_) => Ok(First::Opened { name }),
        // Another node was faster, and its account counts.
        Err(DeskError::Refused(_)) if exists(desk).await? => Ok(First::There),
        Err(DeskError::Refused(AccountError::NameTaken)) => {
            bail!("SHIJI_BOOTSTRAP_STAFF_NAME cannot be \"{name}\": another account has that name")
        }
        Err(error) => Err(anyhow!("the first staff account cannot be opened: {error}")),
    }
}

async fn exists(desk: &Desk) -> anyhow::Result<bool> {
    let id = format!("backend:{FIRST}");
    let account = desk
        .ledger()
        .load::<Account>(&id, Freshness::Reread)
        .await?;
    Ok(account.version > 0)
}

/// The bounds of `OpenAccount` (`backend.md` 4).
fn check(name: &str, password: &SecretString) -> anyhow::Result<()> {
    let length = name.chars().count();
    if name.trim() != name || !(1..=64).contains(&length) || name.contains('\0') {
        bail!("SHIJI_BOOTSTRAP_STAFF_NAME must have 1 to 64 characters, and no blanks at its ends");
    }
    if !(8..=128).contains(&password.expose_secret().chars().count()) {
        bail!("SHIJI_BOOTSTRAP_STAFF_PASSWORD must have 8 to 128 characters");
    }
    Ok(())
}

/// Opening a staff account.
pub fn account(
    desk: &Desk,
    uid: i64,
    name: &str,
    password_hash: &str,
    role: u32,
    perm: u64,
) -> OpenStaffAccount {
    let keyed = desk
        .ledger()
        .keys()
        .name("backend-name", &name.to_lowercase());
    OpenStaffAccount {
        uid,
        name_claim: format!("backend-name:{keyed}"),
        name: name.to_owned(),
        password_hash: password_hash.to_owned(),
        role,
        perm,
    }
}

/// A password of 130 random bits, in letters and digits that are not mistaken for each other.
pub fn make_password() -> SecretString {
    let bytes: [u8; 17] = rand::random();
    let mut text = BASE32_NOPAD.encode(&bytes).to_lowercase();
    text.truncate(26);
    SecretString::from(text)
}

/// The PHC text of a new hash.
pub async fn hash(password: SecretString) -> anyhow::Result<String> {
    Ok(Passwords::default().hash(password.expose_secret()).await?)
}
