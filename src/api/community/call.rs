//! A request as the functions want it: parameters read, caller known. What cannot be read is refused before anybody asks who
//! calls, and who may not call before anybody looks at a parameter (contract README 2.5).

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, Method};

use super::fields::Fields;
use super::{Problem, SURFACE};
use crate::api::App;
use crate::api::answer::Stamp;
use crate::api::identity::{self, Member};
use crate::api::request::Incoming;
use crate::commands::{self, Decide, Done, Operation};

/// A call that needs no login.
pub struct Call {
    /// The request.
    pub incoming: Incoming,
    /// Its parameters: of a GET in its query string, else in a JSON body.
    pub fields: Fields,
}

/// A call by a member.
pub struct MemberCall {
    /// The request.
    pub incoming: Incoming,
    /// Its parameters.
    pub fields: Fields,
    /// Who calls.
    pub member: Member,
}

impl FromRequest<App> for Call {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let limit = app.settings().body_max_bytes;
        let incoming = Incoming::read(app, request, limit).await?;
        let in_query = [Method::GET, Method::HEAD].contains(&incoming.method);
        let params = if in_query {
            incoming.query()
        } else {
            incoming.json()?
        };
        let fields = Fields::new(params);
        Ok(Self { incoming, fields })
    }
}

impl FromRequest<App> for MemberCall {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let Call { incoming, fields } = Call::from_request(request, app).await?;
        let member = caller(app, &fields, &incoming.headers).await?;
        Ok(Self {
            incoming,
            fields,
            member,
        })
    }
}

/// Whose token stands among the parameters, or in the header.
pub async fn caller(app: &App, fields: &Fields, headers: &HeaderMap) -> Result<Member, Problem> {
    let token = fields.token();
    let token = token.or_else(|| identity::bearer(headers).map(str::to_owned));
    let token = token.ok_or_else(Problem::not_logged_in)?;
    Ok(identity::member(app, &token).await?)
}

impl Call {
    /// For a query: waits for the position that the request carries.
    pub async fn as_of(&self, app: &App) -> Result<Stamp, Problem> {
        Ok(Stamp::as_of(app, &self.incoming).await?)
    }

    /// Runs an operation for somebody who is not known. Idempotency keys are ignored.
    pub async fn run<O>(&self, app: &App, operation: O) -> Result<Done<O::Outcome>, Problem>
    where
        O: Operation + 'static,
        O::Outcome: 'static,
        Problem: From<O::Refusal>,
    {
        run(app, self.incoming.anonymous(app, SURFACE), operation).await
    }
}

impl MemberCall {
    /// For a query: waits for the position that the request carries.
    pub async fn as_of(&self, app: &App) -> Result<Stamp, Problem> {
        Ok(Stamp::as_of(app, &self.incoming).await?)
    }

    /// What the desk needs to know, for what is no plain [`MemberCall::run`].
    pub fn request(&self, app: &App) -> Result<commands::Request, Problem> {
        self.request_with(app, self.incoming.digest())
    }

    /// The same where the content is not the body as sent.
    pub fn request_with(&self, app: &App, digest: [u8; 32]) -> Result<commands::Request, Problem> {
        let actor = self.member.party().to_string();
        // Paths of functions have no variable part, so they name the endpoint; media ids are used once anyhow.
        let endpoint = self.incoming.uri.path();
        Ok(self.incoming.desk(app, SURFACE, &actor, endpoint, digest)?)
    }

    /// Runs an operation to its end, whether or not the client stays.
    pub async fn run<O>(&self, app: &App, operation: O) -> Result<Done<O::Outcome>, Problem>
    where
        O: Operation + 'static,
        O::Outcome: 'static,
        Problem: From<O::Refusal>,
    {
        run(app, self.request(app)?, operation).await
    }

    /// Runs one command on a stream whose id was just made.
    pub async fn create<A>(
        &self,
        app: &App,
        id: String,
        command: A::Command,
    ) -> Result<Done<()>, Problem>
    where
        A: Decide,
        A::Command: 'static,
        Problem: From<A::Refusal>,
    {
        let (desk, request) = (app.desk().clone(), self.request(app)?);
        let work = async move { desk.create::<A>(&request, &id, command).await };
        Ok(app.detached(work).await??)
    }

    /// Runs one command on one stream.
    pub async fn execute<A>(
        &self,
        app: &App,
        id: String,
        command: A::Command,
    ) -> Result<Done<()>, Problem>
    where
        A: Decide,
        A::Command: 'static,
        Problem: From<A::Refusal>,
    {
        let (desk, request) = (app.desk().clone(), self.request(app)?);
        let work = async move { desk.execute::<A>(&request, &id, command).await };
        Ok(app.detached(work).await??)
    }
}

async fn run<O>(
    app: &App,
    request: commands::Request,
    operation: O,
) -> Result<Done<O::Outcome>, Problem>
where
    O: Operation + 'static,
    O::Outcome: 'static,
    Problem: From<O::Refusal>,
{
    let desk = app.desk().clone();
    let work = async move { desk.run(&request, &operation).await };
    Ok(app.detached(work).await??)
}
