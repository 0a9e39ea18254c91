//! Histories of articles, comments, reactions, messages and what is read of them, for the property of the cuts.

use shiji::events::comment::Reply;
use shiji::events::party::{Party, PartyKind, Target, TargetKind};
use shiji::events::reaction::{ReactionKey, ReactionKind, Vote};
use shiji::events::{
    Article, ArticleEvent, Comment, CommentEvent, Conversation, ConversationEvent, Event, Message,
    MessageEvent, Reaction, ReactionEvent,
};
use shiji::ledger::{Personal, State, StreamId};

/// How many streams there are of these.
pub const STREAMS: usize =
    2 + COMMENTS.len() + REACTIONS.len() + MESSAGES.len() + CONVERSATIONS.len();

/// What comments stand under: articles of this history, one that is not in it, tickets, a game, a diary.
const COMMENTS: [(TargetKind, i64); 7] = [
    (TargetKind::Article, 1),
    (TargetKind::Article, 1),
    (TargetKind::Article, 77),
    (TargetKind::Ticket, 9),
    (TargetKind::Ticket, 9),
    (TargetKind::Game, 3),
    (TargetKind::Diary, 5),
];

const REACTIONS: [&str; 6] = [
    "member:17:like:article:1",
    "member:18:like:article:1",
    "member:17:collect:article:2",
    "member:17:vote:comment:1",
    "member:18:vote:comment:1",
    "customer:7:praise:diary:5",
];

const MESSAGES: [(&str, &str); 10] = [
    ("member:17", "member:18"),
    ("member:18", "member:17"),
    ("member:17", "customer_service"),
    ("member:17", "customer_service"),
    ("master:m", "member:17"),
    ("card:21", "customer:17"),
    ("card:21", "customer:17"),
    ("customer:17", "card:21"),
    ("customer:18", "card:21"),
    ("card:22", "customer:17"),
];

/// Sides of conversations: of some of these messages, and of one that nobody began.
const CONVERSATIONS: [&str; 5] = [
    "21:17:customer",
    "21:17:card",
    "21:18:card",
    "22:17:customer",
    "22:18:customer",
];

/// A stream of one of them.
pub enum Social {
    Article(Article),
    Comment(Comment, Target),
    Reaction(Reaction, ReactionKey),
    Message(Message, Party, Party),
    Conversation(Conversation),
}

impl Social {
    pub fn new(number: usize) -> (StreamId, Self) {
        let reactions = 2 + COMMENTS.len();
        let messages = reactions + REACTIONS.len();
        let conversations = messages + MESSAGES.len();
        if number < 2 {
            let id = StreamId::new("Article", (number + 1).to_string());
            (id, Self::Article(Article::default()))
        } else if number < reactions {
            let (kind, target) = COMMENTS[number - 2];
            let id = StreamId::new("Comment", (number - 1).to_string());
            let target = Target::new(kind, target);
            (id, Self::Comment(Comment::default(), target))
        } else if number < messages {
            let key: ReactionKey = REACTIONS[number - reactions].parse().unwrap();
            let id = StreamId::new("Reaction", key.to_string());
            (id, Self::Reaction(Reaction::default(), key))
        } else if number >= conversations {
            let id = StreamId::new("Conversation", CONVERSATIONS[number - conversations]);
            (id, Self::Conversation(Conversation::default()))
        } else {
            let (from, to) = MESSAGES[number - messages];
            let id = StreamId::new("Message", (number - messages + 1).to_string());
            let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
            (id, Self::Message(Message::default(), from, to))
        }
    }

    pub fn next(&mut self, choice: u8, text: &str) -> Option<Event> {
        Some(match self {
            Self::Article(state) => {
                let event = article_event(state, choice, text)?;
                state.apply(&event);
                Event::Article(event)
            }
            Self::Comment(state, target) => {
                let event = comment_event(state, target, choice, text)?;
                state.apply(&event);
                Event::Comment(event)
            }
            Self::Reaction(state, key) => {
                let event = reaction_event(*state, key, choice);
                state.apply(&event);
                Event::Reaction(event)
            }
            Self::Message(state, from, to) => {
                let event = message_event(state, from, to, choice, text)?;
                state.apply(&event);
                Event::Message(event)
            }
            // Sometimes beyond what was said, sometimes before it.
            Self::Conversation(state) => {
                let through = state.read_through + 1 + i64::from(choice) * 5;
                let event = ConversationEvent::ConversationRead { through };
                state.apply(&event);
                Event::Conversation(event)
            }
        })
    }
}

fn article_event(state: &Article, choice: u8, text: &str) -> Option<ArticleEvent> {
    let author = "17".to_owned();
    Some(match state {
        Article::Unpublished => ArticleEvent::ArticlePublished {
            author,
            content: text.to_owned(),
            images: (0..choice % 3).map(|n| format!("{text}{n}")).collect(),
        },
        Article::Live { .. } => ArticleEvent::ArticleDeleted {
            author,
            reason: None,
        },
        Article::Deleted { .. } => return None,
    })
}

fn comment_event(state: &Comment, target: &Target, choice: u8, text: &str) -> Option<CommentEvent> {
    let target = target.clone();
    let member = |id: &str| Party::new(PartyKind::Member, id);
    Some(match state {
        Comment::Unwritten => CommentEvent::CommentPublished {
            target,
            author: member("18"),
            content: text.to_owned(),
            reply: choice.is_multiple_of(2).then(|| Reply {
                reply_id: 1,
                reply_author: member("17"),
                first_reply_id: 1,
                first_reply_author: member("17"),
            }),
        },
        Comment::Live(_) => CommentEvent::CommentDeleted {
            target,
            reason: None,
        },
        Comment::Deleted(_) => return None,
    })
}

fn reaction_event(state: Reaction, key: &ReactionKey, choice: u8) -> ReactionEvent {
    let ReactionKey {
        actor,
        kind,
        target,
    } = key.clone();
    match state {
        Reaction::Absent => ReactionEvent::ReactionAdded {
            actor,
            kind,
            target,
            value: (kind == ReactionKind::Vote).then_some(if choice.is_multiple_of(2) {
                Vote::Up
            } else {
                Vote::Down
            }),
        },
        Reaction::Given { value } => ReactionEvent::ReactionRemoved {
            actor,
            kind,
            target,
            value,
        },
    }
}

fn message_event(
    state: &Message,
    from: &Party,
    to: &Party,
    choice: u8,
    text: &str,
) -> Option<MessageEvent> {
    Some(match state {
        Message::Unsent => MessageEvent::MessageSent {
            from: from.clone(),
            to: to.clone(),
            content: Personal::new(from.subject(), text.to_owned()),
            info_type: choice.is_multiple_of(2).then_some(1),
        },
        Message::Sent { deleted_by, .. } => {
            let sides = if choice.is_multiple_of(2) {
                [from, to]
            } else {
                [to, from]
            };
            let by = sides.into_iter().find(|side| !deleted_by.contains(side))?;
            MessageEvent::MessageDeleted { by: by.clone() }
        }
    })
}
