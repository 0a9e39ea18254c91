//! The staff endpoint's body in OpenAPI, written from the table: one alternative a command.

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder};
use utoipa::openapi::{OpenApi, Ref, Required, Schema};

use super::ENDPOINT;
use super::table::{COMMANDS, Description};

/// Enters every command of the table: its fields among the schemas, its envelope among the body's alternatives.
pub(super) fn commands(document: &mut OpenApi) {
    let mut body = OneOfBuilder::new().description(Some("Exactly one command."));
    let components = document.components.get_or_insert_default();
    for entry in COMMANDS {
        let Description {
            address,
            name,
            schema,
            schemas,
        } = entry.description();
        components.schemas.extend(schemas);
        body = body.item(
            ObjectBuilder::new()
                .title(Some(name))
                .description(Some(format!("To `{address}`.")))
                .property(name, Ref::from_schema_name(schema))
                .required(name)
                .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false))),
        );
    }
    let operation = document
        .paths
        .paths
        .get_mut(ENDPOINT)
        .and_then(|path| path.post.as_mut());
    if let Some(operation) = operation {
        let content = ContentBuilder::new().schema(Some(body)).build();
        let body = RequestBodyBuilder::new()
            .content("application/json", content)
            .required(Some(Required::True))
            .build();
        operation.request_body = Some(body.into());
    }
}
