//! What customers let us know of them: their WeChat profile, form ids (`contract/zhugeleida.md` 3.3, 3.4).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::call::{Call, Recording};
use super::envelope::{self, Answer};
use super::problem::Flaws;
use super::{Problem, SURFACE};
use crate::api::App;
use crate::api::answer::Stamp;
use crate::api::wire::{Flaw, Invalid};
use crate::commands::customer::{CustomerCommand, Profile};
use crate::events::Customer;
use crate::ledger::{Personal, State as _, StreamId};

const SEND_USER_INFO: &str = "/zhugeleida/xiaochengxu/login/send_user_info";
const SEND_FORM_ID: &str = "/zhugeleida/xiaochengxu/login/send_form_id";

/// Who signed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct SignatureQuery {
    /// The caller.
    user_id: i64,
    /// Unix time in milliseconds, as text.
    #[param(example = "1528871213546")]
    timestamp: String,
    /// `md5_hex(timestamp + token)`.
    #[param(example = "3eb2d45dd640c392d2cfa6f9e9b70aa9")]
    rand_str: String,
}

/// A WeChat profile, as a form, multipart or JSON.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = zhugeleida::UserInfo)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct UserInfo {
    /// Nickname.
    #[schema(min_length = 1, max_length = 64)]
    username: String,
    /// Address of the picture.
    #[schema(min_length = 1, max_length = 512)]
    headimgurl: String,
    /// May be empty.
    #[schema(max_length = 64)]
    city: String,
    /// May be empty.
    #[schema(max_length = 64)]
    country: String,
    /// May be empty.
    #[schema(max_length = 64)]
    province: String,
    /// May be empty.
    #[schema(max_length = 16)]
    language: String,
}

/// A form id, as a form, multipart or JSON.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = zhugeleida::FormId)]
#[expect(dead_code, reason = "it documents the body, which is read leniently")]
pub struct FormId {
    /// What the submit event carried.
    #[schema(min_length = 1, max_length = 128)]
    #[serde(rename = "formId")]
    form_id: String,
}

/// Store the authorised profile (授权后发送用户信息入库)
///
/// The same values again change nothing.
#[utoipa::path(
    post, path = SEND_USER_INFO, tag = SURFACE, operation_id = "zhugeleida_send_user_info",
    params(SignatureQuery),
    request_body(content = UserInfo, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "Codes: 200, 301, 303, 306, 404", body = Answer<envelope::Nothing>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn send_user_info(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(&app).await?;
    keep_profile(app, &call, customer_id, SEND_USER_INFO).await
}

/// Store a formId (formId 信息入库)
///
/// It is good for seven days. The same one again changes nothing.
#[utoipa::path(
    post, path = SEND_FORM_ID, tag = SURFACE, operation_id = "zhugeleida_send_form_id",
    params(SignatureQuery),
    request_body(content = FormId, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "Codes: 200, 301, 303, 306, 404", body = Answer<envelope::Nothing>)),
    security(("zhugeleida_signature" = [])),
)]
pub async fn send_form_id(
    State(app): State<App>,
    Recording(call): Recording,
) -> Result<Response, Problem> {
    let (customer_id, _) = call.customer(&app).await?;
    keep_form_id(app, &call, customer_id, SEND_FORM_ID).await
}

/// Stores the profile in a request's body.
pub async fn keep_profile(
    app: App,
    call: &Call,
    customer_id: i64,
    endpoint: &'static str,
) -> Result<Response, Problem> {
    let mut form = Form {
        call,
        subject: subject(customer_id),
        flaws: Flaws::new(),
    };
    let profile = Profile {
        username: form.text("username", 1, 64)?,
        headimgurl: form.text("headimgurl", 1, 512)?,
        city: form.text("city", 0, 64)?,
        country: form.text("country", 0, 64)?,
        province: form.text("province", 0, 64)?,
        language: form.text("language", 0, 16)?,
    };
    if !form.flaws.is_empty() {
        return Err(Problem::form(form.flaws));
    }
    let update = CustomerCommand::UpdateProfile(profile);
    keep(app, call, customer_id, endpoint, update).await
}

/// Stores the form id in a request's body.
pub async fn keep_form_id(
    app: App,
    call: &Call,
    customer_id: i64,
    endpoint: &'static str,
) -> Result<Response, Problem> {
    let form_id = call.params.text("formId")?.chars(1..=128)?.required()?;
    let collect = CustomerCommand::CollectFormId {
        form_id: Personal::new(subject(customer_id), form_id),
        at: app.now(),
    };
    keep(app, call, customer_id, endpoint, collect).await
}

async fn keep(
    app: App,
    call: &Call,
    customer_id: i64,
    endpoint: &'static str,
    command: CustomerCommand,
) -> Result<Response, Problem> {
    let request = call.desk(&app, customer_id, endpoint)?;
    let desk = app.desk().clone();
    let id = customer_id.to_string();
    let done = app.detached(async move { desk.execute::<Customer>(&request, &id, command).await });
    let done = done.await??;
    Ok((Stamp::of(&app, &done), envelope::success("保存成功")).into_response())
}

/// Whose the texts are.
fn subject(customer_id: i64) -> String {
    StreamId::new(Customer::TYPE, customer_id.to_string()).to_string()
}

/// A form that is read to its end, so that the answer names every field with a flaw.
struct Form<'c> {
    call: &'c Call,
    subject: String,
    flaws: Flaws,
}

impl Form<'_> {
    fn text(
        &mut self,
        field: &'static str,
        least: usize,
        most: usize,
    ) -> Result<Personal<String>, Problem> {
        let text = self.call.params.text(field);
        let text = text.and_then(|text| text.chars(least..=most)?.required());
        match text {
            Ok(text) => Ok(Personal::new(self.subject.clone(), text)),
            Err(Invalid {
                flaw: Flaw::WrongType,
                ..
            }) => Err(Problem::wrong_type()),
            Err(Invalid { field, flaw }) => {
                self.flaws.insert(field, vec![flaw.to_string()]);
                Ok(Personal::new(self.subject.clone(), String::new()))
            }
        }
    }
}
