//! Who acts and what is acted upon, in the spelling of stream ids: `member:{uid}`, `article:61` (contract README section 3).
//!
//! Both spellings are stored in events and in stream ids: words are added, never renamed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A word that is none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names nobody and nothing that we know")]
pub struct UnknownWord(String);

impl UnknownWord {
    pub(super) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Writes an enum of words that are stored as texts.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// The word in ids and payloads.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord(text.to_owned())),
                }
            }
        }
    };
}

words! {
    /// Kinds of those who act, write or are written to.
    PartyKind {
        /// Of the community; its uid, 32 hex characters.
        Member = "member",
        /// Of the mini-program; a positive integer.
        Customer = "customer",
        /// An enterprise user, named by the card; a positive integer.
        Card = "card",
        /// An author of the case list, 26 characters; or `anonymous`.
        Weidu = "weidu",
        /// A staff id.
        Staff = "staff",
        /// A master (达人); 32 hex characters.
        Master = "master",
        /// A merchant; 32 hex characters.
        Merchant = "merchant",
        /// The community's customer service: there is one, without an id.
        CustomerService = "customer_service",
        /// The service itself, without an id.
        System = "system",
        /// Nobody known, without an id.
        Anonymous = "anonymous",
    }
}

words! {
    /// Kinds of what is reacted to, commented on, followed or looked at.
    TargetKind {
        /// Of the community.
        Article = "article",
        /// Of whatever it stands under.
        Comment = "comment",
        /// Of the design circle or of a merchant.
        Cloth = "cloth",
        /// Of the community.
        Game = "game",
        /// Of a project.
        Ticket = "ticket",
        /// A member that is followed.
        User = "user",
        /// A master that is followed.
        Master = "master",
        /// A merchant that is followed.
        Merchant = "merchant",
        /// A business card.
        Card = "card",
        /// Of a company.
        Product = "product",
        /// Of a company, under the company's id.
        Website = "website",
        /// Of the case library.
        Case = "case",
        /// Of the case library.
        Tag = "tag",
        /// Of a case.
        Diary = "diary",
        /// A case of the case list, under its task id.
        Showcase = "showcase",
    }
}

/// Writes a pair of a kind and an id, one text outside: `kind:id`, or `kind` where there is no id.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident of $kind:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            /// Of which kind.
            pub kind: $kind,
            /// The id within the kind; `""` where the kind has one only.
            pub id: String,
        }

        impl $name {
            /// One of a kind.
            pub fn new(kind: $kind, id: impl fmt::Display) -> Self {
                Self { kind, id: id.to_string() }
            }

            /// Its id as a number; `None` where ids are none.
            #[must_use]
            pub fn number(&self) -> Option<i64> {
                self.id.parse().ok()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.kind.word())?;
                if self.id.is_empty() {
                    return Ok(());
                }
                write!(f, ":{}", self.id)
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                let (kind, id) = text.split_once(':').unwrap_or((text, ""));
                Ok(Self { kind: kind.parse()?, id: id.to_owned() })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

named! {
    /// Somebody who acts, writes or is written to: `member:{uid}`.
    Party of PartyKind
}

named! {
    /// Something that is reacted to, commented on, followed or looked at: `article:61`.
    Target of TargetKind
}

impl Party {
    /// The community's customer service.
    #[must_use]
    pub fn customer_service() -> Self {
        Self::new(PartyKind::CustomerService, "")
    }

    /// The stream whose key seals what this party writes.
    #[must_use]
    pub fn subject(&self) -> String {
        let id = &self.id;
        match self.kind {
            PartyKind::Member => format!("Account:community:{id}"),
            PartyKind::Weidu => format!("Account:weidu:{id}"),
            PartyKind::Staff => format!("Account:backend:{id}"),
            PartyKind::Customer => format!("Customer:{id}"),
            PartyKind::Card => format!("Card:{id}"),
            PartyKind::Master => format!("Master:{id}"),
            PartyKind::Merchant => format!("Merchant:{id}"),
            PartyKind::CustomerService | PartyKind::System | PartyKind::Anonymous => {
                self.kind.word().to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_read_as_they_are_written() {
        for text in [
            "member:0f",
            "customer:7",
            "customer_service",
            "weidu:anonymous",
        ] {
            assert_eq!(text.parse::<Party>().unwrap().to_string(), text);
        }
        let target: Target = "article:61".parse().unwrap();
        assert_eq!(
            (target.kind, target.number()),
            (TargetKind::Article, Some(61))
        );
        assert_eq!(serde_json::to_string(&target).unwrap(), "\"article:61\"");
        assert_eq!(
            serde_json::from_str::<Target>("\"article:61\"").unwrap(),
            target
        );
        for unknown in ["", "articles:61", ":61", "Article:61"] {
            assert!(unknown.parse::<Target>().is_err(), "{unknown}");
        }
    }
}
