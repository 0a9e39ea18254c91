//! Making a project: its master must be shown. Tickets of a project: `ticket.rs`.

use super::listed::{ListedCommand, ListedError, owned};
use super::{Book, Operation, Stop};
use crate::events::Project;
use crate::events::party::TargetKind;
use crate::events::project::ProjectDetails;

/// Makes a project of a master that is shown.
#[derive(Debug, Clone)]
pub struct CreateProject {
    /// Its new id.
    pub id: String,
    /// How it is described.
    pub details: ProjectDetails,
}

impl Operation for CreateProject {
    type Outcome = String;
    type Refusal = ListedError;

    async fn attempt(&self, book: &mut Book) -> Result<String, Stop<ListedError>> {
        book.create::<Project>(&self.id);
        owned(
            book,
            "master_id",
            TargetKind::Master,
            &self.details.master_id,
        )
        .await?;
        let create = ListedCommand::Create(self.details.clone());
        book.decide::<Project>(&self.id, &create).await?;
        Ok(self.id.clone())
    }
}
