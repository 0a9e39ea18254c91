//! What can have happened to a project (项目) of a master, for which tickets are sold, and what that adds up to.
//!
//! The names are the stored format: variants and fields are added, never renamed or reused.

use serde::{Deserialize, Serialize};

use super::listed::{Listed, described, listing};
use crate::stored_events;

described! {
    /// How a project is described.
    ProjectDetails, edited by ProjectEdit
    fixed {
        /// Whose it is, for good.
        master_id: String,
    }
    free {
        /// 1…100 characters.
        name: String,
        /// The name of a picture.
        image: String,
        /// What it is, at most 2000 characters.
        intro: String,
        /// Among those that are recommended.
        recommended: bool,
    }
}

/// Facts about a project. Withdrawn, it hides its tickets; orders stay valid. Its stream is `Project:{project_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProjectEvent {
    /// Staff made it. It is shown.
    ProjectCreated(ProjectDetails),
    /// It is described otherwise. Only changed fields are there.
    ProjectEdited(ProjectEdit),
    /// It is out of sight.
    ProjectWithdrawn {},
    /// It is shown again.
    ProjectRestored {},
}

stored_events!(ProjectEvent {
    ProjectCreated: 1,
    ProjectEdited: 1,
    ProjectWithdrawn: 1,
    ProjectRestored: 1,
});

listing!(
    "Project": ProjectDetails, ProjectEdit,
    ProjectEvent { ProjectCreated, ProjectEdited, ProjectWithdrawn, ProjectRestored }
);

/// A project as its own rules need to see it. Readers want `projections::tickets`.
pub type Project = Listed<ProjectDetails>;
