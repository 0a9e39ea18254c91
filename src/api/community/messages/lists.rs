//! Reading private messages: with one peer, and the message centre (`contract/community.md` 3.56, 3.57).

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::App;
use crate::api::community::call::MemberCall;
use crate::api::community::catalogue::{MasterCardView, MerchantCardView};
use crate::api::community::envelope::{self, Answer};
use crate::api::community::{Problem, SURFACE};
use crate::commands::member::is_hex_id;
use crate::events::party::PartyKind;
use crate::projections::messages::{self, Card, ConversationItem, MessageItem};

/// Rows of a page, unless the caller says how many.
const LIST: i64 = 100;
/// What the customer service is called.
const CUSTOMER_SERVICE: &str = PartyKind::CustomerService.word();

/// A message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::Message)]
pub struct MessageData {
    #[schema(example = 18)]
    message_id: i64,
    /// A `uid`, `master_id`, `merchant_id` or `customer_service`.
    from_id: String,
    /// The same of whom it is for.
    to_id: String,
    content: String,
    /// Milliseconds since the epoch.
    #[schema(example = 1_701_061_051_887_i64)]
    created_at: i64,
}

impl From<MessageItem> for MessageData {
    fn from(message: MessageItem) -> Self {
        Self {
            message_id: message.id,
            from_id: message.from_id,
            to_id: message.to_id,
            content: message.content,
            created_at: message.sent_at.timestamp_millis(),
        }
    }
}

/// A member on the other side.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MemberCard)]
pub struct MemberCard {
    #[schema(example = "7c9e6679742540de944be07fc1f90ae7")]
    uid: String,
    nickname: String,
    avatar: Option<String>,
    /// 0 unknown, 1 male, 2 female.
    gender: i16,
    /// Dialling code.
    #[schema(example = "86")]
    country: String,
    province: Option<String>,
    city: Option<String>,
    /// Milliseconds since the epoch.
    birthday: Option<i64>,
    intro: Option<String>,
    /// When the member came, milliseconds since the epoch.
    created_at: i64,
}

/// The customer service on the other side.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::CustomerServiceCard)]
pub struct CustomerServiceCard {
    #[schema(example = "customer_service")]
    customer_service_id: &'static str,
    #[schema(example = "客服")]
    name: &'static str,
}

impl CustomerServiceCard {
    const THE_ONE: Self = Self {
        customer_service_id: CUSTOMER_SERVICE,
        name: "客服",
    };
}

impl From<messages::MemberCard> for MemberCard {
    fn from(member: messages::MemberCard) -> Self {
        Self {
            uid: member.uid,
            nickname: member.nickname,
            avatar: member.avatar,
            gender: member.gender,
            country: member.country,
            province: member.province,
            city: member.city,
            birthday: member.birthday_ms,
            intro: member.intro,
            created_at: member.created_at.timestamp_millis(),
        }
    }
}

/// Whoever is on the other side.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = community::OtherSide)]
pub enum OtherSide {
    /// A master.
    Master(MasterCardView),
    /// A member.
    User(MemberCard),
    /// A merchant.
    Merchant(MerchantCardView),
    /// The customer service.
    CustomerService(CustomerServiceCard),
}

impl From<Card> for OtherSide {
    fn from(card: Card) -> Self {
        match card {
            Card::Member(member) => Self::User(member.into()),
            Card::Master(master) => Self::Master(master.into()),
            Card::Merchant(merchant) => Self::Merchant(merchant.into()),
            Card::CustomerService => Self::CustomerService(CustomerServiceCard::THE_ONE),
        }
    }
}

/// Messages with whom, and which part of them.
#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[schema(as = community::MessagesQuery)]
#[expect(
    dead_code,
    reason = "it documents the parameters, which are read leniently"
)]
pub struct MessagesQuery {
    /// The peer: a `uid`, `master_id`, `merchant_id` or `customer_service`.
    #[param(example = "0f8fad5bd9cb469fa16570867728950e")]
    #[schema(example = "0f8fad5bd9cb469fa16570867728950e")]
    to_id: String,
    /// Messages wanted; more than 100 count as 100.
    #[param(minimum = 1, default = 100)]
    #[schema(minimum = 1, default = 100)]
    limit: Option<i64>,
    /// Messages to pass over.
    #[param(minimum = 0, default = 0)]
    #[schema(minimum = 0, default = 0)]
    offset: Option<i64>,
}

/// A page of messages, and with whom.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::Messages)]
pub struct Messages {
    my_message: Vec<MessageData>,
    other_side: OtherSide,
}

/// Messages with one peer (读私信列表)
///
/// Newest first, without those that the caller deleted.
#[utoipa::path(
    method(get, post), path = "/community/api/v1/my_message", tag = SURFACE, operation_id = "community_my_message",
    params(MessagesQuery), request_body = MessagesQuery,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 423", body = Answer<Messages>)),
)]
pub async fn page(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let to_id = call.fields.text("to_id")?;
    let to_id = to_id.check(|id| is_hex_id(id) || id == CUSTOMER_SERVICE)?;
    let to_id = to_id.required()?;
    let page = call.fields.page(LIST)?;
    let stamp = call.as_of(&app).await?;
    let read = async {
        let card = if to_id == CUSTOMER_SERVICE {
            Card::CustomerService
        } else {
            match messages::peer(app.reads(), &to_id).await? {
                Some(card) => card,
                None => return Ok(None),
            }
        };
        let peer = match &card {
            Card::Member(_) => (PartyKind::Member.word(), to_id.as_str()),
            Card::Master(_) => (PartyKind::Master.word(), to_id.as_str()),
            Card::Merchant(_) => (PartyKind::Merchant.word(), to_id.as_str()),
            Card::CustomerService => (CUSTOMER_SERVICE, ""),
        };
        let owner = &call.member.uid;
        let found = messages::page(app.reads(), owner, peer, page.offset, page.limit).await?;
        Ok(Some((found, card)))
    };
    let found = read.await.map_err(|error| Problem::query(&app, error))?;
    let (found, card) = found.ok_or_else(Problem::not_found)?;
    let messages = Messages {
        my_message: found.into_iter().map(MessageData::from).collect(),
        other_side: card.into(),
    };
    Ok(envelope::found(stamp, messages))
}

/// Which conversations, and which part of them.
#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[schema(as = community::CenterQuery)]
#[expect(
    dead_code,
    reason = "it documents the parameters, which are read leniently"
)]
pub struct CenterQuery {
    /// Any of `master`, `merchant`, `user`, `customer_service`, or `all`.
    #[param(default = json!(["master"]))]
    #[schema(default = json!(["master"]))]
    types: Option<Vec<String>>,
    /// Conversations wanted; more than 100 count as 100.
    #[param(minimum = 1, default = 100)]
    #[schema(minimum = 1, default = 100)]
    limit: Option<i64>,
    /// Conversations to pass over.
    #[param(minimum = 0, default = 0)]
    #[schema(minimum = 0, default = 0)]
    offset: Option<i64>,
}

/// A conversation, by whoever is on the other side.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = community::Conversation)]
pub enum Conversation {
    /// With a master.
    Master {
        /// The master.
        master_id: String,
        /// Its card.
        master: MasterCardView,
        /// The newest one that the caller has, sent by either side.
        last_message: MessageData,
    },
    /// With a member.
    User {
        /// The member.
        uid: String,
        /// Its card.
        user: MemberCard,
        /// The newest one that the caller has, sent by either side.
        last_message: MessageData,
    },
    /// With a merchant.
    Merchant {
        /// The merchant.
        merchant_id: String,
        /// Its card.
        merchant: MerchantCardView,
        /// The newest one that the caller has, sent by either side.
        last_message: MessageData,
    },
    /// With the customer service.
    CustomerService {
        /// `customer_service`.
        customer_service_id: &'static str,
        /// Its card.
        customer_service: CustomerServiceCard,
        /// The newest one that the caller has, sent by either side.
        last_message: MessageData,
    },
}

impl From<ConversationItem> for Conversation {
    fn from(item: ConversationItem) -> Self {
        let last_message = item.last.into();
        match item.card {
            Card::Master(master) => Self::Master {
                master_id: master.id.clone(),
                master: master.into(),
                last_message,
            },
            Card::Member(member) => Self::User {
                uid: member.uid.clone(),
                user: member.into(),
                last_message,
            },
            Card::Merchant(merchant) => Self::Merchant {
                merchant_id: merchant.id.clone(),
                merchant: merchant.into(),
                last_message,
            },
            Card::CustomerService => Self::CustomerService {
                customer_service_id: CUSTOMER_SERVICE,
                customer_service: CustomerServiceCard::THE_ONE,
                last_message,
            },
        }
    }
}

/// A page of conversations.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MessageCenter)]
pub struct MessageCenter {
    my_message_center: Vec<Conversation>,
}

/// Message centre: conversations with their last message (读消息中心)
///
/// The one with the newest message first. Unless the caller says otherwise, conversations with masters.
#[utoipa::path(
    method(get, post), path = "/community/api/v1/my_message_center", tag = SURFACE,
    operation_id = "community_my_message_center",
    params(CenterQuery), request_body = CenterQuery,
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<MessageCenter>)),
)]
pub async fn center(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let kinds = call.fields.texts("types")?.parse(|types| kinds(&types))?;
    let kinds = kinds.or(vec![PartyKind::Master.word().to_owned()]);
    let page = call.fields.page(LIST)?;
    let stamp = call.as_of(&app).await?;
    let owner = &call.member.uid;
    let found = messages::conversations(app.reads(), owner, &kinds, page.offset, page.limit).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let my_message_center = found.into_iter().map(Conversation::from).collect();
    Ok(envelope::found(stamp, MessageCenter { my_message_center }))
}

/// The kinds of sides that the words of the wire mean. An empty list is as good as none.
fn kinds(types: &[String]) -> Option<Vec<String>> {
    const ALL: [PartyKind; 4] = [
        PartyKind::Master,
        PartyKind::Merchant,
        PartyKind::Member,
        PartyKind::CustomerService,
    ];
    let mut kinds = Vec::new();
    for word in types {
        match word.as_str() {
            "all" => kinds.extend(ALL),
            "master" => kinds.push(PartyKind::Master),
            "merchant" => kinds.push(PartyKind::Merchant),
            "user" => kinds.push(PartyKind::Member),
            "customer_service" => kinds.push(PartyKind::CustomerService),
            _ => return None,
        }
    }
    if kinds.is_empty() {
        kinds.push(PartyKind::Master);
    }
    Some(
        kinds
            .into_iter()
            .map(|kind| kind.word().to_owned())
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_words_of_the_wire() {
        let read = |types: &[&str]| {
            let types: Vec<String> = types.iter().map(|word| (*word).to_owned()).collect();
            kinds(&types)
        };
        let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
        assert_eq!(read(&[]), words(&["master"]));
        assert_eq!(read(&["user", "merchant"]), words(&["member", "merchant"]));
        assert_eq!(read(&["all"]).unwrap().len(), 4);
        assert_eq!(read(&["member"]), None);
        assert_eq!(read(&["master", "x"]), None);
    }
}
