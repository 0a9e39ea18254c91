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
    accounts, cards, cases, companies, customers, diaries, media, messages, products, sessions,
    tags, tasks, team_users, teams, websites,
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
    entry::<media::DeleteMedia>(),
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

/// A command that makes something; its id is `new` (`{realm}:new`).
pub(super) trait StaffCreation: Fields {
    /// What it makes.
    type Target: Target;
    /// The permission bit it needs.
    const BIT: u64;

    /// The bit that this one needs, where that depends on what is made.
    fn bit(&self) -> u64 {
        Self::BIT
    }

    /// Does it. Permission is checked.
    fn run(self, call: Call) -> impl Future<Output = Result<Success, Failure>> + Send;
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

/// The same for something that does not exist yet. An id that exists is a conflict, one that does not is nobody's to
/// choose.
async fn make<C: StaffCreation>(
    call: Call,
    id: String,
    fields: Box<RawValue>,
) -> Result<Success, Failure> {
    let command: C = read(&fields)?;
    let new = id.rsplit(':').next() == Some("new");
    if !new {
        let target = C::Target::parse(&id).ok_or(Failure::NotFound)?;
        target
            .opened_by(&call.app)
            .await?
            .ok_or(Failure::NotFound)?;
    }
    call.may(command.bit())?;
    if !new || call.if_match.is_some_and(|version| version != 0) {
        return Err(Failure::Conflict);
    }
    command.run(call).await
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
            ("Account", "weidu:1"),
            ("Account", "new"),
            ("task", "7"),
            ("NameClaim", "x"),
        ] {
            assert!(reachable(aggregate, id).is_none(), "{aggregate}/{id}");
        }
    }
}
