//! Histories of products, websites, tags, cases and diaries, and of what customers do with them, for the property of the
//! cuts. Each stream only does what its own rules let it do; what two streams say of each other may fall apart, as it does
//! while one of them is parked.

use chrono::{DateTime, TimeDelta};
use shiji::commands::Decide;
use shiji::commands::case::{CaseCommand, CaseEdit};
use shiji::commands::diary::{DiaryCommand, DiaryEdit};
use shiji::commands::product::{ProductCommand, ProductEdit};
use shiji::commands::tag::TagCommand;
use shiji::commands::website::WebsiteCommand;
use shiji::events::case::CaseProfile;
use shiji::events::diary::{CoverShowType, DiaryPage};
use shiji::events::party::{Party, PartyKind, Target, TargetKind};
use shiji::events::product::{BlockKind, ProductBlock, ProductContent, ProductProfile};
use shiji::events::reaction::{ReactionKey, ReactionKind};
use shiji::events::{
    Case, Comment, CommentEvent, Diary, Event, Product, Reaction, ReactionEvent, Tag, VisitEvent,
    Website,
};
use shiji::ledger::{State, StreamId};

/// How many streams there are of these.
pub const STREAMS: usize = 16;

/// A stream of one of them.
pub enum Library {
    Product(Product),
    Website(Website),
    Tag(Tag),
    Case(Case),
    /// And the case it belongs to, which need not be there.
    Diary(Diary, i64),
    Visit(Target),
    Praise(Reaction, ReactionKey),
    Comment(Comment, Target),
}

impl Library {
    pub fn new(number: usize) -> (StreamId, Self) {
        let visit = |kind, id: i64| {
            let target = Target::new(kind, id);
            let stream = StreamId::new("Visit", format!("customer:2:{target}"));
            (stream, Self::Visit(target))
        };
        let of = |aggregate, id: i64, state| (StreamId::new(aggregate, id.to_string()), state);
        match number {
            0 => of("Product", 1, Self::Product(Product::default())),
            1 => of("Product", 2, Self::Product(Product::default())),
            2 => of("Website", 1, Self::Website(Website::default())),
            3 => of("Tag", 1, Self::Tag(Tag::default())),
            4 => of("Tag", 2, Self::Tag(Tag::default())),
            5 => of("Case", 1, Self::Case(Case::default())),
            6 => of("Case", 2, Self::Case(Case::default())),
            7 => of("Diary", 1, Self::Diary(Diary::default(), 1)),
            8 => of("Diary", 2, Self::Diary(Diary::default(), 1)),
            9 => of("Diary", 3, Self::Diary(Diary::default(), 77)),
            10 => visit(TargetKind::Product, 1),
            11 => visit(TargetKind::Tag, 1),
            12 => visit(TargetKind::Diary, 1),
            13 => visit(TargetKind::Case, 1),
            14 => {
                let key: ReactionKey = "customer:2:praise:diary:1".parse().unwrap();
                let id = StreamId::new("Reaction", key.to_string());
                (id, Self::Praise(Reaction::default(), key))
            }
            _ => {
                let target = Target::new(TargetKind::Diary, 1);
                of("Comment", 901, Self::Comment(Comment::default(), target))
            }
        }
    }

    pub fn next(&mut self, choice: u8, text: &str) -> Option<Event> {
        Some(match self {
            Self::Product(state) => Event::Product(decided(state, &product(state, choice, text))?),
            Self::Website(state) => {
                let places = (0..choice % 3).map(|n| format!("{text}{n}")).collect();
                let set = WebsiteCommand::SetPictures(Website {
                    cover_picture: places,
                    content_picture: vec![text.to_owned()],
                });
                Event::Website(decided(state, &set)?)
            }
            Self::Tag(state) => Event::Tag(decided(state, &tag(state, choice, text))?),
            Self::Case(state) => Event::Case(decided(state, &case(state, choice, text))?),
            Self::Diary(state, of) => {
                Event::Diary(decided(state, &diary(state, *of, choice, text))?)
            }
            Self::Visit(target) => Event::Visit(visit(target, choice)),
            Self::Praise(state, key) => {
                let ReactionKey {
                    actor,
                    kind,
                    target,
                } = key.clone();
                assert_eq!(kind, ReactionKind::Praise);
                let value = None;
                let event = if *state == Reaction::Absent {
                    ReactionEvent::ReactionAdded {
                        actor,
                        kind,
                        target,
                        value,
                    }
                } else {
                    ReactionEvent::ReactionRemoved {
                        actor,
                        kind,
                        target,
                        value,
                    }
                };
                state.apply(&event);
                Event::Reaction(event)
            }
            Self::Comment(state, target) => {
                let target = target.clone();
                let event = match state {
                    Comment::Unwritten => CommentEvent::CommentPublished {
                        target,
                        author: Party::new(PartyKind::Customer, 2),
                        content: text.to_owned(),
                        reply: None,
                    },
                    Comment::Live(_) => CommentEvent::CommentDeleted {
                        target,
                        reason: None,
                    },
                    Comment::Deleted(_) => return None,
                };
                state.apply(&event);
                Event::Comment(event)
            }
        })
    }
}

/// The event that a command comes to, if it comes to one.
fn decided<A: Decide>(state: &mut A, command: &A::Command) -> Option<A::Event> {
    let event = state.decide(command).ok()?.pop()?;
    state.apply(&event);
    Some(event)
}

fn product(state: &Product, choice: u8, text: &str) -> ProductCommand {
    let content = ProductContent {
        cover_data: vec![ProductBlock {
            kind: BlockKind::Title,
            data: vec![text.to_owned()],
        }],
        article_data: vec![],
    };
    match (state, choice) {
        (Product::Uncreated, _) => ProductCommand::Create {
            company_id: 1,
            profile: ProductProfile {
                name: text.to_owned(),
                content,
                ..ProductProfile::default()
            },
        },
        (_, 0 | 1) => ProductCommand::Publish,
        (_, 2 | 3) => ProductCommand::Recommend,
        (_, 4 | 5) => ProductCommand::Withdraw,
        (_, _) => ProductCommand::Edit(ProductEdit {
            price: Some(text.to_owned()),
            content: choice.is_multiple_of(2).then_some(content),
            ..ProductEdit::default()
        }),
    }
}

fn tag(state: &Tag, choice: u8, text: &str) -> TagCommand {
    let name = text.to_owned();
    match (state, choice) {
        (Tag::Uncreated, _) => TagCommand::Create {
            company_id: 1,
            name,
        },
        (_, 0) => TagCommand::Delete,
        (_, 1) => TagCommand::Assign {
            company_id: 1,
            case_id: 1,
        },
        (_, 2) => TagCommand::Unassign { case_id: 1 },
        (_, _) => TagCommand::Rename { name },
    }
}

fn case(state: &Case, choice: u8, text: &str) -> CaseCommand {
    match (state, choice) {
        (Case::Uncreated, _) => CaseCommand::Create {
            company_id: 1,
            profile: CaseProfile {
                customer_name: text.to_owned(),
                ..CaseProfile::default()
            },
        },
        (_, 0) => CaseCommand::Delete,
        (_, 1 | 2) => CaseCommand::Publish,
        (_, 3) => CaseCommand::Withdraw,
        (_, 4) => CaseCommand::Tag {
            tag_ids: text.chars().map(|c| i64::from(u32::from(c)) % 3).collect(),
        },
        (_, 5) => CaseCommand::AddDiary { diary_id: 1 },
        (_, 6) => CaseCommand::RemoveDiary { diary_id: 1 },
        (_, _) => CaseCommand::Edit(CaseEdit {
            headimgurl: Some(text.to_owned()),
            ..CaseEdit::default()
        }),
    }
}

fn diary(state: &Diary, case_id: i64, choice: u8, text: &str) -> DiaryCommand {
    let noon = DateTime::from_timestamp(1_548_654_600, 0).unwrap();
    match (state, choice) {
        (Diary::Unwritten, _) => DiaryCommand::Create {
            case_id,
            company_id: 1,
            page: DiaryPage {
                title: text.to_owned(),
                diary_date: noon,
                cover_picture: "{}".to_owned(),
                content: "{}".to_owned(),
                cover_show_type: CoverShowType::Pictures,
            },
        },
        (_, 0) => DiaryCommand::Delete,
        (_, 1 | 2) => DiaryCommand::Publish,
        (_, 3) => DiaryCommand::Withdraw,
        (_, _) => DiaryCommand::Edit(DiaryEdit {
            content: Some(text.to_owned()),
            diary_date: Some(noon + TimeDelta::hours(choice.into())),
            ..DiaryEdit::default()
        }),
    }
}

fn visit(target: &Target, choice: u8) -> VisitEvent {
    let (customer_id, uid, company_id) = (2, 1, 1);
    let id = target.number().unwrap();
    match target.kind {
        TargetKind::Product => match choice % 3 {
            0 => VisitEvent::ProductViewed {
                customer_id,
                uid,
                product_id: id,
            },
            1 => VisitEvent::ProductForwarded {
                customer_id,
                uid,
                product_id: id,
            },
            _ => VisitEvent::ProductConsulted {
                customer_id,
                uid,
                product_id: id,
                at: DateTime::from_timestamp(1_548_654_600, 0).unwrap(),
            },
        },
        TargetKind::Tag => VisitEvent::TagSearched {
            customer_id,
            company_id,
            tag_id: id,
        },
        TargetKind::Diary => VisitEvent::DiaryRead {
            customer_id,
            company_id,
            diary_id: id,
        },
        _ => VisitEvent::CaseBrowsed {
            customer_id,
            company_id,
            case_id: id,
        },
    }
}
