//! Members as they are shown, and the functions that show and change them (`contract/community.md` 2, 3.60, 3.61 and 3.86).

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::MemberCall;
use super::envelope::{self, Answer, Nothing};
use super::fields::{Edit, is_image};
use super::{Problem, SURFACE};
use crate::api::App;
use crate::commands::account::AccountCommand;
use crate::commands::member::{Phone, member_account, member_uid};
use crate::commands::session::holder;
use crate::events::account::{OpenAccount, ProfileChange};
use crate::events::{Account, NameClaim};
use crate::ledger::{Personal, State as _, StreamId};
use crate::postgres::Limit;
use crate::projections::follows::PublicMember;
use crate::projections::members::{self, Member, SeenMember};

/// Members looked up by phone, of one caller: it tells who is registered.
const PHONE_LOOKUPS: Limit = Limit {
    hits: 60,
    window: Duration::from_secs(60 * 60),
};

/// One's own profile.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MyUserInfo)]
pub struct MyUserInfo {
    /// 32 hex characters.
    uid: String,
    /// Name.
    nickname: String,
    /// The name of an image.
    avatar: Option<String>,
    /// 0 unknown, 1 male, 2 female.
    gender: i16,
    /// Dialling code.
    #[schema(example = "86")]
    country: String,
    /// Province.
    province: Option<String>,
    /// City.
    city: Option<String>,
    /// Milliseconds since the epoch.
    birthday: Option<i64>,
    /// Digits only.
    phone: String,
    /// Email address.
    email: Option<String>,
    /// 0 ordinary.
    category: i64,
    /// 0 normal, 1 disabled.
    status: i16,
    /// Points.
    score: i64,
    /// Level.
    level: i64,
    /// Experience.
    exp: i64,
    /// By which the member invites others.
    invitation_code: Option<String>,
    /// Who invited the member.
    inviter: Option<String>,
    /// About oneself.
    intro: Option<String>,
    /// When the member signed up, milliseconds since the epoch.
    created_at: i64,
    /// Members it follows.
    follow_count: i64,
    /// Members that follow it.
    follower_count: i64,
    /// Its articles.
    article_count: i64,
}

/// Another member's profile.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::UserInfo)]
pub struct UserInfo {
    /// 32 hex characters.
    uid: String,
    /// Name.
    nickname: String,
    /// The name of an image.
    avatar: Option<String>,
    /// 0 unknown, 1 male, 2 female.
    gender: i16,
    /// Dialling code.
    #[schema(example = "86")]
    country: String,
    /// Province.
    province: Option<String>,
    /// City.
    city: Option<String>,
    /// Milliseconds since the epoch.
    birthday: Option<i64>,
    /// Points.
    score: i64,
    /// Level.
    level: i64,
    /// Experience.
    exp: i64,
    /// About the member.
    intro: Option<String>,
    /// When the member signed up, milliseconds since the epoch.
    created_at: i64,
    /// Members it follows.
    follow_count: i64,
    /// Members that follow it.
    follower_count: i64,
    /// The caller follows it.
    is_follow: bool,
    /// Its articles.
    article_count: i64,
}

/// A member as everybody sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::PublicMember)]
pub struct PublicMemberData {
    /// 32 hex characters.
    uid: String,
    /// Name.
    nickname: String,
    /// The name of an image.
    avatar: Option<String>,
    /// 0 unknown, 1 male, 2 female.
    gender: i16,
    /// Dialling code.
    #[schema(example = "86")]
    country: String,
    /// Province.
    province: Option<String>,
    /// City.
    city: Option<String>,
    /// Milliseconds since the epoch.
    birthday: Option<i64>,
    /// About the member.
    intro: Option<String>,
    /// When the member signed up, milliseconds since the epoch.
    created_at: i64,
}

impl From<Member> for MyUserInfo {
    fn from(member: Member) -> Self {
        Self {
            uid: member.uid,
            nickname: member.nickname,
            avatar: member.avatar,
            gender: member.gender,
            country: member.country,
            province: member.province,
            city: member.city,
            birthday: member.birthday_ms,
            phone: member.phone,
            email: member.email,
            category: member.category,
            status: i16::from(!member.enabled),
            score: member.score,
            level: member.level,
            exp: member.exp,
            invitation_code: member.invitation_code,
            inviter: member.inviter,
            intro: member.intro,
            created_at: member.created_at.timestamp_millis(),
            follow_count: member.follow_count,
            follower_count: member.follower_count,
            article_count: member.article_count,
        }
    }
}

impl From<SeenMember> for UserInfo {
    fn from(member: SeenMember) -> Self {
        Self {
            uid: member.uid,
            nickname: member.nickname,
            avatar: member.avatar,
            gender: member.gender,
            country: member.country,
            province: member.province,
            city: member.city,
            birthday: member.birthday_ms,
            score: member.score,
            level: member.level,
            exp: member.exp,
            intro: member.intro,
            created_at: member.created_at.timestamp_millis(),
            follow_count: member.follow_count,
            follower_count: member.follower_count,
            is_follow: member.is_follow,
            article_count: member.article_count,
        }
    }
}

impl From<PublicMember> for PublicMemberData {
    fn from(member: PublicMember) -> Self {
        Self {
            uid: member.uid,
            nickname: member.nickname,
            avatar: member.avatar,
            gender: member.gender,
            country: member.country,
            province: member.province,
            city: member.city,
            birthday: member.birthday_ms,
            intro: member.intro,
            created_at: member.created_at.timestamp_millis(),
        }
    }
}

/// The profile of somebody who is known to be there. Where the read tables do not have it yet, the log does.
pub(super) async fn myself(app: &App, uid: &str) -> Result<MyUserInfo, Problem> {
    let found = members::by_uid(app.reads(), uid).await;
    if let Some(member) = found.map_err(|error| Problem::query(app, error))? {
        return Ok(member.into());
    }
    let account = app
        .ledger()
        .current::<Account>(&member_account(uid))
        .await?;
    let account = account.state.open().ok_or_else(Problem::not_found)?;
    Ok(unseen(uid, account, app.now()).into())
}

/// A member whose row is on its way: nothing is counted of it yet.
fn unseen(uid: &str, account: &OpenAccount, now: DateTime<Utc>) -> Member {
    let text = |value: &Option<Personal<String>>| value.as_ref().and_then(Personal::get).cloned();
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let (profile, standing) = (&account.profile, &account.standing);
    let gender = profile.gender.as_ref().and_then(Personal::get);
    Member {
        uid: uid.to_owned(),
        nickname: account.name.text().to_owned(),
        avatar: text(&profile.avatar),
        gender: gender.copied().map_or(0, i16::from),
        country: text(&profile.country).unwrap_or_default(),
        province: text(&profile.province),
        city: text(&profile.city),
        birthday_ms: profile
            .birthday_ms
            .as_ref()
            .and_then(Personal::get)
            .copied(),
        phone: text(&profile.phone).unwrap_or_default(),
        email: text(&profile.email),
        category: number(standing.category),
        enabled: account.enabled,
        score: number(standing.score),
        level: number(standing.level),
        exp: number(standing.exp),
        invitation_code: text(&standing.invitation_code),
        inviter: text(&standing.inviter),
        intro: text(&profile.intro),
        created_at: now,
        follow_count: 0,
        follower_count: 0,
        article_count: 0,
    }
}

/// One's own profile, under its key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MyUserInfoAnswer)]
pub struct MyUserInfoAnswer {
    my_user_info: MyUserInfo,
}

/// My profile (读个人信息)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/my_user_info", tag = SURFACE, operation_id = "community_my_user_info",
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<MyUserInfoAnswer>)),
)]
pub async fn mine(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let my_user_info = myself(&app, &call.member.uid).await?;
    Ok(envelope::found(stamp, MyUserInfoAnswer { my_user_info }))
}

/// What of a profile changes; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = community::MyUserInfoUpdateRequest)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct UpdateRequest {
    /// Name.
    #[schema(min_length = 1, max_length = 32)]
    nickname: Option<String>,
    /// The name of an image; null or `""` clears.
    #[schema(max_length = 200)]
    avatar: Option<String>,
    /// 0 unknown, 1 male, 2 female.
    #[schema(minimum = 0, maximum = 2)]
    gender: Option<i64>,
    /// Null or `""` clears.
    #[schema(max_length = 64)]
    province: Option<String>,
    /// Null or `""` clears.
    #[schema(max_length = 64)]
    city: Option<String>,
    /// Milliseconds since the epoch, from 1900 to now; null clears.
    birthday: Option<i64>,
    /// Null or `""` clears.
    #[schema(max_length = 128)]
    email: Option<String>,
    /// Null or `""` clears.
    #[schema(max_length = 500)]
    intro: Option<String>,
}

/// Update my profile (写个人信息)
///
/// A new name or image shows at once wherever the member appears.
#[utoipa::path(
    post, path = "/community/api/v1/my_user_info_update", tag = SURFACE, operation_id = "community_my_user_info_update",
    request_body = UpdateRequest,
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<Nothing>)),
)]
pub async fn update(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let change = profile_change(&call, app.now())?;
    let id = member_account(&call.member.uid);
    let command = AccountCommand::UpdateProfile(Box::new(change));
    let done = call.execute::<Account>(&app, id, command).await?;
    Ok(envelope::done(&app, &done, Nothing {}))
}

fn profile_change(call: &MemberCall, now: DateTime<Utc>) -> Result<ProfileChange, Problem> {
    let fields = &call.fields;
    let subject = StreamId::new(Account::TYPE, member_account(&call.member.uid)).to_string();
    let at_most = |most: usize| move |text: &str| text.chars().count() <= most;
    let alive = |ms: i64| first_birthday() <= ms && ms <= now.timestamp_millis();
    let name = fields.text("nickname")?.chars(1..=32)?.optional();
    let gender = fields.int("gender")?.within(0..=2)?.optional();
    let gender = gender.and_then(|gender| u8::try_from(gender).ok());
    Ok(ProfileChange {
        name: name.map(|name| Personal::new(subject.clone(), name)),
        avatar: personal(&subject, fields.edit("avatar", is_image)?),
        gender: gender.map(|gender| Personal::new(subject.clone(), gender)),
        province: personal(&subject, fields.edit("province", at_most(64))?),
        city: personal(&subject, fields.edit("city", at_most(64))?),
        birthday_ms: personal(&subject, fields.edit_int("birthday", alive)?),
        email: personal(&subject, fields.edit("email", is_email)?),
        intro: personal(&subject, fields.edit("intro", at_most(500))?),
    })
}

fn personal<T>(subject: &str, edit: Edit<T>) -> Option<Option<Personal<T>>> {
    match edit {
        Edit::Keep => None,
        Edit::Clear => Some(None),
        Edit::Set(value) => Some(Some(Personal::new(subject, value))),
    }
}

/// The first moment of 1900.
fn first_birthday() -> i64 {
    let day = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default();
    day.and_time(chrono::NaiveTime::MIN)
        .and_utc()
        .timestamp_millis()
}

/// At most 128 characters, one `@` with text around it.
fn is_email(text: &str) -> bool {
    let around = text.split_once('@');
    let sound = around
        .is_some_and(|(who, host)| !who.is_empty() && !host.is_empty() && !host.contains('@'));
    sound && text.chars().count() <= 128
}

/// Whose profile.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[schema(as = community::UserInfoRequest)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "it documents the parameters, which are read leniently"
)]
pub struct UserInfoRequest {
    /// 32 hex characters; goes before `phone`.
    to_uid: Option<String>,
    /// The phone, where the uid is not known.
    phone: Option<String>,
    /// Dialling code of `phone`.
    #[param(default = "86")]
    #[schema(default = "86")]
    country: Option<String>,
}

/// Another's profile, under its key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::UserInfoAnswer)]
pub struct UserInfoAnswer {
    user_info: UserInfo,
}

/// Another user's profile (读他人信息)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/user_info", tag = SURFACE, operation_id = "community_user_info",
    params(UserInfoRequest), request_body = UserInfoRequest,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 423, 429", body = Answer<UserInfoAnswer>)),
)]
pub async fn other(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let (to_uid, phone) = (call.fields.hex_id("to_uid")?, call.fields.phone()?);
    let uid = match (to_uid.optional(), phone.optional()) {
        (Some(uid), _) => uid,
        (None, Some(phone)) => by_phone(&app, &call, &phone).await?,
        (None, None) => return Err(Problem::invalid("to_uid")),
    };
    let stamp = call.as_of(&app).await?;
    let found = members::seen_by(app.reads(), &call.member.uid, &uid).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let user_info = found.ok_or_else(Problem::not_found)?.into();
    Ok(envelope::found(stamp, UserInfoAnswer { user_info }))
}

async fn by_phone(app: &App, call: &MemberCall, phone: &Phone) -> Result<String, Problem> {
    let key = format!("community-phone-lookup:{}", call.member.uid);
    super::within(app, &key, PHONE_LOOKUPS).await?;
    let claim = phone.claim(app.ledger().keys());
    let claim = app.ledger().current::<NameClaim>(&claim).await?;
    let uid = holder(&claim.state).and_then(member_uid);
    Ok(uid.ok_or_else(Problem::not_found)?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_has_one_at_with_text_around_it() {
        for good in ["a@b", "某人@例子.cn"] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "@",
            "a@",
            "@b",
            "a@b@c",
            &format!("{}@b", "a".repeat(127)),
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn birthdays_begin_with_the_last_century() {
        assert_eq!(first_birthday(), -2_208_988_800_000);
    }
}
