//! What can be asked of a product, and the rules that answer (`zhugeleida.md` section 4).

use serde::{Deserialize, Serialize};

use super::{Book, Decide, Operation, Stop, changed};
use crate::events::product::{ProductContent, ProductProfile, ProductStatus};
use crate::events::{Company, Product, ProductEvent};

/// What can be asked of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductCommand {
    /// Make it, off shelf. That the company exists is the operation's to guard.
    Create {
        /// Whose it is.
        company_id: i64,
        /// How it is described.
        profile: ProductProfile,
    },
    /// Describe it otherwise.
    Edit(ProductEdit),
    /// Put it on the shelf; a recommended one is no longer recommended.
    Publish,
    /// Put it on the shelf and recommend it.
    Recommend,
    /// Take it off the shelf.
    Withdraw,
}

/// What changes of a description; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of `ProductEvent`")]
pub struct ProductEdit {
    pub name: Option<String>,
    pub price: Option<String>,
    pub reason: Option<String>,
    pub content: Option<ProductContent>,
}

/// Why a product says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ProductError {
    /// There is none.
    #[error("there is no such product")]
    NotFound,
    /// The id is taken.
    #[error("the product exists already")]
    Exists,
    /// There is no such company.
    #[error("there is no company {company_id}")]
    NoCompany {
        /// Its id.
        company_id: i64,
    },
}

impl Decide for Product {
    type Command = ProductCommand;
    type Refusal = ProductError;

    fn decide(&self, command: &ProductCommand) -> Result<Vec<ProductEvent>, ProductError> {
        let (profile, status) = match (command, self) {
            (
                ProductCommand::Create {
                    company_id,
                    profile,
                },
                Self::Uncreated,
            ) => return Ok(vec![created(*company_id, profile)]),
            (_, Self::Uncreated) => return Err(ProductError::NotFound),
            (
                _,
                Self::Created {
                    profile, status, ..
                },
            ) => (profile, *status),
        };
        let (event, wanted) = match command {
            ProductCommand::Create { .. } => return Err(ProductError::Exists),
            ProductCommand::Edit(edit) => return Ok(edited(profile, edit)),
            ProductCommand::Publish => {
                (ProductEvent::ProductPublished {}, ProductStatus::Published)
            }
            ProductCommand::Recommend => (
                ProductEvent::ProductRecommended {},
                ProductStatus::Recommended,
            ),
            ProductCommand::Withdraw => {
                (ProductEvent::ProductWithdrawn {}, ProductStatus::OffShelf)
            }
        };
        Ok(if wanted == status {
            vec![]
        } else {
            vec![event]
        })
    }
}

fn created(company_id: i64, profile: &ProductProfile) -> ProductEvent {
    let profile = profile.clone();
    ProductEvent::ProductCreated {
        company_id,
        name: profile.name,
        price: profile.price,
        reason: profile.reason,
        content: profile.content,
    }
}

/// Only what changes; nothing at all when nothing does.
fn edited(old: &ProductProfile, edit: &ProductEdit) -> Vec<ProductEvent> {
    let edit = ProductEdit {
        name: changed(edit.name.as_ref(), &old.name),
        price: changed(edit.price.as_ref(), &old.price),
        reason: changed(edit.reason.as_ref(), &old.reason),
        content: changed(edit.content.as_ref(), &old.content),
    };
    if edit == ProductEdit::default() {
        return vec![];
    }
    vec![ProductEvent::ProductEdited {
        name: edit.name,
        price: edit.price,
        reason: edit.reason,
        content: edit.content,
    }]
}

/// Makes a product of a company that is there.
#[derive(Debug, Clone)]
pub struct CreateProduct {
    /// The new id.
    pub id: i64,
    /// Whose it is.
    pub company_id: i64,
    /// How it is described.
    pub profile: ProductProfile,
}

impl Operation for CreateProduct {
    /// The product's id: under a repeated key the first one's.
    type Outcome = i64;
    type Refusal = ProductError;

    async fn attempt(&self, book: &mut Book) -> Result<i64, Stop<ProductError>> {
        let company_id = self.company_id;
        let company = book.state::<Company>(&company_id.to_string()).await?;
        if *company == Company::Uncreated {
            return Err(Stop::Refused(ProductError::NoCompany { company_id }));
        }
        let id = self.id.to_string();
        let create = ProductCommand::Create {
            company_id,
            profile: self.profile.clone(),
        };
        book.create::<Product>(&id);
        book.decide::<Product>(&id, &create).await?;
        Ok(self.id)
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use rstest::rstest;

    use super::*;

    fn rules() -> TestFramework<Product> {
        TestFramework::with(())
    }

    fn profile() -> ProductProfile {
        ProductProfile {
            name: "门票".to_owned(),
            price: "280-1280".to_owned(),
            ..ProductProfile::default()
        }
    }

    fn made() -> ProductEvent {
        created(1, &profile())
    }

    #[test]
    fn a_product_is_made_once() {
        let create = ProductCommand::Create {
            company_id: 1,
            profile: profile(),
        };
        rules()
            .given_no_previous_events()
            .when(create.clone())
            .then_expect_events(vec![made()]);
        rules()
            .given(vec![made()])
            .when(create)
            .then_expect_error(ProductError::Exists);
    }

    #[test]
    fn an_edit_records_what_changes() {
        let edit = ProductCommand::Edit(ProductEdit {
            name: Some("门票".to_owned()),
            price: Some("128".to_owned()),
            ..ProductEdit::default()
        });
        let edited = ProductEvent::ProductEdited {
            name: None,
            price: Some("128".to_owned()),
            reason: None,
            content: None,
        };
        rules()
            .given(vec![made()])
            .when(edit.clone())
            .then_expect_events(vec![edited.clone()]);
        rules()
            .given(vec![made(), edited])
            .when(edit)
            .then_expect_events(vec![]);
    }

    #[rstest]
    #[case(ProductCommand::Publish, ProductEvent::ProductPublished {})]
    #[case(ProductCommand::Recommend, ProductEvent::ProductRecommended {})]
    fn it_moves_between_shelf_and_recommendation(
        #[case] command: ProductCommand,
        #[case] event: ProductEvent,
    ) {
        rules()
            .given(vec![made()])
            .when(command.clone())
            .then_expect_events(vec![event.clone()]);
        rules()
            .given(vec![made(), event.clone()])
            .when(command)
            .then_expect_events(vec![]);
        rules()
            .given(vec![made(), event])
            .when(ProductCommand::Withdraw)
            .then_expect_events(vec![ProductEvent::ProductWithdrawn {}]);
    }

    #[test]
    fn a_new_product_is_off_shelf_already() {
        rules()
            .given(vec![made()])
            .when(ProductCommand::Withdraw)
            .then_expect_events(vec![]);
    }

    #[rstest]
    #[case(ProductCommand::Edit(ProductEdit::default()))]
    #[case(ProductCommand::Publish)]
    #[case(ProductCommand::Recommend)]
    #[case(ProductCommand::Withdraw)]
    fn nothing_is_asked_of_a_product_that_is_not_there(#[case] command: ProductCommand) {
        rules()
            .given_no_previous_events()
            .when(command)
            .then_expect_error(ProductError::NotFound);
    }
}
