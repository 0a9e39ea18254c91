//! Which event of a failed batch is to blame: the batch is folded again into this one projection, in parts, by halving.

use sqlx::{Executor, PgConnection};

use super::super::FoldError;
use super::batch::{Batch, BatchError, Track, begin};

/// The first event that the projection cannot fold, and its error. `None` when the batch goes through after all.
///
/// Folds under a savepoint and takes everything back.
pub(super) async fn search(
    connection: &mut PgConnection,
    track: &mut Track,
    batch: &Batch,
) -> Result<Option<(i64, String)>, BatchError> {
    begin(connection, &[&*track]).await?;
    let handled = track.handled(batch);
    let Some(mut error) = attempt(connection, track, &handled).await? else {
        connection.execute("ROLLBACK").await?;
        return Ok(None);
    };
    // The first `sound` events go through, the first `broken` do not.
    let (mut sound, mut broken) = (0, handled.len());
    while broken - sound > 1 {
        let half = usize::midpoint(sound, broken);
        match attempt(connection, track, &handled[..half]).await? {
            Some(cause) => (broken, error) = (half, cause),
            None => sound = half,
        }
    }
    connection.execute("ROLLBACK").await?;
    Ok(Some((handled[broken - 1].place.position, error)))
}

/// Folds and takes it back; answers the error when it is the data's fault.
async fn attempt(
    connection: &mut PgConnection,
    track: &Track,
    handled: &[&crate::events::Fact],
) -> Result<Option<String>, BatchError> {
    connection.execute("SAVEPOINT part").await?;
    let folded = track.projection.apply(handled, connection).await;
    let error = match folded {
        Ok(()) => None,
        Err(error) if error.is_data() => Some(message(&error)),
        Err(error) => {
            return Err(BatchError::Fold {
                projection: track.projection.name(),
                error,
            });
        }
    };
    connection.execute("ROLLBACK TO SAVEPOINT part").await?;
    Ok(error)
}

/// The server's sentence with its code; its detail may show a person's data and stays out.
fn message(error: &FoldError) -> String {
    match error {
        FoldError::Data(reason) => reason.clone(),
        FoldError::Database(error) => match error.as_database_error() {
            Some(error) => format!("{} ({})", error.message(), error.code().unwrap_or_default()),
            None => error.to_string(),
        },
    }
}
