//! What all functions have in common in the documentation, said once.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{OpenApi, PathItem};

/// Finishes the description of every function: a GET has its parameters in the query and a POST in its body, ids of
/// operations are unique, and what says nothing about its security needs a token.
pub fn functions(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let both = item.get.is_some() && item.post.is_some();
        let PathItem { get, post, put, .. } = item;
        if let (true, Some(get)) = (both, get.as_mut()) {
            get.request_body = None;
            get.operation_id = get.operation_id.take().map(|id| id + "_get");
        }
        if let (true, Some(post)) = (both, post.as_mut()) {
            post.parameters = None;
        }
        secure(get.as_mut(), &["bearer", "community_token"]);
        secure(post.as_mut(), &["bearer"]);
        secure(put.as_mut(), &["bearer"]);
    }
}

fn secure(operation: Option<&mut Operation>, schemes: &[&str]) {
    let Some(operation) = operation else { return };
    if operation.security.is_none() {
        let needs = |scheme: &&str| SecurityRequirement::new(*scheme, Vec::<String>::new());
        operation.security = Some(schemes.iter().map(needs).collect());
    }
}
