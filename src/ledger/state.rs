//! What the ledger asks of an aggregate: how its events are read and what they add up to.

use cqrs_es::DomainEvent;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An event type the log may hold.
pub trait StoredEvent: DomainEvent + 'static {
    /// Every event type with the version this build writes, as `("TaskCreated", 1)`.
    const TYPES: &'static [(&'static str, u32)];

    /// Lifts a stored payload of an older version to the present one. Called only for older versions.
    ///
    /// # Errors
    /// A sentence, when the payload cannot be lifted.
    fn upcast(event_type: &str, from: u32, payload: Value) -> Result<Value, String> {
        let _ = payload;
        Err(format!("no upcaster for {event_type} version {from}"))
    }

    /// Reads a stored payload: upcasts what is older, refuses what is newer.
    ///
    /// # Errors
    /// [`DecodeError`].
    fn decode(event_type: &str, event_version: &str, payload: &str) -> Result<Self, DecodeError> {
        let unknown = || DecodeError::Unknown {
            event_type: event_type.to_owned(),
            event_version: event_version.to_owned(),
        };
        let malformed = |reason: String| DecodeError::Malformed {
            event_type: event_type.to_owned(),
            event_version: event_version.to_owned(),
            reason,
        };
        let version: u32 = event_version.parse().map_err(|_| unknown())?;
        let (_, present) = Self::TYPES
            .iter()
            .find(|(name, _)| *name == event_type)
            .ok_or_else(unknown)?;
        let read = match version.cmp(present) {
            std::cmp::Ordering::Greater => return Err(unknown()),
            std::cmp::Ordering::Equal => serde_json::from_str(payload),
            std::cmp::Ordering::Less => {
                let old = serde_json::from_str(payload).map_err(|e| malformed(e.to_string()))?;
                let new = Self::upcast(event_type, version, old).map_err(malformed)?;
                serde_json::from_value(new)
            }
        };
        let event: Self = read.map_err(|error| malformed(error.to_string()))?;
        if event.event_type() == event_type {
            Ok(event)
        } else {
            Err(malformed(format!(
                "the payload is a {}",
                event.event_type()
            )))
        }
    }
}

/// Why a stored event cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DecodeError {
    /// This build does not know the type or its version: the node is older than the log.
    #[error("{event_type} version {event_version} is unknown to this build")]
    Unknown {
        /// The stored type.
        event_type: String,
        /// The stored version.
        event_version: String,
    },
    /// A known type that does not decode.
    #[error("{event_type} version {event_version} does not decode: {reason}")]
    Malformed {
        /// The stored type.
        event_type: String,
        /// The stored version.
        event_version: String,
        /// What the decoder said.
        reason: String,
    },
}

/// The state a stream folds into.
pub trait State: Default + Clone + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The aggregate's name in stream ids.
    const TYPE: &'static str;
    /// After how many events a snapshot is taken; `None` for short streams.
    const SNAPSHOT_EVERY: Option<i64> = None;
    /// Changes whenever the serialized state changes its shape: older snapshots are then ignored.
    const SHAPE: &'static str = "1";
    /// Its events.
    type Event: StoredEvent;

    /// Folds one event. Never refuses.
    fn apply(&mut self, event: &Self::Event);

    /// The invariant that an event breaks if it comes next: what no command does. Audits ask before they fold.
    fn breaks(&self, event: &Self::Event) -> Option<&'static str> {
        let _ = event;
        None
    }
}

/// Implements [`DomainEvent`] and the list of [`StoredEvent`] for an enum of events.
///
/// The second form names an upcaster: `fn(&str, u32, Value) -> Result<Value, String>`.
#[macro_export]
macro_rules! stored_events {
    ($name:ident { $($variant:ident: $version:literal),+ $(,)? } $(upcast $upcast:path)?) => {
        impl ::cqrs_es::DomainEvent for $name {
            fn event_type(&self) -> String {
                match self { $(Self::$variant { .. } => stringify!($variant),)+ }.to_owned()
            }

            fn event_version(&self) -> String {
                match self { $(Self::$variant { .. } => stringify!($version),)+ }.to_owned()
            }
        }

        impl $crate::ledger::StoredEvent for $name {
            const TYPES: &'static [(&'static str, u32)] = &[$((stringify!($variant), $version)),+];

            $(fn upcast(
                event_type: &str,
                from: u32,
                payload: ::serde_json::Value,
            ) -> Result<::serde_json::Value, String> {
                $upcast(event_type, from, payload)
            })?
        }
    };
}
