//! What a command is sent to: an aggregate's id, how it is spelled, and which permission bit opens it.

use std::marker::PhantomData;

use uuid::Uuid;

use crate::api::app::App;
use crate::api::identity::{staff_account, staff_uid};
use crate::commands::member::{is_hex_id, member_account, member_uid};
use crate::commands::team::{is_team_id, user_account, user_id};
use crate::events::conversation::Pair;
use crate::events::{
    Account, Article, Banner, Card, Case, Cloth, Company, Customer, Diary, Game, Master, Media,
    Merchant, Message, Order, Product, Project, Session, Tag, Task, Team, Ticket,
};
use crate::ledger::{LoadError, State, StreamId};

/// The permission bits of contract README section 4 that open something so far.
pub(super) mod bit {
    pub const TASKS: u64 = 1;
    pub const MEDIA: u64 = 1 << 1;
    pub const CATALOGUE: u64 = 1 << 2;
    /// Community: what its members write.
    pub const MODERATION: u64 = 1 << 3;
    /// Messages of masters, merchants and the customer service.
    pub const MESSAGES: u64 = 1 << 4;
    pub const MINI_PROGRAM: u64 = 1 << 5;
    pub const WEIDU: u64 = 1 << 6;
    pub const XDUA: u64 = 1 << 7;
    pub const STAFF: u64 = 1 << 8;
    /// The log itself, to read.
    pub const AUDIT: u64 = 1 << 9;
}

/// The id of one thing that commands can be sent to.
pub(super) trait Target: Sized + Send + Sync + 'static {
    /// The aggregate's name.
    const AGGREGATE: &'static str;
    /// What stands before the colon of the id, where an aggregate has realms.
    const REALM: Option<&'static str> = None;

    /// Reads the id part of the stream; `None` when no such id is ever given out.
    fn parse(id: &str) -> Option<Self>;

    /// The id part of the stream.
    fn id(&self) -> String;

    /// The stream.
    fn stream(&self) -> StreamId {
        StreamId::dynamic(Self::AGGREGATE, self.id())
    }

    /// The permission bit that opens it; `None` when it does not exist.
    fn opened_by(&self, app: &App) -> impl Future<Output = Result<Option<u64>, LoadError>> + Send;
}

/// A staff account.
pub(super) struct StaffAccount(pub i64);

impl Target for StaffAccount {
    const AGGREGATE: &'static str = "Account";
    const REALM: Option<&'static str> = Some("backend");

    fn parse(id: &str) -> Option<Self> {
        number(id.strip_prefix("backend:")?).map(Self)
    }

    fn id(&self) -> String {
        staff_account(self.0)
    }

    async fn opened_by(&self, app: &App) -> Result<Option<u64>, LoadError> {
        let found = app.ledger().current::<Account>(&self.id()).await?;
        Ok((found.version > 0).then_some(bit::STAFF))
    }
}

/// A login session, named by the hash of its token.
pub(super) struct LoginSession(String);

impl Target for LoginSession {
    const AGGREGATE: &'static str = "Session";

    fn parse(id: &str) -> Option<Self> {
        let hash = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (id.len() == 64 && id.bytes().all(hash)).then(|| Self(id.to_owned()))
    }

    fn id(&self) -> String {
        self.0.clone()
    }

    /// The realm of its account decides.
    async fn opened_by(&self, app: &App) -> Result<Option<u64>, LoadError> {
        let found = app.ledger().current::<Session>(&self.0).await?;
        Ok(match &*found.state {
            Session::Open { account, .. } | Session::Closed { account } => {
                let staff = staff_uid(account).map(|_| bit::STAFF);
                staff.or_else(|| user_id(account).map(|_| bit::XDUA))
            }
            Session::Unopened => None,
        })
    }
}

/// A task.
pub(super) struct TaskId(i64);

impl Target for TaskId {
    const AGGREGATE: &'static str = "Task";

    fn parse(id: &str) -> Option<Self> {
        number(id).map(Self)
    }

    fn id(&self) -> String {
        self.0.to_string()
    }

    async fn opened_by(&self, app: &App) -> Result<Option<u64>, LoadError> {
        let found = app.ledger().current::<Task>(&self.id()).await?;
        Ok((found.version > 0).then_some(bit::TASKS))
    }
}

/// A stored file.
pub(super) struct MediaId(Uuid);

impl Target for MediaId {
    const AGGREGATE: &'static str = "Media";

    fn parse(id: &str) -> Option<Self> {
        let uuid = Uuid::try_parse(id).ok()?;
        // Only the spelling that streams have.
        (uuid.to_string() == id).then_some(Self(uuid))
    }

    fn id(&self) -> String {
        self.0.to_string()
    }

    async fn opened_by(&self, app: &App) -> Result<Option<u64>, LoadError> {
        let found = app.ledger().current::<Media>(&self.id()).await?;
        Ok((found.version > 0).then_some(bit::MEDIA))
    }
}

/// The account of a team user.
pub(super) struct TeamUser(pub String);

impl Target for TeamUser {
    const AGGREGATE: &'static str = "Account";
    const REALM: Option<&'static str> = Some("xdua");

    fn parse(id: &str) -> Option<Self> {
        user_id(id).map(|id| Self(id.to_owned()))
    }

    fn id(&self) -> String {
        user_account(&self.0)
    }

    async fn opened_by(&self, app: &App) -> Result<Option<u64>, LoadError> {
        let found = app.ledger().current::<Account>(&self.id()).await?;
        Ok((found.version > 0).then_some(bit::XDUA))
    }
}

/// The account of a member of the community.
pub(super) struct MemberAccount(pub String);

impl Target for MemberAccount {
    const AGGREGATE: &'static str = "Account";
    const REALM: Option<&'static str> = Some("community");

    fn parse(id: &str) -> Option<Self> {
        member_uid(id).map(|uid| Self(uid.to_owned()))
    }

    fn id(&self) -> String {
        member_account(&self.0)
    }

    async fn opened_by(&self, app: &App) -> Result<Option<u64>, LoadError> {
        let found = app.ledger().current::<Account>(&self.id()).await?;
        Ok((found.version > 0).then_some(bit::MODERATION))
    }
}

/// A work team.
pub(super) struct TeamId(pub String);

impl Target for TeamId {
    const AGGREGATE: &'static str = "Team";

    fn parse(id: &str) -> Option<Self> {
        is_team_id(id).then(|| Self(id.to_owned()))
    }

    fn id(&self) -> String {
        self.0.clone()
    }

    async fn opened_by(&self, app: &App) -> Result<Option<u64>, LoadError> {
        let found = app.ledger().current::<Team>(&self.0).await?;
        Ok((found.version > 0).then_some(bit::XDUA))
    }
}

/// An aggregate that one permission bit opens as a whole.
pub(super) trait Staffed: State {
    /// The bit.
    const BIT: u64;
}

/// Gives aggregates their permission bits.
macro_rules! staffed {
    ($($aggregate:ty => $bit:expr),+ $(,)?) => {
        $(impl Staffed for $aggregate {
            const BIT: u64 = $bit;
        })+
    };
}

staffed! {
    Card => bit::MINI_PROGRAM,
    Case => bit::MINI_PROGRAM,
    Company => bit::MINI_PROGRAM,
    Customer => bit::MINI_PROGRAM,
    Diary => bit::MINI_PROGRAM,
    Product => bit::MINI_PROGRAM,
    Tag => bit::MINI_PROGRAM,
    Article => bit::MODERATION,
    Banner => bit::CATALOGUE,
    Cloth => bit::CATALOGUE,
    Game => bit::CATALOGUE,
    Master => bit::CATALOGUE,
    Merchant => bit::CATALOGUE,
    Project => bit::CATALOGUE,
    Ticket => bit::CATALOGUE,
    Order => bit::MODERATION,
}

/// Something that is numbered.
pub(super) struct Numbered<A> {
    /// Its number.
    pub number: i64,
    aggregate: PhantomData<fn() -> A>,
}

impl<A: Staffed> Target for Numbered<A> {
    const AGGREGATE: &'static str = A::TYPE;

    fn parse(id: &str) -> Option<Self> {
        number(id).map(|number| Self {
            number,
            aggregate: PhantomData,
        })
    }

    fn id(&self) -> String {
        self.number.to_string()
    }

    async fn opened_by(&self, app: &App) -> Result<Option<u64>, LoadError> {
        let found = app.ledger().current::<A>(&self.id()).await?;
        Ok((found.version > 0).then_some(A::BIT))
    }
}

/// Something under 32 lower-case hex characters.
pub(super) struct Hexed<A> {
    id: String,
    aggregate: PhantomData<fn() -> A>,
}

impl<A: Staffed> Target for Hexed<A> {
    const AGGREGATE: &'static str = A::TYPE;

    fn parse(id: &str) -> Option<Self> {
        is_hex_id(id).then(|| Self {
            id: id.to_owned(),
            aggregate: PhantomData,
        })
    }

    fn id(&self) -> String {
        self.id.clone()
    }

    async fn opened_by(&self, app: &App) -> Result<Option<u64>, LoadError> {
        let found = app.ledger().current::<A>(&self.id).await?;
        Ok((found.version > 0).then_some(A::BIT))
    }
}

/// A private message.
pub(super) struct MessageId(i64);

impl Target for MessageId {
    const AGGREGATE: &'static str = "Message";

    fn parse(id: &str) -> Option<Self> {
        number(id).map(Self)
    }

    fn id(&self) -> String {
        self.0.to_string()
    }

    /// Those of the chat are the mini-program's.
    async fn opened_by(&self, app: &App) -> Result<Option<u64>, LoadError> {
        let found = app.ledger().current::<Message>(&self.id()).await?;
        Ok(match &*found.state {
            Message::Unsent => None,
            Message::Sent { from, to, .. } if Pair::of(from, to).is_some() => {
                Some(bit::MINI_PROGRAM)
            }
            Message::Sent { .. } => Some(bit::MESSAGES),
        })
    }
}

/// A company's website, named by the company.
pub(super) struct WebsiteId(pub i64);

impl Target for WebsiteId {
    const AGGREGATE: &'static str = "Website";

    fn parse(id: &str) -> Option<Self> {
        number(id).map(Self)
    }

    fn id(&self) -> String {
        self.0.to_string()
    }

    /// It is there as soon as its company is.
    async fn opened_by(&self, app: &App) -> Result<Option<u64>, LoadError> {
        let company = app.ledger().current::<Company>(&self.id()).await?;
        Ok((company.version > 0).then_some(bit::MINI_PROGRAM))
    }
}

/// A positive whole number in its one spelling.
pub(super) fn number(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number > 0 && number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        assert!(TaskId::parse("7").is_some());
        for bad in ["0", "-7", "07", "+7", "7 ", "new", "9223372036854775808"] {
            assert!(TaskId::parse(bad).is_none(), "{bad}");
        }
        assert!(StaffAccount::parse("backend:7").is_some());
        assert!(StaffAccount::parse("community:7").is_none());
        let uuid = "0190a6b2-7c3e-7cc0-8000-0123456789ab";
        assert!(MediaId::parse(uuid).is_some());
        assert!(MediaId::parse(&uuid.to_uppercase()).is_none());
        assert!(LoginSession::parse(&"0a".repeat(32)).is_some());
        assert!(LoginSession::parse(&"0A".repeat(32)).is_none());
    }
}
