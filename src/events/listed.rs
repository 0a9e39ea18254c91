//! What staff puts into the catalogue: made, described otherwise, withdrawn from sight, shown again.
//!
//! Banners, cloths, games, masters, merchants and projects have this life in common. Each has its own facts in a file of
//! its own; here is what they add up to. An edit records the changed fields only: what is absent stays, and `null` clears
//! a field that can be empty.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use crate::ledger::{State, StoredEvent};

/// How something is described, and how that changes.
pub trait Details:
    Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// New values of some fields.
    type Edit: Clone + Debug + PartialEq + Serialize + Send + Sync + 'static;

    /// Takes the new values.
    fn edit(&mut self, edit: &Self::Edit);

    /// What of an edit changes anything; `None` when nothing does.
    fn changed_by(&self, edit: &Self::Edit) -> Option<Self::Edit>;
}

/// Something of the catalogue: how it is described, and the names of its facts.
pub trait Listing: Details {
    /// The aggregate's name in stream ids.
    const TYPE: &'static str;
    /// Its facts.
    type Event: StoredEvent;

    /// What one of them says.
    fn told(event: &Self::Event) -> Told<'_, Self>;
    /// It was made.
    fn created(self) -> Self::Event;
    /// It is described otherwise.
    fn edited(edit: Self::Edit) -> Self::Event;
    /// It is out of sight.
    fn withdrawn() -> Self::Event;
    /// It is shown again.
    fn restored() -> Self::Event;

    /// The field of an edit that something of this description does not have.
    fn lacks(&self, edit: &Self::Edit) -> Option<&'static str> {
        let _ = edit;
        None
    }
}

/// What a fact says about something of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Told<'e, D: Details> {
    /// It was made, and is shown.
    Created(&'e D),
    /// It is described otherwise.
    Edited(&'e D::Edit),
    /// It is out of sight.
    Withdrawn,
    /// It is shown again.
    Restored,
}

/// Something of the catalogue as its own rules need to see it. Readers want `projections::catalogue`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Listed<D> {
    /// Never made.
    #[default]
    Unlisted,
    /// Everybody sees it.
    Shown(D),
    /// Out of sight, until it is restored.
    Withdrawn(D),
}

impl<D> Listed<D> {
    /// How it is described, shown or not.
    #[must_use]
    pub fn details(&self) -> Option<&D> {
        match self {
            Self::Unlisted => None,
            Self::Shown(details) | Self::Withdrawn(details) => Some(details),
        }
    }
}

impl<D: Listing> State for Listed<D> {
    const TYPE: &'static str = D::TYPE;
    type Event = D::Event;

    fn apply(&mut self, event: &D::Event) {
        match (D::told(event), &mut *self) {
            (Told::Created(details), _) => *self = Self::Shown(details.clone()),
            (Told::Edited(edit), Self::Shown(details) | Self::Withdrawn(details)) => {
                details.edit(edit);
            }
            (Told::Withdrawn, Self::Shown(details)) => *self = Self::Withdrawn(details.clone()),
            (Told::Restored, Self::Withdrawn(details)) => *self = Self::Shown(details.clone()),
            (Told::Edited(_), Self::Unlisted)
            | (Told::Withdrawn, Self::Unlisted | Self::Withdrawn(_))
            | (Told::Restored, Self::Unlisted | Self::Shown(_)) => {}
        }
    }
}

/// Reads a field of an edit. One that stands there was given, and `null` says empty: absent and empty are told apart.
pub(super) fn given<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Writes a description and its edit: fields that never change, and those that may, as `Option`s of themselves.
macro_rules! described {
    (
        $(#[$doc:meta])*
        $details:ident, edited by $edit:ident
        fixed { $($(#[$fixed_doc:meta])* $fixed:ident: $fixed_type:ty),* $(,)? }
        free { $($(#[$free_doc:meta])* $free:ident: $free_type:ty),* $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
        pub struct $details {
            $($(#[$fixed_doc])* pub $fixed: $fixed_type,)*
            $($(#[$free_doc])* pub $free: $free_type,)*
        }

        /// New values of what may change; what is absent stays.
        #[derive(Debug, Default, Clone, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
        pub struct $edit {
            $(
                $(#[$free_doc])*
                #[serde(
                    default,
                    skip_serializing_if = "Option::is_none",
                    deserialize_with = "super::listed::given"
                )]
                pub $free: Option<$free_type>,
            )*
        }

        impl $crate::events::listed::Details for $details {
            type Edit = $edit;

            fn edit(&mut self, edit: &$edit) {
                $(
                    if let Some(new) = &edit.$free {
                        self.$free.clone_from(new);
                    }
                )*
            }

            fn changed_by(&self, edit: &$edit) -> Option<$edit> {
                let changed = $edit {
                    $($free: edit.$free.clone().filter(|new| *new != self.$free),)*
                };
                (changed != $edit::default()).then_some(changed)
            }
        }
    };
}

/// Makes something described a [`Listing`], under the names of its facts.
macro_rules! listing {
    (
        $type:literal: $details:ident, $edit:ident,
        $event:ident { $created:ident, $edited:ident, $withdrawn:ident, $restored:ident }
        $(lacks $lacks:path)?
    ) => {
        impl $crate::events::listed::Listing for $details {
            const TYPE: &'static str = $type;
            type Event = $event;

            fn told(event: &$event) -> $crate::events::listed::Told<'_, Self> {
                use $crate::events::listed::Told;
                match event {
                    $event::$created(details) => Told::Created(details),
                    $event::$edited(edit) => Told::Edited(edit),
                    $event::$withdrawn {} => Told::Withdrawn,
                    $event::$restored {} => Told::Restored,
                }
            }

            fn created(self) -> $event {
                $event::$created(self)
            }

            fn edited(edit: $edit) -> $event {
                $event::$edited(edit)
            }

            fn withdrawn() -> $event {
                $event::$withdrawn {}
            }

            fn restored() -> $event {
                $event::$restored {}
            }

            $(fn lacks(&self, edit: &$edit) -> Option<&'static str> {
                $lacks(self, edit)
            })?
        }
    };
}

pub(super) use {described, listing};
