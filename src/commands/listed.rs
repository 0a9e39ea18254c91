//! What staff can ask of something of the catalogue, and the rules that answer (`community.md` section 5): the same for
//! banners, cloths, games, masters, merchants and projects. What looks at other streams, too: `cloth.rs`, `master.rs`,
//! `project.rs`.

use serde::{Deserialize, Serialize};

use super::targets::{Standing, standing};
use super::{Book, Decide, Operation, Stop};
use crate::events::listed::{Details, Listed, Listing};
use crate::events::party::{Target, TargetKind};

/// What can be asked of something of the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub enum ListedCommand<D: Details> {
    /// Make it; it is shown.
    Create(D),
    /// Describe it otherwise, shown or not.
    Edit(D::Edit),
    /// Put it out of sight.
    Withdraw,
    /// Show it again.
    Restore,
}

/// Why something of the catalogue says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ListedError {
    /// There is no such thing.
    #[error("there is no such thing in the catalogue")]
    NotFound,
    /// The id is taken.
    #[error("the id is taken")]
    Exists,
    /// A thing of this kind has no such field.
    #[error("a thing of this kind has no {field}")]
    Lacks {
        /// The field.
        field: String,
    },
    /// What it belongs to was never there, or is withdrawn.
    #[error("what {field} names is not there")]
    NoOwner {
        /// The field that names it.
        field: String,
    },
    /// The member is another master already.
    #[error("the member is another master already")]
    MemberTaken,
}

impl<D: Listing> Decide for Listed<D> {
    type Command = ListedCommand<D>;
    type Refusal = ListedError;

    fn decide(&self, command: &ListedCommand<D>) -> Result<Vec<D::Event>, ListedError> {
        match (command, self) {
            (ListedCommand::Create(details), Self::Unlisted) => Ok(vec![details.clone().created()]),
            (ListedCommand::Create(_), Self::Shown(_) | Self::Withdrawn(_)) => {
                Err(ListedError::Exists)
            }
            (
                ListedCommand::Edit(_) | ListedCommand::Withdraw | ListedCommand::Restore,
                Self::Unlisted,
            ) => Err(ListedError::NotFound),
            (ListedCommand::Edit(edit), Self::Shown(details) | Self::Withdrawn(details)) => {
                if let Some(field) = details.lacks(edit) {
                    let field = field.to_owned();
                    return Err(ListedError::Lacks { field });
                }
                Ok(details
                    .changed_by(edit)
                    .map(D::edited)
                    .into_iter()
                    .collect())
            }
            (ListedCommand::Withdraw, Self::Shown(_)) => Ok(vec![D::withdrawn()]),
            (ListedCommand::Restore, Self::Withdrawn(_)) => Ok(vec![D::restored()]),
            (ListedCommand::Withdraw, Self::Withdrawn(_))
            | (ListedCommand::Restore, Self::Shown(_)) => Ok(vec![]),
        }
    }
}

/// Makes something that belongs to nobody: a banner, a game, a merchant.
#[derive(Debug, Clone)]
pub struct Create<D> {
    /// Its new id.
    pub id: String,
    /// How it is described.
    pub details: D,
}

impl<D: Listing> Operation for Create<D> {
    /// The id; that of the first request where a key is repeated.
    type Outcome = String;
    type Refusal = ListedError;

    async fn attempt(&self, book: &mut Book) -> Result<String, Stop<ListedError>> {
        book.create::<Listed<D>>(&self.id);
        let create = ListedCommand::Create(self.details.clone());
        book.decide::<Listed<D>>(&self.id, &create).await?;
        Ok(self.id.clone())
    }
}

/// The owner that a field names must be there and shown.
pub(super) async fn owned(
    book: &mut Book,
    field: &str,
    kind: TargetKind,
    id: &str,
) -> Result<(), Stop<ListedError>> {
    match standing(book, &Target::new(kind, id)).await? {
        Standing::Live => Ok(()),
        Standing::Gone | Standing::Unknown => Err(Stop::Refused(ListedError::NoOwner {
            field: field.to_owned(),
        })),
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;

    use super::*;
    use crate::events::banner::{BannerDetails, BannerEdit, Placement};
    use crate::events::cloth::{ClothDetails, ClothEdit, Collection};
    use crate::events::merchant::{MerchantDetails, MerchantEdit};
    use crate::events::{Banner, BannerEvent, Cloth, ClothEvent, Merchant, MerchantEvent};

    fn banner() -> BannerDetails {
        BannerDetails {
            placement: Placement::Home,
            image: "a.jpeg".to_owned(),
            url: String::new(),
            position: 0,
        }
    }

    fn banners() -> TestFramework<Banner> {
        TestFramework::with(())
    }

    fn made() -> BannerEvent {
        BannerEvent::BannerCreated(banner())
    }

    #[test]
    fn a_thing_is_made_once() {
        let create = || ListedCommand::Create(banner());
        banners()
            .given_no_previous_events()
            .when(create())
            .then_expect_events(vec![made()]);
        for before in [vec![made()], vec![made(), BannerEvent::BannerWithdrawn {}]] {
            banners()
                .given(before)
                .when(create())
                .then_expect_error(ListedError::Exists);
        }
    }

    #[test]
    fn an_edit_records_only_what_changes_shown_or_not() {
        let edit = || {
            ListedCommand::Edit(BannerEdit {
                image: Some("a.jpeg".to_owned()),
                url: None,
                position: Some(7),
            })
        };
        let edited = BannerEvent::BannerEdited(BannerEdit {
            position: Some(7),
            ..BannerEdit::default()
        });
        for before in [vec![made()], vec![made(), BannerEvent::BannerWithdrawn {}]] {
            banners()
                .given(before)
                .when(edit())
                .then_expect_events(vec![edited.clone()]);
        }
        banners()
            .given(vec![made(), edited])
            .when(edit())
            .then_expect_events(vec![]);
        banners()
            .given_no_previous_events()
            .when(edit())
            .then_expect_error(ListedError::NotFound);
    }

    #[test]
    fn withdrawing_and_restoring_twice_is_quiet() {
        let withdrawn = || BannerEvent::BannerWithdrawn {};
        let restored = || BannerEvent::BannerRestored {};
        for (before, command, then) in [
            (vec![made()], ListedCommand::Withdraw, vec![withdrawn()]),
            (vec![made(), withdrawn()], ListedCommand::Withdraw, vec![]),
            (
                vec![made(), withdrawn()],
                ListedCommand::Restore,
                vec![restored()],
            ),
            (vec![made()], ListedCommand::Restore, vec![]),
        ] {
            banners()
                .given(before)
                .when(command)
                .then_expect_events(then);
        }
        for command in [ListedCommand::Withdraw, ListedCommand::Restore] {
            banners()
                .given_no_previous_events()
                .when(command)
                .then_expect_error(ListedError::NotFound);
        }
    }

    #[test]
    fn what_is_cleared_is_told_from_what_is_left_alone() {
        let merchant = MerchantDetails {
            name: "汉服坊".to_owned(),
            logo: Some("a.jpeg".to_owned()),
            intro: String::new(),
            address: String::new(),
            phone: Some("18888888888".to_owned()),
            email: None,
        };
        let cleared = MerchantEdit {
            logo: Some(None),
            ..MerchantEdit::default()
        };
        TestFramework::<Merchant>::with(())
            .given(vec![MerchantEvent::MerchantCreated(merchant.clone())])
            .when(ListedCommand::Edit(MerchantEdit {
                email: Some(None),
                ..cleared.clone()
            }))
            .then_expect_events(vec![MerchantEvent::MerchantEdited(cleared.clone())]);
        let stored = serde_json::to_string(&cleared).unwrap();
        assert_eq!(stored, r#"{"logo":null}"#);
        assert_eq!(
            serde_json::from_str::<MerchantEdit>(&stored).unwrap(),
            cleared
        );
        let mut after = merchant;
        after.edit(&cleared);
        assert_eq!((after.logo, after.phone.is_some()), (None, true));
    }

    #[test]
    fn only_a_cloth_of_the_design_circle_has_a_designer() {
        let cloth = |collection, merchant_id| {
            ClothEvent::ClothCreated(ClothDetails {
                collection,
                merchant_id,
                name: "齐胸襦裙".to_owned(),
                image: "a.jpeg".to_owned(),
                intro: String::new(),
                price_fen: 29_900,
                dynasty: 7,
                designer_intro: String::new(),
                recommended: false,
            })
        };
        let edit = ClothEdit {
            designer_intro: Some("设计师".to_owned()),
            ..ClothEdit::default()
        };
        TestFramework::<Cloth>::with(())
            .given(vec![cloth(Collection::Merchant, Some("0f".repeat(16)))])
            .when(ListedCommand::Edit(edit.clone()))
            .then_expect_error(ListedError::Lacks {
                field: "designer_intro".to_owned(),
            });
        TestFramework::<Cloth>::with(())
            .given(vec![cloth(Collection::Design, None)])
            .when(ListedCommand::Edit(edit.clone()))
            .then_expect_events(vec![ClothEvent::ClothEdited(edit)]);
    }
}
