//! The library of the data set: what the two companies of the mini-program show their visitors, products, a website, cases
//! with their diaries, and what those visitors do with it. It goes on where `mini_program.rs` ends, under the same rules.
//!
//! The first company's is that of the documents' own examples.

use anyhow::anyhow;
use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

use super::mini_program::{Teller, once};
use crate::commands::browsing::{
    BrowseCases, ProductVisit, ReactInLibrary, ReadDiary, VisitProduct, VisitWebsite,
};
use crate::commands::case::{CaseCommand, CreateCase};
use crate::commands::comment::PublishComment;
use crate::commands::diary::{CreateDiary, DiaryCommand};
use crate::commands::product::{CreateProduct, ProductCommand};
use crate::commands::reaction::Wish;
use crate::commands::tag::CreateTag;
use crate::commands::website::SetWebsitePictures;
use crate::commands::{Decide, DeskError, Operation};
use crate::events::case::CaseProfile;
use crate::events::diary::{CoverShowType, DiaryPage};
use crate::events::party::{Party, PartyKind, Target, TargetKind};
use crate::events::product::{BlockKind, ProductBlock, ProductContent, ProductProfile};
use crate::events::reaction::{ReactionKey, ReactionKind};
use crate::events::{Case, Comment, Diary, Product, Tag, Visit, Website};
use crate::ledger::State;

/// Wall time of the data set, as of the documents.
const WALL: FixedOffset = FixedOffset::east_opt(8 * 3600).expect("eight hours");

/// Where the pictures of the documents are.
const PICTURES: &str = "statics/zhugeleida/imgs/xiaochengxu";

/// Company by its place, name, price, reason, and how it stands on the shelf.
const PRODUCTS: [(usize, &str, &str, &str, Shelf); 9] = [
    (
        0,
        "“摩天大楼”2018巡回演唱会北京站",
        "317-1517",
        "鲜衣怒马俗尘了去，还若此间少年。驻足于摩天大楼，愿心中永葆纯真。",
        Shelf::Published,
    ),
    (
        0,
        "2018国际男篮对抗赛连云港",
        "280-1280",
        "让我们一起到现场，为中国蓝队加油助威，共同见证中国男篮踏上男篮世界杯的争霸之路。",
        Shelf::Withdrawn,
    ),
    (
        0,
        "2018世界女排联赛入场票",
        "50-1380元",
        "Be Part of The Game",
        Shelf::Recommended,
    ),
    (0, "门票2", "128", "有理想-不讲究", Shelf::Published),
    (
        0,
        "周末亲子音乐会",
        "88",
        "和孩子一起听懂贝多芬",
        Shelf::Draft,
    ),
    (
        1,
        "全屋整装·八十平",
        "98800",
        "一口价，不增项",
        Shelf::Recommended,
    ),
    (
        1,
        "厨房翻新",
        "16800-29800",
        "七天完工，不影响做饭",
        Shelf::Published,
    ),
    (
        1,
        "儿童房定制",
        "面议",
        "E0 级板材，圆角处理",
        Shelf::Published,
    ),
    (1, "旧房水电改造", "120/米", "十年质保", Shelf::Published),
];

/// How a product stands.
#[derive(Clone, Copy)]
enum Shelf {
    Draft,
    Published,
    Recommended,
    Withdrawn,
}

/// Company by its place, and name.
const TAGS: [(usize, &str); 9] = [
    (0, "家装知识"),
    (0, "隆鼻"),
    (0, "汽车"),
    (0, "金融"),
    (0, "美食"),
    (1, "现代简约"),
    (1, "北欧"),
    (1, "小户型"),
    (1, "旧房翻新"),
];

/// A case and its diaries.
struct Story {
    /// By its place.
    company: usize,
    customer_name: &'static str,
    /// By their places.
    tags: &'static [usize],
    shown: bool,
    diaries: &'static [Page],
}

/// Year, month, day; title; text.
type Page = ((i32, u32, u32), &'static str, &'static str);

const STORIES: [Story; 6] = [
    Story {
        company: 0,
        customer_name: "李汉杰-就是我，不一样的暗火",
        tags: &[1],
        shown: true,
        diaries: &[
            (
                (2019, 1, 28),
                "我的美白日记1",
                "第一天，有点紧张，医生很耐心。",
            ),
            ((2019, 1, 31), "我的美白日记2", "消肿了一些，可以出门散步。"),
            (
                (2019, 2, 11),
                "我的美白日记3",
                "过完年回来复查，恢复得很好。",
            ),
        ],
    },
    Story {
        company: 0,
        customer_name: "做自己",
        tags: &[0, 4],
        shown: true,
        diaries: &[
            ((2019, 3, 2), "开店第一天", "门口排了二十多个人。"),
            ((2019, 3, 9), "开店一周", "招牌菜换成了酸汤鱼。"),
        ],
    },
    Story {
        company: 0,
        customer_name: "还没想好名字",
        tags: &[],
        shown: false,
        diaries: &[],
    },
    Story {
        company: 1,
        customer_name: "三口之家的第一套房",
        tags: &[5, 7],
        shown: true,
        diaries: &[
            ((2019, 4, 1), "开工大吉", "砸掉了厨房和客厅之间的墙。"),
            ((2019, 4, 12), "水电验收", "插座一共五十六个，够用了。"),
            ((2019, 5, 6), "贴砖", "师傅说这个花色要对缝，慢一点。"),
            ((2019, 6, 20), "搬家", "孩子最喜欢自己的小书桌。"),
        ],
    },
    Story {
        company: 1,
        customer_name: "爸妈的老房子",
        tags: &[8],
        shown: true,
        diaries: &[
            ((2019, 5, 18), "先看看房", "三十年的老水管，得全换。"),
            ((2019, 7, 2), "焕然一新", "爸妈说像住进了新家。"),
        ],
    },
    Story {
        company: 1,
        customer_name: "一个人的四十平",
        tags: &[6, 7],
        shown: true,
        diaries: &[],
    },
];

/// What visitors say of a diary.
const COMMENTS: [&str; 6] = [
    "不错的日记。。。。",
    "请问多少钱？",
    "恢复得真快！",
    "太好看了，抄作业",
    "坐等更新",
    "师傅手艺可以",
];

/// Sends what is missing: what `companies` show, and what their `visitors` do, each with the card they belong to and the
/// place of its company.
///
/// # Errors
/// When something breaks; what was sent stays.
pub(super) async fn fill(
    teller: &mut Teller<'_>,
    companies: &[i64],
    visitors: &[Visitor],
) -> anyhow::Result<()> {
    for (number, company_id) in companies.iter().enumerate() {
        website(teller, number, *company_id).await?;
    }
    let mut library = Library::default();
    for number in 0..PRODUCTS.len() {
        let product = product(teller, number, companies).await?;
        library.products.extend(product);
    }
    let mut tags = Vec::new();
    for number in 0..TAGS.len() {
        tags.push(tag(teller, number, companies).await?);
    }
    for (number, story) in STORIES.iter().enumerate() {
        case(teller, number, story, companies, &tags, &mut library).await?;
    }
    for (company, tag) in TAGS.iter().map(|(company, _)| *company).zip(tags) {
        library.tags.extend(tag.map(|id| (company, id)));
    }
    for (number, visitor) in visitors.iter().enumerate() {
        look_around(teller, number, visitor, companies, &library).await?;
    }
    Ok(())
}

/// Somebody who looks around.
pub(super) struct Visitor {
    pub(super) customer_id: i64,
    pub(super) uid: i64,
    /// By its place.
    pub(super) company: usize,
}

/// What can be seen, each with the place of its company.
#[derive(Default)]
struct Library {
    products: Vec<(usize, i64)>,
    tags: Vec<(usize, i64)>,
    cases: Vec<(usize, i64)>,
    diaries: Vec<(usize, i64)>,
}

/// One of those of a company, in turns.
fn pick(things: &[(usize, i64)], company: usize, turn: usize) -> Option<i64> {
    let own: Vec<i64> = things
        .iter()
        .filter(|(of, _)| *of == company)
        .map(|(_, id)| *id)
        .collect();
    own.get(turn.checked_rem(own.len())?).copied()
}

async fn website(teller: &mut Teller<'_>, number: usize, company_id: i64) -> anyhow::Result<()> {
    if teller.version::<Website>(company_id).await? > 0 {
        return Ok(());
    }
    let request = teller.request(&format!("website/{number}"));
    let places = |name: &str, most: u32| {
        let place = |picture| format!("{PICTURES}/website/{name}_{picture}.png");
        (1..=most).map(place).collect()
    };
    let set = SetWebsitePictures {
        company_id,
        pictures: Website {
            cover_picture: places("Website_scroll", 2),
            content_picture: places("Content", 4),
        },
    };
    let done = teller.desk.run(&request, &set).await;
    teller.count(done)
}

/// What it is, where everybody sees it.
async fn product(
    teller: &mut Teller<'_>,
    number: usize,
    companies: &[i64],
) -> anyhow::Result<Option<(usize, i64)>> {
    let (company, name, price, reason, shelf) = PRODUCTS[number];
    let what = format!("product/{number}");
    let create = |id| CreateProduct {
        id,
        company_id: companies[company],
        profile: ProductProfile {
            name: name.to_owned(),
            price: price.to_owned(),
            reason: reason.to_owned(),
            content: page(name, reason),
        },
    };
    let Some(id) = made(teller, &what, "product", Product::TYPE, create).await? else {
        return Ok(None);
    };
    let steps: &[ProductCommand] = match shelf {
        Shelf::Draft => &[],
        Shelf::Published => &[ProductCommand::Publish],
        Shelf::Recommended => &[ProductCommand::Recommend],
        Shelf::Withdrawn => &[ProductCommand::Publish, ProductCommand::Withdraw],
    };
    for (before, step) in (1..).zip(steps) {
        told::<Product>(teller, &what, id, before, step.clone()).await?;
    }
    let seen = matches!(shelf, Shelf::Published | Shelf::Recommended);
    Ok(seen.then_some((company, id)))
}

fn page(name: &str, reason: &str) -> ProductContent {
    let block = |kind, data: &[&str]| ProductBlock {
        kind,
        data: data.iter().map(|&text| text.to_owned()).collect(),
    };
    let picture = |name: &str| format!("{PICTURES}/website/{name}.png");
    ProductContent {
        cover_data: vec![block(
            BlockKind::PictureUrl,
            &[&picture("Website_scroll_1"), &picture("Website_scroll_2")],
        )],
        article_data: vec![
            block(BlockKind::Title, &[name]),
            block(BlockKind::PictureUrl, &[&picture("Content_1")]),
            block(BlockKind::Content, &[reason]),
        ],
    }
}

async fn tag(
    teller: &mut Teller<'_>,
    number: usize,
    companies: &[i64],
) -> anyhow::Result<Option<i64>> {
    let (company, name) = TAGS[number];
    let keys = teller.desk.ledger().keys().clone();
    let create = |id| CreateTag {
        id,
        keys,
        company_id: companies[company],
        name: name.to_owned(),
    };
    made(teller, &format!("tag/{number}"), "tag", Tag::TYPE, create).await
}

async fn case(
    teller: &mut Teller<'_>,
    number: usize,
    story: &Story,
    companies: &[i64],
    tags: &[Option<i64>],
    library: &mut Library,
) -> anyhow::Result<()> {
    let what = format!("case/{number}");
    let create = |id| CreateCase {
        id,
        company_id: companies[story.company],
        profile: CaseProfile {
            customer_name: story.customer_name.to_owned(),
            headimgurl: "statics/imgs/setAvator.jpg".to_owned(),
            cover_picture: "{}".to_owned(),
        },
        tag_ids: story.tags.iter().filter_map(|&tag| tags[tag]).collect(),
    };
    let Some(case_id) = made(teller, &what, "case", Case::TYPE, create).await? else {
        return Ok(());
    };
    if !story.shown {
        return Ok(());
    }
    // Made, and tagged if it has tags.
    let before = if story.tags.is_empty() { 1 } else { 2 };
    told::<Case>(teller, &what, case_id, before, CaseCommand::Publish).await?;
    library.cases.push((story.company, case_id));
    for (page, (day, title, text)) in story.diaries.iter().enumerate() {
        let what = format!("diary/{number}/{page}");
        let create = |id| CreateDiary {
            id,
            case_id,
            page: DiaryPage {
                title: (*title).to_owned(),
                diary_date: afternoon(*day),
                cover_picture: "{}".to_owned(),
                content: serde_json::json!([{ "type": "content", "data": [text] }]).to_string(),
                cover_show_type: CoverShowType::Pictures,
            },
        };
        let diary = made(teller, &what, "diary", Diary::TYPE, create).await?;
        if let Some(id) = diary {
            told::<Diary>(teller, &what, id, 1, DiaryCommand::Publish).await?;
            library.diaries.push((story.company, id));
        }
    }
    Ok(())
}

/// Ten to two, as in the documents.
fn afternoon((year, month, day): (i32, u32, u32)) -> DateTime<Utc> {
    let there =
        NaiveDate::from_ymd_opt(year, month, day).and_then(|day| day.and_hms_opt(13, 50, 0));
    let there = there.and_then(|there| there.and_local_timezone(WALL).single());
    there.unwrap_or_default().to_utc()
}

/// Once for each visitor: a product, the website, a search, a case and a diary, some of it liked.
async fn look_around(
    teller: &mut Teller<'_>,
    number: usize,
    visitor: &Visitor,
    companies: &[i64],
    library: &Library,
) -> anyhow::Result<()> {
    let request = teller.request(&format!("looks/{number}"));
    if teller.known_as(&request, Visit::TYPE).is_some() {
        return Ok(());
    }
    let Visitor {
        customer_id,
        uid,
        company,
    } = *visitor;
    let company_id = companies[company];
    if let Some(product_id) = pick(&library.products, company, number) {
        let mut visits = vec![ProductVisit::View];
        if number.is_multiple_of(3) {
            visits.push(ProductVisit::Forward);
        }
        for visit in visits {
            let visit = VisitProduct {
                customer_id,
                uid,
                product_id,
                visit,
            };
            let done = teller.desk.run(&request, &visit).await;
            teller.count(done)?;
        }
    }
    if number % 4 == 1 {
        let visit = VisitWebsite { customer_id, uid };
        let done = teller.desk.run(&request, &visit).await;
        teller.count(done)?;
    }
    let case_id = pick(&library.cases, company, number);
    let searches = [
        // The first tag of a company is the hot one.
        (
            None,
            pick(&library.tags, company, number % 3 * (number % 5)),
        ),
        (case_id, None),
    ];
    for (case_id, tag_id) in searches {
        let browse = BrowseCases {
            customer_id,
            company_id,
            case_id,
            tag_id,
            counts_search: true,
        };
        let done = teller.desk.run(&request, &browse).await;
        teller.count(done)?;
    }
    if let Some(case_id) = case_id.filter(|_| number.is_multiple_of(2)) {
        let target = Target::new(TargetKind::Case, case_id);
        like(teller, number, customer_id, ReactionKind::Collect, target).await?;
    }
    if let Some(diary_id) = pick(&library.diaries, company, number) {
        let read = ReadDiary {
            customer_id,
            company_id,
            diary_id,
            case_id: None,
        };
        let done = teller.desk.run(&request, &read).await;
        teller.count(done)?;
        let target = Target::new(TargetKind::Diary, diary_id);
        if number % 3 != 2 {
            like(
                teller,
                number,
                customer_id,
                ReactionKind::Praise,
                target.clone(),
            )
            .await?;
        }
        if number.is_multiple_of(2) {
            let publish = |id| PublishComment {
                id,
                target,
                author: Party::new(PartyKind::Customer, customer_id),
                content: COMMENTS[number / 2 % COMMENTS.len()].to_owned(),
            };
            let what = format!("comment/{number}");
            made(teller, &what, "comment", Comment::TYPE, publish).await?;
        }
    }
    Ok(())
}

async fn like(
    teller: &mut Teller<'_>,
    number: usize,
    customer_id: i64,
    kind: ReactionKind,
    target: Target,
) -> anyhow::Result<()> {
    let request = teller.request(&format!("looks/{number}"));
    let react = ReactInLibrary {
        key: ReactionKey {
            actor: Party::new(PartyKind::Customer, customer_id),
            kind,
            target,
        },
        wish: Wish::Add(None),
        at: request.metadata.at,
    };
    let done = teller.desk.run(&request, &react).await;
    teller.count(done)
}

/// What is made once; `None` where somebody was before us with something that rules it out.
async fn made<O>(
    teller: &mut Teller<'_>,
    what: &str,
    sequence: &'static str,
    aggregate: &'static str,
    create: impl FnOnce(i64) -> O,
) -> anyhow::Result<Option<i64>>
where
    O: Operation<Outcome = i64>,
{
    let request = teller.request(what);
    if let Some(id) = teller.known_as(&request, aggregate) {
        return Ok(Some(id.parse()?));
    }
    let id = teller.desk.ledger().next_id(sequence).await?;
    match teller.desk.run(&once(&request), &create(id)).await {
        Ok(done) => {
            teller.sent.commands += 1;
            // Another run may have been faster.
            Ok(Some(done.outcome))
        }
        Err(DeskError::Refused(refusal)) => {
            tracing::debug!("Not sent: {refusal}");
            Ok(None)
        }
        Err(error) => Err(anyhow!("{error}")),
    }
}

/// A command to what stands exactly before it.
async fn told<A: Decide>(
    teller: &mut Teller<'_>,
    what: &str,
    id: i64,
    before: i64,
    command: A::Command,
) -> anyhow::Result<()> {
    if teller.version::<A>(id).await? == before {
        let request = teller.request(what);
        let done = teller
            .desk
            .execute::<A>(&request, &id.to_string(), command)
            .await;
        teller.count(done)?;
    }
    Ok(())
}
