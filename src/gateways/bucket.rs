//! Stored files in a bucket, at Amazon or whoever else speaks S3.

use object_store::aws::AmazonS3Builder;
use secrecy::ExposeSecret;

use super::files::{FileError, FileStore};
use crate::settings::FileSettings;

/// The bucket as the operator described it. Nothing is asked of it yet.
pub fn open(bucket: &str, settings: &FileSettings) -> Result<FileStore, FileError> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        // One is deleted at a time, and not every service knows how to delete many.
        .with_disable_bulk_delete(true)
        .with_region(&settings.s3_region);
    if let Some(endpoint) = &settings.s3_endpoint {
        // Services of one's own are often reached without TLS, and know buckets by path only.
        builder = builder
            .with_endpoint(endpoint)
            .with_allow_http(endpoint.starts_with("http://"))
            .with_virtual_hosted_style_request(false);
    }
    if let (Some(id), Some(secret)) = (
        &settings.s3_access_key_id,
        &settings.s3_secret_access_key,
    ) {
        builder = builder
            .with_access_key_id(id)
            .with_secret_access_key(secret.expose_secret());
    }
    builder.build().map(FileStore::over).map_err(FileError::new)
}
