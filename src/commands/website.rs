//! What can be asked of a company's website, and the rule that answers (`zhugeleida.md` section 4).

use serde::{Deserialize, Serialize};

use super::{Book, Decide, Operation, Stop};
use crate::events::{Company, Website, WebsiteEvent};

/// What can be asked of a website.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebsiteCommand {
    /// Show these pictures and no others. That the company exists is the operation's to guard.
    SetPictures(Website),
}

/// Why a website says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum WebsiteError {
    /// There is no such company.
    #[error("there is no company {company_id}")]
    NoCompany {
        /// Its id.
        company_id: i64,
    },
}

impl Decide for Website {
    type Command = WebsiteCommand;
    type Refusal = WebsiteError;

    fn decide(&self, command: &WebsiteCommand) -> Result<Vec<WebsiteEvent>, WebsiteError> {
        let WebsiteCommand::SetPictures(wanted) = command;
        if wanted == self {
            return Ok(vec![]);
        }
        let Self {
            cover_picture,
            content_picture,
        } = wanted.clone();
        Ok(vec![WebsiteEvent::WebsitePicturesSet {
            cover_picture,
            content_picture,
        }])
    }
}

/// Sets the pictures of a company that is there.
#[derive(Debug, Clone)]
pub struct SetWebsitePictures {
    /// Whose website it is.
    pub company_id: i64,
    /// All its pictures.
    pub pictures: Website,
}

impl Operation for SetWebsitePictures {
    type Outcome = ();
    type Refusal = WebsiteError;

    async fn attempt(&self, book: &mut Book) -> Result<(), Stop<WebsiteError>> {
        let company_id = self.company_id;
        let id = company_id.to_string();
        if *book.state::<Company>(&id).await? == Company::Uncreated {
            return Err(Stop::Refused(WebsiteError::NoCompany { company_id }));
        }
        let set = WebsiteCommand::SetPictures(self.pictures.clone());
        book.decide::<Website>(&id, &set).await
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;

    fn pictures(cover: &[&str]) -> Website {
        Website {
            cover_picture: cover.iter().map(|place| (*place).to_owned()).collect(),
            content_picture: vec!["content.png".to_owned()],
        }
    }

    fn set(cover: &[&str]) -> WebsiteEvent {
        let Website {
            cover_picture,
            content_picture,
        } = pictures(cover);
        WebsiteEvent::WebsitePicturesSet {
            cover_picture,
            content_picture,
        }
    }

    #[test]
    fn pictures_are_set_and_setting_them_again_is_quiet() {
        let rules = || TestFramework::<Website>::with(());
        let command = |cover: &[&str]| WebsiteCommand::SetPictures(pictures(cover));
        rules()
            .given_no_previous_events()
            .when(command(&["a.png"]))
            .then_expect_events(vec![set(&["a.png"])]);
        rules()
            .given(vec![set(&["a.png"])])
            .when(command(&["a.png"]))
            .then_expect_events(vec![]);
        // Their order counts.
        rules()
            .given(vec![set(&["a.png", "b.png"])])
            .when(command(&["b.png", "a.png"]))
            .then_expect_events(vec![set(&["b.png", "a.png"])]);
        rules()
            .given_no_previous_events()
            .when(WebsiteCommand::SetPictures(Website::default()))
            .then_expect_events(vec![]);
    }
}
