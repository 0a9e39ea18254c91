//! The table of commands: one line each, from the aggregate and the command's name to the type that reads and runs it.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::answer::{Failure, Success};
use super::fields::{self, Flaws};
use super::target::Target;
use super::{
    accounts, articles, authors, banners, cards, cases, cloths, comments, companies, customers,
    diaries, games, masters, media, members, merchants, messages, orders, products, projects,
    sessions, showcases, tags, tasks, team_users, teams, tickets, websites,
};
use crate::api::app::App;
use crate::api::identity::Staff;
use crate::commands::Request;
use crate::ledger::StreamId;

/// Everything that can be sent to the staff endpoint.
pub(super) static COMMANDS: &[Entry] = &[
    creation::<accounts::OpenAccount>(),
    entry::<accounts::SetPassword>(),
    entry::<accounts::ChangeRole>(),
    entry::<accounts::DisableAccount>(),
    entry::<accounts::EnableAccount>(),
    creation::<sessions::OpenSession>(),
    entry::<sessions::CloseSession>(),
    entry::<tasks::StartTask>(),
    entry::<tasks::RecordTaskResult>(),
    entry::<tasks::CompleteTask>(),
    entry::<tasks::RequeueTask>(),
    entry::<tasks::CancelTask>(),
    entry::<media::StoreMedia>(),
    entry::<media::DeleteMedia>(),
    entry::<members::DisableAccount>(),
    entry::<members::EnableAccount>(),
    entry::<members::AdjustStanding>(),
    creation::<team_users::OpenAccount>(),
    entry::<team_users::RenameAccount>(),
    entry::<team_users::DisableAccount>(),
    entry::<team_users::EnableAccount>(),
    creation::<teams::CreateTeam>(),
    entry::<teams::EditTeam>(),
    entry::<teams::EnableTeam>(),
    entry::<teams::DisableTeam>(),
    entry::<teams::AddTeamRole>(),
    entry::<teams::RemoveTeamRole>(),
    entry::<teams::AssignTeamMember>(),
    entry::<teams::RemoveTeamMember>(),
    entry::<teams::DeleteTeam>(),
    creation::<authors::OpenAccount>(),
    entry::<authors::RenameAccount>(),
    creation::<showcases::PublishShowcase>(),
    entry::<showcases::EditShowcase>(),
    entry::<showcases::ScoreShowcase>(),
    entry::<showcases::AddShowcaseFile>(),
    entry::<showcases::RemoveShowcaseFile>(),
    entry::<showcases::WithdrawShowcase>(),
    entry::<showcases::RestoreShowcase>(),
    entry::<showcases::RecordShowcaseView>(),
    entry::<showcases::AddReaction>(),
    entry::<showcases::RemoveReaction>(),
    creation::<comments::PublishComment>(),
    entry::<comments::DeleteComment>(),
    creation::<companies::CreateCompany>(),
    entry::<companies::RenameCompany>(),
    creation::<cards::CreateCard>(),
    entry::<cards::EditCard>(),
    entry::<cards::AddCardPhoto>(),
    entry::<cards::RemoveCardPhoto>(),
    entry::<cards::DisableCard>(),
    entry::<cards::EnableCard>(),
    entry::<cards::RotateCardToken>(),
    entry::<customers::BindCustomer>(),
    entry::<customers::DisableCustomer>(),
    entry::<customers::EnableCustomer>(),
    entry::<customers::RotateCustomerToken>(),
    creation::<products::CreateProduct>(),
    entry::<products::EditProduct>(),
    entry::<products::PublishProduct>(),
    entry::<products::RecommendProduct>(),
    entry::<products::WithdrawProduct>(),
    entry::<websites::SetWebsitePictures>(),
    creation::<tags::CreateTag>(),
    entry::<tags::RenameTag>(),
    entry::<tags::DeleteTag>(),
    creation::<cases::CreateCase>(),
    entry::<cases::EditCase>(),
    entry::<cases::TagCase>(),
    entry::<cases::PublishCase>(),
    entry::<cases::WithdrawCase>(),
    entry::<cases::DeleteCase>(),
    creation::<diaries::CreateDiary>(),
    entry::<diaries::EditDiary>(),
    entry::<diaries::PublishDiary>(),
    entry::<diaries::WithdrawDiary>(),
    entry::<diaries::DeleteDiary>(),
    creation::<banners::CreateBanner>(),
    entry::<banners::EditBanner>(),
    entry::<banners::WithdrawBanner>(),
    entry::<banners::RestoreBanner>(),
    creation::<cloths::CreateCloth>(),
    entry::<cloths::EditCloth>(),
    entry::<cloths::WithdrawCloth>(),
    entry::<cloths::RestoreCloth>(),
    creation::<games::CreateGame>(),
    entry::<games::EditGame>(),
    entry::<games::WithdrawGame>(),
    entry::<games::RestoreGame>(),
    creation::<masters::CreateMaster>(),
    entry::<masters::EditMaster>(),
    entry::<masters::WithdrawMaster>(),
    entry::<masters::RestoreMaster>(),
    creation::<merchants::CreateMerchant>(),
    entry::<merchants::EditMerchant>(),
    entry::<merchants::WithdrawMerchant>(),
    entry::<merchants::RestoreMerchant>(),
    creation::<projects::CreateProject>(),
    entry::<projects::EditProject>(),
    entry::<projects::WithdrawProject>(),
    entry::<projects::RestoreProject>(),
    entry::<projects::IssueTickets>(),
    creation::<tickets::CreateTicket>(),
    entry::<tickets::EditTicket>(),
    entry::<tickets::WithdrawTicket>(),
    entry::<tickets::RestoreTicket>(),
    entry::<orders::CancelOrder>(),
    entry::<orders::ConfirmPayment>(),
    entry::<articles::DeleteArticle>(),
    creation::<messages::SendMessage>(),
];

/// The fields of a command and their bounds. Types are checked by reading it; its doc comment is its documentation.
pub(super) trait Fields: DeserializeOwned + ToSchema + Send + Sync + 'static {
    /// The command's name.
    const NAME: &'static str;

    /// Says what is out of bounds.
    fn check(&self, _flaws: &mut Flaws) {}
}

/// A command to something that exists.
pub(super) trait StaffCommand: Fields {
    /// What it is sent to.
    type Target: Target;

    /// Does it. Existence and permission are checked.
    fn run(
        self,
        call: Call,
        target: Self::Target,
    ) -> impl Future<Output = Result<Success, Failure>> + Send;
}

/// A command that makes something; its id is `new` (`{realm}:new`), for some things also one that the caller chooses.
pub(super) trait StaffCreation: Fields {
    /// What it makes.
    type Target: Target;
    /// The permission bit it needs.
    const BIT: u64;
    /// May the caller say which id it gets? Then [`StaffCreation::run_named`] is there.
    const MAY_BE_NAMED: bool = false;

    /// The bit that this one needs, where that depends on what is made.
    fn bit(&self) -> u64 {
        Self::BIT
    }

    /// Does it. Permission is checked.
    fn run(self, call: Call) -> impl Future<Output = Result<Success, Failure>> + Send;

    /// Does it under an id that the caller chose and nothing has.
    fn run_named(
        self,
        _call: Call,
        _target: Self::Target,
    ) -> impl Future<Output = Result<Success, Failure>> + Send {
        async { Err(Failure::NotFound) }
    }
}

/// Who asks, and under which conditions.
pub(super) struct Call {
    pub app: App,
    pub staff: Staff,
    pub request: Request,
    pub if_match: Option<i64>,
}

impl Call {
    fn may(&self, bit: u64) -> Result<(), Failure> {
        self.staff.may(bit).then_some(()).ok_or(Failure::Forbidden)
    }
}

/// One line of the table.
pub(super) struct Entry {
    aggregate: &'static str,
    realm: Option<&'static str>,
    name: &'static str,
    makes: bool,
    schema: fn() -> RefOr<Schema>,
    schemas: fn(&mut Vec<(String, RefOr<Schema>)>),
    run: fn(Call, String, Box<RawValue>) -> Running,
}

type Running = BoxFuture<'static, Result<Success, Failure>>;

const fn entry<C: StaffCommand>() -> Entry {
    Entry {
        aggregate: C::Target::AGGREGATE,
        realm: C::Target::REALM,
        name: C::NAME,
        makes: false,
        schema: C::schema,
        schemas: C::schemas,
        run: |call, id, fields| run::<C>(call, id, fields).boxed(),
    }
}

const fn creation<C: StaffCreation>() -> Entry {
    Entry {
        aggregate: C::Target::AGGREGATE,
        realm: C::Target::REALM,
        name: C::NAME,
        makes: true,
        schema: C::schema,
        schemas: C::schemas,
        run: |call, id, fields| make::<C>(call, id, fields).boxed(),
    }
}

/// The commands one address takes; never none.
pub(super) struct Reachable(Vec<&'static Entry>);

/// The commands that can be sent to an aggregate's id. `None` when the aggregate, or the realm, takes none.
pub(super) fn reachable(aggregate: &str, id: &str) -> Option<Reachable> {
    let realm = id.split_once(':').map_or(id, |(realm, _)| realm);
    let here = |entry: &&Entry| {
        entry.aggregate == aggregate && entry.realm.is_none_or(|wanted| wanted == realm)
    };
    let found: Vec<&Entry> = COMMANDS.iter().filter(here).collect();
    (!found.is_empty()).then_some(Reachable(found))
}

impl Reachable {
    /// The command of a name.
    pub fn command(&self, name: &str) -> Option<&'static Entry> {
        self.0.iter().copied().find(|entry| entry.name == name)
    }
}

impl Entry {
    /// Reads the fields and runs the command.
    pub async fn run(
        &'static self,
        call: Call,
        id: String,
        fields: Box<RawValue>,
    ) -> Result<Success, Failure> {
        let began = Instant::now();
        let result = (self.run)(call, id, fields).await;
        let labels = [("surface", super::SURFACE), ("command", self.name)];
        metrics::histogram!("shiji_command_seconds", &labels).record(began.elapsed().as_secs_f64());
        result
    }

    /// For the documentation.
    pub fn description(&self) -> Description {
        let id = if self.makes { "new" } else { "{id}" };
        let (address, schema) = match self.realm {
            Some(realm) => (
                format!("{realm}:{id}"),
                format!("{}.{realm}.{}", self.aggregate, self.name),
            ),
            None => (id.to_owned(), format!("{}.{}", self.aggregate, self.name)),
        };
        let mut schemas = Vec::new();
        (self.schemas)(&mut schemas);
        schemas.push((schema.clone(), (self.schema)()));
        Description {
            address: format!("{}/{address}", self.aggregate),
            name: self.name,
            schema,
            schemas,
        }
    }
}

/// What the documentation says about a command.
pub(super) struct Description {
    /// Where it is sent: `Task/{id}`.
    pub address: String,
    pub name: &'static str,
    /// The name of the schema of its fields.
    pub schema: String,
    /// That schema, and what it refers to.
    pub schemas: Vec<(String, RefOr<Schema>)>,
}

/// Types, bounds, existence, permission, state: the order of contract README 2.5.
async fn run<C: StaffCommand>(
    mut call: Call,
    id: String,
    fields: Box<RawValue>,
) -> Result<Success, Failure> {
    let command: C = read(&fields)?;
    let target = C::Target::parse(&id).ok_or(Failure::NotFound)?;
    let bit = target
        .opened_by(&call.app)
        .await?
        .ok_or(Failure::NotFound)?;
    call.may(bit)?;
    let stream = StreamId::dynamic(C::Target::AGGREGATE, id);
    call.request.if_match = call.if_match.map(|version| (stream, version));
    command.run(call, target).await
}

/// The same for something that does not exist yet. An id that exists is a conflict; one that does not is the caller's to
/// choose for some things only.
async fn make<C: StaffCreation>(
    mut call: Call,
    id: String,
    fields: Box<RawValue>,
) -> Result<Success, Failure> {
    let command: C = read(&fields)?;
    let mut named = None;
    let mut exists = false;
    if id.rsplit(':').next() != Some("new") {
        let target = C::Target::parse(&id).ok_or(Failure::NotFound)?;
        exists = target.opened_by(&call.app).await?.is_some();
        if !exists && !C::MAY_BE_NAMED {
            return Err(Failure::NotFound);
        }
        named = Some(target);
    }
    call.may(command.bit())?;
    // What may be named is asked all the same: a repeated key finds what it made.
    let taken = exists && !C::MAY_BE_NAMED;
    if taken || call.if_match.is_some_and(|version| version != 0) {
        return Err(Failure::Conflict);
    }
    match named {
        None => command.run(call).await,
        Some(target) => {
            call.request.if_match = call.if_match.map(|version| (target.stream(), version));
            command.run_named(call, target).await
        }
    }
}

fn read<C: Fields>(fields: &RawValue) -> Result<C, Failure> {
    let command: C = fields::read(fields)?;
    let mut flaws = Flaws::default();
    command.check(&mut flaws);
    flaws.none()?;
    Ok(command)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_line_says_something_else() {
        let lines: HashSet<_> = COMMANDS
            .iter()
            .map(|e| (e.aggregate, e.realm, e.name))
            .collect();
        assert_eq!(lines.len(), COMMANDS.len());
    }

    #[test]
    fn only_what_the_table_lists_is_reachable() {
        assert!(
            reachable("Task", "7")
                .unwrap()
                .command("StartTask")
                .is_some()
        );
        assert!(
            reachable("Task", "7")
                .unwrap()
                .command("OpenAccount")
                .is_none()
        );
        assert!(reachable("Account", "backend:new").is_some());
        for (aggregate, id) in [
            ("Account", "nobody:1"),
            ("Account", "new"),
            ("task", "7"),
            ("NameClaim", "x"),
        ] {
            assert!(reachable(aggregate, id).is_none(), "{aggregate}/{id}");
        }
    }
}
