//! Stored files, by where they are served.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::{FoldError, Handling, Projection};
use crate::events::{Event, Fact, MediaEvent};

/// The read model `media`.
pub struct MediaFiles;

#[async_trait]
impl Projection for MediaFiles {
    fn name(&self) -> &'static str {
        "media"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        include_str!("tables.sql")
    }

    fn feeds_on(&self) -> &'static [&'static str] {
        &["Media"]
    }

    fn handles(&self, event: &Event) -> Handling {
        let Event::Media(event) = event else {
            return Handling::Ignored;
        };
        match event {
            MediaEvent::MediaStored { .. } | MediaEvent::MediaDeleted {} => Handling::Handled,
            MediaEvent::MediaIdIssued { .. } => Handling::Ignored,
        }
    }

    async fn apply(&self, batch: &[&Fact], tx: &mut PgConnection) -> Result<(), FoldError> {
        let mut stored = BTreeMap::new();
        let mut deleted = BTreeSet::new();
        for fact in batch {
            let Event::Media(event) = &fact.event else {
                continue;
            };
            let stream = &fact.place.stream;
            let id: Uuid = (stream.id.parse())
                .map_err(|_| FoldError::Data(format!("{stream} names no UUID")))?;
            match event {
                MediaEvent::MediaIdIssued { .. } => {}
                MediaEvent::MediaStored {
                    uri,
                    content_type,
                    size_bytes,
                    sha256,
                } => {
                    let file = MediaFile {
                        id,
                        uri: uri.clone(),
                        content_type: content_type.clone(),
                        size_bytes: *size_bytes,
                        sha256: sha256.clone(),
                        stored_at: fact.place.recorded_at,
                    };
                    stored.insert(id, (file, fact.place.position));
                }
                MediaEvent::MediaDeleted {} => {
                    if stored.remove(&id).is_none() {
                        deleted.insert(id);
                    }
                }
            }
        }
        if !deleted.is_empty() {
            let deleted: Vec<Uuid> = deleted.into_iter().collect();
            sqlx::query!("DELETE FROM media WHERE id = ANY($1)", &deleted)
                .execute(&mut *tx)
                .await?;
        }
        if !stored.is_empty() {
            insert(tx, stored).await?;
        }
        Ok(())
    }
}

async fn insert(
    tx: &mut PgConnection,
    stored: BTreeMap<Uuid, (MediaFile, i64)>,
) -> sqlx::Result<()> {
    let mut texts: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    let (mut ids, mut positions, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
    let mut stored_at = Vec::new();
    for (id, (file, position)) in stored {
        ids.push(id);
        positions.push(position);
        stored_at.push(file.stored_at);
        sizes.push(file.size_bytes);
        texts.0.push(file.uri);
        texts.1.push(file.content_type);
        texts.2.push(file.sha256);
    }
    sqlx::query!(
        "INSERT INTO media (id, position, stored_at, size_bytes, uri, content_type, sha256)
         SELECT unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::timestamptz[]), unnest($4::bigint[]),
                unnest($5::text[]), unnest($6::text[]), unnest($7::text[])",
        &ids,
        &positions,
        &stored_at,
        &sizes,
        &texts.0,
        &texts.1,
        &texts.2,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A stored file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaFile {
    /// The id part of its stream.
    pub id: Uuid,
    /// Where it is served, and its key in the file store.
    pub uri: String,
    /// Its recognized type.
    pub content_type: String,
    /// How many bytes.
    pub size_bytes: i64,
    /// SHA-256 of the bytes, hex.
    pub sha256: String,
    /// When the log heard of it.
    pub stored_at: DateTime<Utc>,
}

/// The file of an id, unless there is none or it was deleted.
///
/// # Errors
/// When the database says no.
pub async fn by_id(db: impl PgExecutor<'_>, id: Uuid) -> sqlx::Result<Option<MediaFile>> {
    sqlx::query_as!(
        MediaFile,
        "SELECT id, uri, content_type, size_bytes, sha256, stored_at FROM media WHERE id = $1",
        id,
    )
    .fetch_optional(db)
    .await
}

/// The file served at `uri`, unless there is none or it was deleted.
///
/// # Errors
/// When the database says no.
pub async fn by_uri(db: impl PgExecutor<'_>, uri: &str) -> sqlx::Result<Option<MediaFile>> {
    sqlx::query_as!(
        MediaFile,
        "SELECT id, uri, content_type, size_bytes, sha256, stored_at FROM media WHERE uri = $1",
        uri,
    )
    .fetch_optional(db)
    .await
}
