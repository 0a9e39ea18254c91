//! The reaction aggregate, one for each member and article, and the view that counts likes.

use async_trait::async_trait;
use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::GenericQuery;
use cqrs_es::{Aggregate, DomainEvent, EventEnvelope, Query, View};
use postgres_es::PostgresViewRepository;
use serde::{Deserialize, Serialize};

/// Whether it stands.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Reaction {
    stands: bool,
}

/// What can be asked of a reaction.
#[derive(Debug)]
pub enum ReactionCommand {
    /// That it stands.
    Add { uid: String, article_id: i64 },
}

/// What can have happened to a reaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReactionEvent {
    /// It stands from here on.
    ReactionAdded { uid: String, article_id: i64 },
}

impl DomainEvent for ReactionEvent {
    fn event_type(&self) -> String {
        "ReactionAdded".to_owned()
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

/// A reaction never says no: what stands stands.
#[derive(Debug, thiserror::Error)]
#[error("a reaction says no")]
pub struct ReactionError;

impl Aggregate for Reaction {
    const TYPE: &'static str = "Reaction";
    type Command = ReactionCommand;
    type Event = ReactionEvent;
    type Error = ReactionError;
    type Services = ();

    async fn handle(
        &mut self,
        command: ReactionCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), ReactionError> {
        let ReactionCommand::Add { uid, article_id } = command;
        if !self.stands {
            let event = ReactionEvent::ReactionAdded { uid, article_id };
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, _event: ReactionEvent) {
        self.stands = true;
    }
}

/// How many like an article.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct LikeCount {
    likes: i64,
}

impl View<Reaction> for LikeCount {
    fn update(&mut self, _event: &EventEnvelope<Reaction>) {
        self.likes += 1;
    }
}

/// A `GenericQuery` whose views are those of the articles: it gets the article's id where it would get the reaction's.
pub struct CountByArticle(
    pub GenericQuery<PostgresViewRepository<LikeCount, Reaction>, LikeCount, Reaction>,
);

#[async_trait]
impl Query<Reaction> for CountByArticle {
    async fn dispatch(&self, reaction: &str, events: &[EventEnvelope<Reaction>]) {
        if let Some((_, article)) = reaction.split_once(':') {
            self.0.dispatch(article, events).await;
        }
    }
}
