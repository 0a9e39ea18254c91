//! What endpoints about a company's things have in common: whose they are, and recording what the caller does with them.

use super::Problem;
use super::call::Call;
use crate::api::App;
use crate::commands::browsing::BrowsingError;
use crate::commands::{Done, Operation};
use crate::events::{Case, Company, Diary, Tag};

/// The company that is asked about must be there.
pub async fn company(app: &App, call: &Call) -> Result<i64, Problem> {
    let company_id = call.number("company_id")?;
    let id = company_id.to_string();
    let found = app.ledger().current::<Company>(&id).await?;
    if *found.state == Company::Uncreated {
        return Err(Problem::no_such_id());
    }
    Ok(company_id)
}

/// The tag must be there and the company's.
pub async fn tag_of(app: &App, company_id: i64, tag_id: i64) -> Result<(), Problem> {
    let found = app.ledger().current::<Tag>(&tag_id.to_string()).await?;
    let owner = found.state.live().map(|tag| tag.company_id);
    belongs(owner, company_id)
}

/// The case must be, or once have been, the company's: what it is never changes.
pub async fn case_of(app: &App, company_id: i64, case_id: i64) -> Result<(), Problem> {
    let found = app.ledger().current::<Case>(&case_id.to_string()).await?;
    belongs(found.state.company_id(), company_id)
}

/// Everybody must see the case, and it must be the company's.
pub async fn case_shown(app: &App, company_id: i64, case_id: i64) -> Result<(), Problem> {
    let found = app.ledger().current::<Case>(&case_id.to_string()).await?;
    let shown = found.state.live().filter(|case| case.published);
    belongs(shown.map(|case| case.company_id), company_id)
}

/// The diary must be there, perhaps out of sight by now, and the company's where one is asked about.
pub async fn diary_of(app: &App, company_id: Option<i64>, diary_id: i64) -> Result<(), Problem> {
    let found = app.ledger().current::<Diary>(&diary_id.to_string()).await?;
    let owner = found.state.belongs_to().map(|(_, company_id)| company_id);
    match company_id {
        Some(company_id) => belongs(owner, company_id),
        None => owner.map(|_| ()).ok_or_else(Problem::no_such_id),
    }
}

/// Everybody must see the diary, and its case.
pub async fn diary_shown(app: &App, diary_id: i64) -> Result<(), Problem> {
    let diary = app.ledger().current::<Diary>(&diary_id.to_string()).await?;
    let live = diary.state.live().filter(|diary| diary.published);
    let case_id = live.ok_or_else(Problem::no_such_id)?.case_id;
    let case = app.ledger().current::<Case>(&case_id.to_string()).await?;
    if case.state.published() {
        Ok(())
    } else {
        Err(Problem::no_such_id())
    }
}

fn belongs(owner: Option<i64>, company_id: i64) -> Result<(), Problem> {
    if owner == Some(company_id) {
        Ok(())
    } else {
        Err(Problem::no_such_id())
    }
}

/// Does what the caller asks for, in a task of its own.
pub async fn run<O>(
    app: &App,
    call: &Call,
    customer_id: i64,
    endpoint: &'static str,
    operation: O,
) -> Result<Done<O::Outcome>, Problem>
where
    O: Operation + 'static,
    O::Outcome: 'static,
    Problem: From<O::Refusal>,
{
    let request = call.desk(app, customer_id, endpoint)?;
    let desk = app.desk().clone();
    let done = app.detached(async move { desk.run(&request, &operation).await });
    Ok(done.await??)
}

impl From<BrowsingError> for Problem {
    fn from(refusal: BrowsingError) -> Self {
        match refusal {
            BrowsingError::NotFound => Self::no_such_id(),
            BrowsingError::CardDisabled => Self::disabled(),
        }
    }
}
