//! What can be asked of a company (contract README section 3, row 6; `zhugeleida.md` 4).

use serde::{Deserialize, Serialize};

use super::Decide;
use crate::events::{Company, CompanyEvent};

/// What can be asked of a company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompanyCommand {
    /// Create it.
    Create {
        /// 1…64 characters.
        name: String,
    },
    /// Call it otherwise.
    Rename {
        /// 1…64 characters.
        name: String,
    },
}

/// Why a company says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CompanyError {
    /// There is none.
    #[error("there is no such company")]
    NotFound,
    /// The id is taken.
    #[error("the company exists already")]
    Exists,
}

impl Decide for Company {
    type Command = CompanyCommand;
    type Refusal = CompanyError;

    fn decide(&self, command: &CompanyCommand) -> Result<Vec<CompanyEvent>, CompanyError> {
        match (command, self) {
            (CompanyCommand::Create { name }, Self::Uncreated) => {
                Ok(vec![CompanyEvent::CompanyCreated { name: name.clone() }])
            }
            (CompanyCommand::Create { .. }, Self::Created { .. }) => Err(CompanyError::Exists),
            (CompanyCommand::Rename { .. }, Self::Uncreated) => Err(CompanyError::NotFound),
            (CompanyCommand::Rename { name }, Self::Created { name: old }) if name == old => {
                Ok(vec![])
            }
            (CompanyCommand::Rename { name }, Self::Created { .. }) => {
                Ok(vec![CompanyEvent::CompanyRenamed { name: name.clone() }])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    fn rules() -> TestFramework<Company> {
        TestFramework::with(())
    }

    fn created() -> CompanyEvent {
        let name = "北京打铁的信息科技".to_owned();
        CompanyEvent::CompanyCreated { name }
    }

    fn create() -> CompanyCommand {
        let name = "北京打铁的信息科技".to_owned();
        CompanyCommand::Create { name }
    }

    fn rename(name: &str) -> CompanyCommand {
        let name = name.to_owned();
        CompanyCommand::Rename { name }
    }

    #[test]
    fn a_company_is_created_once() {
        rules()
            .given_no_previous_events()
            .when(create())
            .then_expect_events(vec![created()]);
        rules()
            .given(vec![created()])
            .when(create())
            .then_expect_error(CompanyError::Exists);
    }

    #[test]
    fn a_new_name_is_recorded_when_it_differs() {
        let name = "合众康桥".to_owned();
        let renamed = CompanyEvent::CompanyRenamed { name };
        rules()
            .given(vec![created()])
            .when(rename("合众康桥"))
            .then_expect_events(vec![renamed.clone()]);
        rules()
            .given(vec![created(), renamed])
            .when(rename("合众康桥"))
            .then_expect_events(vec![]);
        rules()
            .given_no_previous_events()
            .when(rename("x"))
            .then_expect_error(CompanyError::NotFound);
    }
}
