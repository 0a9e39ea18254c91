//! The mini-program of the data set: two companies, their cards with photos, customers who found their way to them, and what
//! they talk about. What the companies show them: `library.rs`.
//!
//! It is the same whatever the seed. What a run has sent it finds again: companies and cards by their correlation in the
//! log, customers by their WeChat identity; a second run sends what is missing, and nothing to who was changed since.
//! With the built-in stand-in for WeChat the customers can be logged in as, with the codes `demo1`, `demo2` …

use std::borrow::Cow;
use std::collections::HashMap;

use anyhow::anyhow;
use serde::Serialize;
use tokio::time::Instant;
use uuid::Uuid;

use super::fill::{PATIENCE, SURFACE, receipt};
use super::library::{self, Visitor};
use crate::commands::card::{AddCardPhoto, CardVisit, CreateCard, ReactToCard, VisitCard};
use crate::commands::chat::{ChatContent, SendChat};
use crate::commands::company::CompanyCommand;
use crate::commands::conversation::ConversationCommand;
use crate::commands::customer::{
    BindCustomer, Binding, CustomerCommand, LogIn, Profile, identity_claim, identity_holder,
};
use crate::commands::reaction::Wish;
use crate::commands::{Desk, DeskError, Done, Refusal, Request};
use crate::events::card::CardProfile;
use crate::events::conversation::{ConversationId, Pair, Side};
use crate::events::customer::{Source, UserType};
use crate::events::reaction::ReactionKind;
use crate::events::{Card, Company, Conversation, Customer, NameClaim};
use crate::ledger::{Freshness, Metadata, Personal, State, StreamId};

/// In front of the correlation of all that is sent here.
const PREFIX: &str = "demo/mini-program/";

/// Names of the companies, with their addresses.
const COMPANIES: [(&str, &str); 2] = [
    ("北京打铁的信息科技有限公司", "北京市丰台区南三环西路 16 号"),
    ("合众康桥科技发展有限公司", "北京市通州区杨庄北里 3 号"),
];

/// Company by its place, name, job title, phone, signature, photos.
const PEOPLE: [(usize, &str, &str, &str, &str, u32); 6] = [
    (0, "张聪", "研发主管", "13800138001", "今天也要加油", 3),
    (0, "赵欣鹏", "销售总监", "13800138002", "有事您说话", 2),
    (0, "董庆豪", "产品经理", "13800138003", "", 0),
    (1, "李宁", "设计师", "13800138004", "把家装成喜欢的样子", 4),
    (1, "王静", "客户经理", "13800138005", "微笑服务", 1),
    (1, "刘洋", "总经理", "13800138006", "诚信为本", 0),
];

/// Nicknames of customers, with where they live.
const CUSTOMERS: [(&str, &str, &str); 24] = [
    ("奥利奥", "北京", "北京"),
    ("欧弟", "北京", "北京"),
    ("小满", "山东", "青岛"),
    ("阿宁", "山东", "济南"),
    ("风清扬", "陕西", "西安"),
    ("橙子汽水", "广东", "广州"),
    ("一叶知秋", "江苏", "南京"),
    ("大白兔", "上海", "上海"),
    ("Lucky", "广东", "深圳"),
    ("山有木兮", "湖北", "武汉"),
    ("北冥有鱼", "辽宁", "大连"),
    ("糖炒栗子", "天津", "天津"),
    ("听风", "四川", "成都"),
    ("晚安喵", "重庆", "重庆"),
    ("木木", "浙江", "杭州"),
    ("二两春风", "安徽", "合肥"),
    ("半夏", "湖南", "长沙"),
    ("云上", "云南", "昆明"),
    ("阳光少年🌞", "福建", "厦门"),
    ("海的女儿", "海南", "海口"),
    ("老张", "河北", "石家庄"),
    ("豆豆妈", "河南", "郑州"),
    ("未央", "甘肃", "兰州"),
    ("南风知我意", "广西", "南宁"),
];

/// What enterprise users (`true`) and customers say to each other; some customers say nothing.
const TALKS: [&[(bool, &str)]; 4] = [
    &[
        (true, "您好,很高兴认识您,有什么可以帮您?"),
        (false, "你好,想了解一下你们的产品"),
        (
            true,
            r#"{"info_type":4,"url":"statics/zhugeleida/imgs/xiaochengxu/photo/menu.jpg"}"#,
        ),
        (false, "价格怎么样?"),
        (true, "给您留个电话吧,方便的时候打给您"),
        (true, r#"{"info_type":3,"msg":"请问可以要您的手机号吗|"}"#),
    ],
    &[
        (false, "在吗?"),
        (true, "在的,您说"),
        (false, "周末可以去店里看看吗"),
        (true, "可以,周六日都有人,到了给我打电话"),
        (false, "好的👌"),
    ],
    &[(true, "您好,我是您的专属顾问,随时为您服务")],
    &[],
];

/// What a run has sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Cards created now.
    pub cards: u64,
    /// Commands accepted now.
    pub commands: u64,
}

/// Sends what is missing.
///
/// # Errors
/// When something breaks; what was sent stays.
pub async fn fill(desk: &Desk) -> anyhow::Result<Sent> {
    let traces = desk.ledger().traces(SURFACE, PREFIX).await?;
    let known = traces
        .into_iter()
        .map(|trace| ((trace.correlation, trace.stream.aggregate), trace.stream.id));
    let mut teller = Teller {
        desk,
        known: known.collect(),
        sent: Sent::default(),
    };
    let mut companies = Vec::new();
    for (number, (name, _)) in COMPANIES.iter().enumerate() {
        companies.push(teller.company(number, name).await?);
    }
    let mut cards = Vec::new();
    for number in 0..PEOPLE.len() {
        cards.push(teller.card(number, &companies).await?);
    }
    let mut customers: Vec<i64> = Vec::new();
    let mut visitors = Vec::new();
    for number in 0..CUSTOMERS.len() {
        let customer_id = teller.customer(number, &cards, &customers).await?;
        customers.push(customer_id);
        let card = card_of(number);
        visitors.push(Visitor {
            customer_id,
            uid: cards[card],
            company: PEOPLE[card].0,
        });
    }
    library::fill(&mut teller, &companies, &visitors).await?;
    for (number, customer_id) in customers.into_iter().enumerate() {
        let uid = cards[number * 5 % cards.len()];
        teller.talk(number, Pair { uid, customer_id }).await?;
    }
    Ok(teller.sent)
}

/// Whose card a customer came to first.
fn card_of(number: usize) -> usize {
    number * 5 % PEOPLE.len()
}

pub(super) struct Teller<'d> {
    pub(super) desk: &'d Desk,
    /// The ids of what is in the log, by correlation and aggregate.
    known: HashMap<(String, Cow<'static, str>), String>,
    pub(super) sent: Sent,
}

impl Teller<'_> {
    async fn company(&mut self, number: usize, name: &str) -> anyhow::Result<i64> {
        let request = self.request(&format!("company/{number}"));
        if let Some(id) = self.known_as(&request, Company::TYPE) {
            return Ok(id.parse()?);
        }
        let id = self.desk.ledger().next_id("company").await?.to_string();
        let name = name.to_owned();
        let create = CompanyCommand::Create { name };
        let once = once(&request);
        let done = self.desk.create::<Company>(&once, &id, create).await?;
        self.sent.commands += 1;
        // Another run may have been faster.
        let id = done.changes.first().map_or(id, |change| change.id.clone());
        Ok(id.parse()?)
    }

    async fn card(&mut self, number: usize, companies: &[i64]) -> anyhow::Result<i64> {
        let (company, name, position, phone, sign, photos) = PEOPLE[number];
        let request = self.request(&format!("card/{number}"));
        let uid = if let Some(id) = self.known_as(&request, Card::TYPE) {
            id.parse()?
        } else {
            let uid = self.desk.ledger().next_id("card").await?;
            let subject = StreamId::new(Card::TYPE, uid.to_string()).to_string();
            let own = |text: &str| Personal::new(subject.clone(), text.to_owned());
            let create = CreateCard {
                uid,
                company_id: companies[company],
                profile: CardProfile {
                    username: own(name),
                    avatar: own(""),
                    mingpian_avatar: own(""),
                    address: COMPANIES[company].1.to_owned(),
                    position: position.to_owned(),
                    email: own(&format!("user{number}@example.com")),
                    wechat: own(phone),
                    mingpian_phone: own(phone),
                    sign: own(sign),
                    qr_code_url: String::new(),
                    poster_url: String::new(),
                },
            };
            let done = self.desk.run(&once(&request), &create).await?;
            self.sent.commands += 1;
            self.sent.cards += 1;
            // Another run may have been faster.
            done.outcome.0
        };
        for photo in 1..=photos {
            if self.version::<Card>(uid).await? == i64::from(photo) {
                let photo_url =
                    format!("statics/zhugeleida/imgs/xiaochengxu/photo/{uid}_{photo}.jpg");
                let add = AddCardPhoto { uid, photo_url };
                let done = self.desk.run(&request, &add).await;
                self.count(done)?;
            }
        }
        Ok(uid)
    }

    /// Every third came by a share of somebody before; everybody looks at the card they belong to.
    async fn customer(
        &mut self,
        number: usize,
        cards: &[i64],
        before: &[i64],
    ) -> anyhow::Result<i64> {
        let request = self.request(&format!("customer/{number}"));
        let customer_id = self.logged_in(number, &request).await?;
        let uid = cards[card_of(number)];
        let parent = before.get(number / 2).copied();
        let pid = parent.filter(|_| number % 3 == 2);
        if self.version::<Customer>(customer_id).await? == 2 {
            let bind = BindCustomer {
                customer_id,
                binding: Binding {
                    uid,
                    pid,
                    source: pid.map_or(Source::Scan, |_| Source::Forward),
                    user_type: UserType::MiniProgram,
                },
                signed: true,
            };
            let done = self.desk.run(&request, &bind).await;
            self.count(done)?;
        }
        if self.version::<Customer>(customer_id).await? == 3 {
            let id = customer_id.to_string();
            let update = CustomerCommand::UpdateProfile(profile(number, customer_id));
            let done = self.desk.execute::<Customer>(&request, &id, update).await;
            self.count(done)?;
            self.visits(number, customer_id, uid, &request).await?;
        }
        Ok(customer_id)
    }

    async fn logged_in(&mut self, number: usize, request: &Request) -> anyhow::Result<i64> {
        let ledger = self.desk.ledger();
        let openid = format!("dev_demo{}", number + 1);
        let claim = identity_claim(ledger.keys(), UserType::MiniProgram, &openid);
        let held = ledger.load::<NameClaim>(&claim, Freshness::Reread).await?;
        if let Some(known) = identity_holder(&held.state) {
            return Ok(known);
        }
        let log_in = LogIn {
            claim,
            new_id: Some(ledger.next_id("customer").await?),
            openid,
            unionid: None,
            user_type: UserType::MiniProgram,
            source: Source::Scan,
            trial: false,
        };
        let done = self.desk.run(request, &log_in).await?;
        self.sent.commands += 1;
        Ok(done.outcome.user_id)
    }

    async fn visits(
        &mut self,
        number: usize,
        customer_id: i64,
        uid: i64,
        request: &Request,
    ) -> anyhow::Result<()> {
        let mut visits = vec![CardVisit::View; number % 4 + 1];
        match number % 5 {
            0 => visits.push(CardVisit::Forward),
            1 => visits.push(CardVisit::Call),
            2 => visits.push(CardVisit::SaveWechat),
            _ => {}
        }
        for visit in visits {
            let visit = VisitCard {
                customer_id,
                uid,
                visit,
            };
            let done = self.desk.run(request, &visit).await;
            self.count(done)?;
        }
        for (kind, likes) in [
            (ReactionKind::Praise, number.is_multiple_of(2)),
            (ReactionKind::Sign, number % 3 == 1),
        ] {
            if likes {
                let react = ReactToCard {
                    key: ReactToCard::key(customer_id, kind, uid),
                    wish: Wish::Add(None),
                    at: request.metadata.at,
                };
                let done = self.desk.run(request, &react).await;
                self.count(done)?;
            }
        }
        Ok(())
    }

    /// Every other customer has read what they were told; enterprise users have read everything.
    async fn talk(&mut self, number: usize, pair: Pair) -> anyhow::Result<()> {
        let mut said = None;
        for (place, (by_card, text)) in TALKS[number % TALKS.len()].iter().enumerate() {
            let request = self.request(&format!("talk/{number}/{place}"));
            if self.known_as(&request, "Message").is_some() {
                continue;
            }
            let send = SendChat {
                id: self.desk.ledger().next_id("message").await?,
                pair,
                writer: if *by_card { Side::Card } else { Side::Customer },
                content: ChatContent::read(&(*text).into())?,
            };
            let done = self.desk.run(&once(&request), &send).await;
            said = done.as_ref().ok().map(|done| done.position).or(said);
            self.count(done)?;
        }
        let Some(through) = said else { return Ok(()) };
        for (side, reads) in [
            (Side::Card, true),
            (Side::Customer, number.is_multiple_of(2)),
        ] {
            if reads {
                let request = self.request(&format!("read/{number}"));
                let id = ConversationId { pair, side }.to_string();
                let read = ConversationCommand::Read { through };
                let desk = self.desk;
                let done = desk.execute::<Conversation>(&request, &id, read).await;
                self.count(done)?;
            }
        }
        Ok(())
    }

    pub(super) async fn version<A: State>(&self, id: i64) -> anyhow::Result<i64> {
        let id = id.to_string();
        let found = self.desk.ledger().load::<A>(&id, Freshness::Cached).await?;
        Ok(found.version)
    }

    /// A refusal means that somebody changed what it was about.
    pub(super) fn count<T, E: Refusal>(
        &mut self,
        done: Result<Done<T>, DeskError<E>>,
    ) -> anyhow::Result<()> {
        match done {
            Ok(_) => self.sent.commands += 1,
            Err(DeskError::Refused(refusal)) => tracing::debug!("Not sent: {refusal}"),
            Err(error) => return Err(anyhow!("{error}")),
        }
        Ok(())
    }

    /// The stream of an aggregate that an earlier run sent such a request to.
    pub(super) fn known_as(&self, request: &Request, aggregate: &'static str) -> Option<&String> {
        let correlation = request.metadata.correlation.clone()?;
        self.known.get(&(correlation, aggregate.into()))
    }

    pub(super) fn request(&self, what: &str) -> Request {
        Request {
            metadata: Metadata {
                actor: "system:demo".to_owned(),
                surface: SURFACE.to_owned(),
                request_id: Uuid::now_v7(),
                causation: None,
                correlation: Some(format!("{PREFIX}{what}")),
                at: self.desk.ledger().clock().now(),
            },
            receipt: None,
            if_match: None,
            deadline: Instant::now() + PATIENCE,
        }
    }
}

/// The same, for what two runs at once shall not both make.
pub(super) fn once(request: &Request) -> Request {
    let mut request = request.clone();
    request.receipt = request.metadata.correlation.as_deref().map(receipt);
    request
}

fn profile(number: usize, customer_id: i64) -> Profile {
    let (username, province, city) = CUSTOMERS[number];
    let subject = StreamId::new(Customer::TYPE, customer_id.to_string()).to_string();
    let own = |text: &str| Personal::new(subject.clone(), text.to_owned());
    Profile {
        username: own(username),
        headimgurl: own("statics/imgs/setAvator.jpg"),
        city: own(city),
        country: own("中国"),
        province: own(province),
        language: own("zh_CN"),
    }
}
