//! What can be asked of a tag, and the rules that answer (`zhugeleida.md` section 4). Commands that look at the claim on
//! its name, too: `operations.rs`. Cases are given tags by `commands::case`.

mod operations;

use serde::{Deserialize, Serialize};

pub use operations::{CreateTag, DeleteTag, RenameTag};

use super::Decide;
use crate::events::tag::LiveTag;
use crate::events::{Tag, TagEvent};

/// What can be asked of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagCommand {
    /// Make it. Its name is claimed in the same job.
    Create {
        /// Whose it is.
        company_id: i64,
        /// What it is called.
        name: String,
    },
    /// Call it otherwise. The new name is claimed in the same job.
    Rename {
        /// What it is called from here on.
        name: String,
    },
    /// Give it to a case; the case records the same in the same job.
    Assign {
        /// Whose case that is.
        company_id: i64,
        /// Which case.
        case_id: i64,
    },
    /// Take it from a case; the case records the same in the same job.
    Unassign {
        /// Which case.
        case_id: i64,
    },
    /// Remove it, when no case carries it.
    Delete,
}

/// Why a tag says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum TagError {
    /// There is no such tag (or no longer), or it is another company's.
    #[error("there is no such tag")]
    NotFound,
    /// The id is taken.
    #[error("the tag exists already")]
    Exists,
    /// There is no such company.
    #[error("there is no company {company_id}")]
    NoCompany {
        /// Its id.
        company_id: i64,
    },
    /// The company has another tag of that name.
    #[error("another tag of this company has that name")]
    NameTaken,
    /// A case carries it.
    #[error("a tag is not deleted while a case carries it")]
    Carried,
}

impl Decide for Tag {
    type Command = TagCommand;
    type Refusal = TagError;

    fn decide(&self, command: &TagCommand) -> Result<Vec<TagEvent>, TagError> {
        match (command, self) {
            (TagCommand::Create { company_id, name }, Self::Uncreated) => {
                Ok(vec![TagEvent::TagCreated {
                    company_id: *company_id,
                    name: name.clone(),
                }])
            }
            (TagCommand::Create { .. }, Self::Live(_) | Self::Deleted) => Err(TagError::Exists),
            (command, Self::Live(tag)) => change(tag, command),
            (TagCommand::Delete, Self::Deleted) => Ok(vec![]),
            (_, Self::Uncreated | Self::Deleted) => Err(TagError::NotFound),
        }
    }
}

fn change(tag: &LiveTag, command: &TagCommand) -> Result<Vec<TagEvent>, TagError> {
    match command {
        TagCommand::Create { .. } => Err(TagError::Exists),
        TagCommand::Rename { name } if *name == tag.name => Ok(vec![]),
        TagCommand::Rename { name } => Ok(vec![TagEvent::TagRenamed { name: name.clone() }]),
        TagCommand::Assign { company_id, .. } if *company_id != tag.company_id => {
            Err(TagError::NotFound)
        }
        TagCommand::Assign { case_id, .. } if tag.cases.contains(case_id) => Ok(vec![]),
        TagCommand::Assign { case_id, .. } => Ok(vec![TagEvent::TagAssigned { case_id: *case_id }]),
        TagCommand::Unassign { case_id } if tag.cases.contains(case_id) => {
            Ok(vec![TagEvent::TagUnassigned { case_id: *case_id }])
        }
        TagCommand::Unassign { .. } => Ok(vec![]),
        TagCommand::Delete if !tag.cases.is_empty() => Err(TagError::Carried),
        TagCommand::Delete => Ok(vec![TagEvent::TagDeleted {}]),
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use rstest::rstest;

    use super::*;

    fn rules() -> TestFramework<Tag> {
        TestFramework::with(())
    }

    fn made() -> TagEvent {
        TagEvent::TagCreated {
            company_id: 1,
            name: "隆鼻".to_owned(),
        }
    }

    fn assign(company_id: i64) -> TagCommand {
        TagCommand::Assign {
            company_id,
            case_id: 7,
        }
    }

    const ASSIGNED: TagEvent = TagEvent::TagAssigned { case_id: 7 };
    const UNASSIGNED: TagEvent = TagEvent::TagUnassigned { case_id: 7 };

    #[test]
    fn a_tag_is_made_once() {
        let create = || TagCommand::Create {
            company_id: 1,
            name: "隆鼻".to_owned(),
        };
        rules()
            .given_no_previous_events()
            .when(create())
            .then_expect_events(vec![made()]);
        for given in [vec![made()], vec![made(), TagEvent::TagDeleted {}]] {
            rules()
                .given(given)
                .when(create())
                .then_expect_error(TagError::Exists);
        }
    }

    #[test]
    fn a_tag_is_renamed_and_its_own_name_is_no_change() {
        let rename = |name: &str| TagCommand::Rename {
            name: name.to_owned(),
        };
        rules()
            .given(vec![made()])
            .when(rename("汽车"))
            .then_expect_events(vec![TagEvent::TagRenamed {
                name: "汽车".to_owned(),
            }]);
        rules()
            .given(vec![made()])
            .when(rename("隆鼻"))
            .then_expect_events(vec![]);
    }

    #[test]
    fn a_case_of_the_same_company_carries_it_once() {
        rules()
            .given(vec![made()])
            .when(assign(1))
            .then_expect_events(vec![ASSIGNED]);
        rules()
            .given(vec![made(), ASSIGNED])
            .when(assign(1))
            .then_expect_events(vec![]);
        rules()
            .given(vec![made()])
            .when(assign(2))
            .then_expect_error(TagError::NotFound);
        let unassign = TagCommand::Unassign { case_id: 7 };
        rules()
            .given(vec![made(), ASSIGNED])
            .when(unassign.clone())
            .then_expect_events(vec![UNASSIGNED]);
        rules()
            .given(vec![made(), ASSIGNED, UNASSIGNED])
            .when(unassign)
            .then_expect_events(vec![]);
    }

    #[test]
    fn a_tag_goes_when_no_case_carries_it() {
        rules()
            .given(vec![made(), ASSIGNED])
            .when(TagCommand::Delete)
            .then_expect_error(TagError::Carried);
        rules()
            .given(vec![made(), ASSIGNED, UNASSIGNED])
            .when(TagCommand::Delete)
            .then_expect_events(vec![TagEvent::TagDeleted {}]);
        rules()
            .given(vec![made(), TagEvent::TagDeleted {}])
            .when(TagCommand::Delete)
            .then_expect_events(vec![]);
    }

    #[rstest]
    #[case(TagCommand::Rename { name: "x".to_owned() })]
    #[case(assign(1))]
    #[case(TagCommand::Unassign { case_id: 7 })]
    fn nothing_is_asked_of_a_tag_that_is_not_there(#[case] command: TagCommand) {
        for given in [vec![], vec![made(), TagEvent::TagDeleted {}]] {
            rules()
                .given(given)
                .when(command.clone())
                .then_expect_error(TagError::NotFound);
        }
    }
}
