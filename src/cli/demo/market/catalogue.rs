//! What staff puts up: banners, cloths, games, masters with their projects and tickets, merchants.

use chrono::NaiveDate;

use super::{STAFF, Teller, made_id};
use crate::commands::Operation;
use crate::commands::cloth::CreateCloth;
use crate::commands::listed::Create;
use crate::commands::master::CreateMaster;
use crate::commands::project::CreateProject;
use crate::commands::ticket::IssueTickets;
use crate::events::banner::{BannerDetails, Placement};
use crate::events::cloth::{ClothDetails, Collection};
use crate::events::game::GameDetails;
use crate::events::master::MasterDetails;
use crate::events::merchant::MerchantDetails;
use crate::events::project::ProjectDetails;
use crate::events::ticket::TicketDetails;

/// Where a banner hangs, and where it leads.
const BANNERS: [(Placement, &str); 8] = [
    (Placement::Home, "https://example.com/spring"),
    (Placement::Home, "https://example.com/newcomers"),
    (Placement::Home, ""),
    (Placement::DesignCircle, "https://example.com/designers"),
    (Placement::DesignCircle, ""),
    (Placement::Game, ""),
    (Placement::Ticket, "https://example.com/tickets"),
    (Placement::Ticket, ""),
];

/// Cloths of the design circle: name, about it, price, dynasty, who designed it.
const DESIGNS: [(&str, &str, i64, i16, &str); 10] = [
    (
        "云想·齐胸襦裙",
        "取意“云想衣裳花想容”,轻纱三层。",
        89_900,
        7,
        "沈知微,苏州人,专做唐制。",
    ),
    (
        "青绿山水·大袖衫",
        "以《千里江山图》设色,数码提花。",
        129_900,
        9,
        "沈知微,苏州人,专做唐制。",
    ),
    (
        "松风·直裾",
        "素绢,无绣,适合日常。",
        45_900,
        3,
        "何其远,做了十二年男装。",
    ),
    (
        "月下·褙子",
        "宋抹配窄袖褙子,浅月白。",
        39_900,
        9,
        "顾南枝,从刺绣学徒做起。",
    ),
    (
        "海棠·马面裙",
        "妆花缎,八褶,海棠暗纹。",
        69_900,
        11,
        "顾南枝,从刺绣学徒做起。",
    ),
    (
        "玄鸟·曲裾",
        "三绕曲裾,朱砂与墨。",
        79_900,
        3,
        "何其远,做了十二年男装。",
    ),
    (
        "踏雪·斗篷",
        "羊毛呢,兔绒边,长至脚踝。",
        59_900,
        11,
        "白露工作室,北方的衣裳。",
    ),
    (
        "惊蛰·圆领袍",
        "团花圆领,男女同款。",
        65_900,
        7,
        "何其远,做了十二年男装。",
    ),
    (
        "采莲·短衫",
        "苎麻夏衣,可机洗。",
        25_900,
        9,
        "白露工作室,北方的衣裳。",
    ),
    ("归雁·飞鱼服", "织金飞鱼,礼服用。", 199_900, 11, ""),
];

/// How many cloths of [`Stock::cloths`] are of the design circle.
pub(super) const DESIGN_CLOTHS: usize = DESIGNS.len();

/// Merchants: name, about them, address, phone, mail.
type Shop = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
);
const MERCHANTS: [Shop; 4] = [
    (
        "锦绣坊",
        "老字号绸缎庄,三代人做云锦。",
        "江苏省南京市秦淮区",
        Some("025-00000000"),
        Some("service@jinxiu.example"),
    ),
    (
        "长安衣铺",
        "唐制成衣,现货当日发。",
        "陕西省西安市雁塔区",
        None,
        Some("hello@changan.example"),
    ),
    (
        "听雨轩",
        "宋制日常,可约试衣。",
        "浙江省杭州市上城区",
        Some("0571-00000000"),
        None,
    ),
    ("小满童衣", "孩子的衣裳,棉麻为主。", "", None, None),
];

/// What each merchant sells: name, price, dynasty. Every third is recommended.
const GOODS: [(&str, i64, i16); 12] = [
    ("云锦马甲", 49_900, 11),
    ("缠枝莲披肩", 19_900, 11),
    ("织金腰带", 9_900, 0),
    ("石榴红诃子裙", 35_900, 7),
    ("翻领胡服", 42_900, 7),
    ("半臂", 15_900, 7),
    ("宋抹", 8_900, 9),
    ("三涧裙", 26_900, 9),
    ("雨过天青褙子", 29_900, 9),
    ("童装圆领袍", 16_900, 7),
    ("虎头帽", 5_900, 0),
    ("百家衣", 12_900, 0),
];

/// Games: name, about it, whether it is recommended.
const GAMES: [(&str, &str, bool); 6] = [
    ("飞花令", "一人一句,接不上的人讲个故事。", true),
    ("投壶", "线上投壶,每周排行。", true),
    ("曲水流觞", "杯子停在谁面前,谁就写一句。", true),
    ("衣冠消消乐", "认齐各朝服饰部件。", false),
    ("猜灯谜", "元宵活动,谜面由大家来出。", true),
    ("六博", "复原规则,双人对局。", false),
];

/// Masters: name, about them, where they live, when they were born, whether they are recommended, and which of the members
/// they are.
type Person = (
    &'static str,
    &'static str,
    &'static str,
    Option<(i32, u32, u32)>,
    bool,
    Option<usize>,
);
const MASTERS: [Person; 5] = [
    (
        "沈知微",
        "服饰设计师,讲唐制的形与色。",
        "江苏省苏州市姑苏区",
        Some((1988, 4, 12)),
        true,
        Some(0),
    ),
    (
        "陆观澜",
        "古琴演奏者,弹琴也修琴。",
        "四川省成都市青羊区",
        Some((1979, 11, 3)),
        true,
        Some(1),
    ),
    (
        "叶初晴",
        "茶人,二十四节气茶会的主人。",
        "福建省武夷山市",
        None,
        true,
        None,
    ),
    (
        "贺兰雪",
        "马球与骑射教练。",
        "内蒙古自治区呼和浩特市",
        Some((1993, 1, 27)),
        false,
        None,
    ),
    ("闻人语", "说书人。", "", None, false, None),
];

/// Projects: of which master, name, about it, whether it is recommended, how many tickets, of which name and price.
type Show = (
    usize,
    &'static str,
    &'static str,
    bool,
    usize,
    &'static str,
    i64,
);
const PROJECTS: [Show; 8] = [
    (
        0,
        "一件襦裙的诞生",
        "从纸样到成衣,六次课。",
        true,
        24,
        "工作坊座位",
        19_900,
    ),
    (
        0,
        "唐制色彩夜话",
        "线上讲座,可回看。",
        false,
        60,
        "讲座券",
        2_900,
    ),
    (
        1,
        "梅花三弄·琴会",
        "三十人的小型琴会,提供茶点。",
        true,
        30,
        "琴会座席",
        28_800,
    ),
    (1, "修琴记", "带上你的琴来。", false, 8, "到场名额", 9_900),
    (
        2,
        "谷雨茶会",
        "武夷山下采茶、做茶、喝茶。",
        true,
        20,
        "茶会席位",
        36_800,
    ),
    (2, "一杯水的温度", "入门茶课。", false, 40, "体验券", 1_900),
    (
        3,
        "草原马球日",
        "提供马匹与护具,分组对抗。",
        true,
        16,
        "参赛名额",
        58_800,
    ),
    (
        4,
        "夜读《聊斋》",
        "关灯说书,胆小勿入。",
        false,
        50,
        "入场券",
        6_600,
    ),
];

/// What came of it: the ids of what members do things to.
pub(super) struct Stock {
    /// Of the design circle first.
    pub cloths: Vec<String>,
    pub games: Vec<String>,
    pub masters: Vec<String>,
    pub merchants: Vec<String>,
    /// The tickets of each project.
    pub tickets: Vec<Vec<i64>>,
}

impl Teller<'_> {
    /// Puts everything up; some of the masters are members.
    pub(super) async fn catalogue(&mut self, members: &[String]) -> anyhow::Result<Stock> {
        self.banners().await?;
        let merchants = self.merchants().await?;
        let masters = self.masters(members).await?;
        Ok(Stock {
            cloths: self.cloths(&merchants).await?,
            games: self.games().await?,
            tickets: self.projects(&masters).await?,
            masters,
            merchants,
        })
    }

    /// Makes a numbered thing once; answers its id.
    async fn make<O: Operation<Outcome = String>>(
        &mut self,
        what: &str,
        (aggregate, ids): (&str, &'static str),
        create: impl FnOnce(String) -> O,
    ) -> anyhow::Result<Option<String>> {
        if let Some(id) = self.known(what, aggregate).and_then(|ids| ids.first()) {
            return Ok(Some(id.clone()));
        }
        let id = self.desk.ledger().next_id(ids).await?.to_string();
        let made = self.send(STAFF, what, &create(id)).await?;
        self.sent.things += u64::from(made.is_some());
        Ok(made)
    }

    /// Makes a thing under an id of its own words once.
    async fn put_up<O: Operation>(
        &mut self,
        what: &str,
        aggregate: &str,
        create: &O,
    ) -> anyhow::Result<()> {
        if self.known(what, aggregate).is_none() {
            let made = self.send(STAFF, what, create).await?;
            self.sent.things += u64::from(made.is_some());
        }
        Ok(())
    }

    async fn banners(&mut self) -> anyhow::Result<()> {
        for (position, (placement, url)) in (1..).zip(BANNERS) {
            let details = BannerDetails {
                placement,
                image: picture("banner", position),
                url: url.to_owned(),
                position,
            };
            let what = format!("banner/{position}");
            self.make(&what, ("Banner", "banner"), |id| Create { id, details })
                .await?;
        }
        Ok(())
    }

    async fn merchants(&mut self) -> anyhow::Result<Vec<String>> {
        let mut merchants = Vec::new();
        for (number, (name, intro, address, phone, email)) in (1..).zip(MERCHANTS) {
            let what = format!("merchant/{number}");
            let details = MerchantDetails {
                name: name.to_owned(),
                logo: Some(picture("merchant", number)),
                intro: intro.to_owned(),
                address: address.to_owned(),
                phone: phone.map(str::to_owned),
                email: email.map(str::to_owned),
            };
            let id = made_id(&what);
            merchants.push(id.clone());
            let create = Create { id, details };
            self.put_up(&what, "Merchant", &create).await?;
        }
        Ok(merchants)
    }

    async fn masters(&mut self, members: &[String]) -> anyhow::Result<Vec<String>> {
        let mut masters = Vec::new();
        for (number, master) in (1..).zip(MASTERS) {
            let (name, intro, address, birthday, recommended, member) = master;
            let what = format!("master/{number}");
            let id = made_id(&what);
            masters.push(id.clone());
            let birthday = birthday.and_then(|(y, m, d)| NaiveDate::from_ymd_opt(y, m, d));
            let create = CreateMaster {
                id,
                keys: self.desk.ledger().keys().clone(),
                details: MasterDetails {
                    name: name.to_owned(),
                    avatar: Some(picture("master", number)),
                    intro: intro.to_owned(),
                    address: address.to_owned(),
                    birthday,
                    recommended,
                    uid: member.and_then(|place| members.get(place)).cloned(),
                },
            };
            self.put_up(&what, "Master", &create).await?;
        }
        Ok(masters)
    }

    async fn cloths(&mut self, merchants: &[String]) -> anyhow::Result<Vec<String>> {
        let designs = DESIGNS.map(|(name, intro, price_fen, dynasty, designer)| ClothDetails {
            collection: Collection::Design,
            merchant_id: None,
            name: name.to_owned(),
            image: String::new(),
            intro: intro.to_owned(),
            price_fen,
            dynasty,
            designer_intro: designer.to_owned(),
            recommended: false,
        });
        let per_merchant = GOODS.len() / merchants.len().max(1);
        let goods = GOODS.iter().enumerate();
        let goods = goods.map(|(place, (name, price_fen, dynasty))| ClothDetails {
            collection: Collection::Merchant,
            merchant_id: merchants.get(place / per_merchant.max(1)).cloned(),
            name: (*name).to_owned(),
            image: String::new(),
            intro: "实物拍摄,七天可退。".to_owned(),
            price_fen: *price_fen,
            dynasty: *dynasty,
            designer_intro: String::new(),
            recommended: place % 3 == 0,
        });
        let mut cloths = Vec::new();
        for (number, mut details) in (1..).zip(designs.into_iter().chain(goods)) {
            details.image = picture("cloth", number);
            let what = format!("cloth/{number}");
            let create = |id| CreateCloth { id, details };
            cloths.extend(self.make(&what, ("Cloth", "cloth"), create).await?);
        }
        Ok(cloths)
    }

    async fn games(&mut self) -> anyhow::Result<Vec<String>> {
        let mut games = Vec::new();
        for (number, (name, intro, recommended)) in (1..).zip(GAMES) {
            let details = GameDetails {
                name: name.to_owned(),
                image: picture("game", number),
                intro: intro.to_owned(),
                recommended,
            };
            let what = format!("game/{number}");
            let create = |id| Create { id, details };
            games.extend(self.make(&what, ("Game", "game"), create).await?);
        }
        Ok(games)
    }

    /// Projects with their tickets; answers the tickets of each.
    async fn projects(&mut self, masters: &[String]) -> anyhow::Result<Vec<Vec<i64>>> {
        let mut tickets = Vec::new();
        for (number, project) in (1..).zip(PROJECTS) {
            let (master, name, intro, recommended, count, ticket, price_fen) = project;
            let details = ProjectDetails {
                master_id: masters[master].clone(),
                name: name.to_owned(),
                image: picture("project", number),
                intro: intro.to_owned(),
                recommended,
            };
            let what = format!("project/{number}");
            let create = |id| CreateProject { id, details };
            let id = self.make(&what, ("Project", "project"), create).await?;
            let Some(project_id) = id.and_then(|id| id.parse().ok()) else {
                tickets.push(Vec::new());
                continue;
            };
            let details = TicketDetails {
                project_id,
                name: format!("{name}·{ticket}"),
                image: picture("ticket", number),
                intro: intro.to_owned(),
                price_fen,
            };
            tickets.push(
                self.issue(&format!("{what}/tickets"), details, count)
                    .await?,
            );
        }
        Ok(tickets)
    }

    async fn issue(
        &mut self,
        what: &str,
        details: TicketDetails,
        count: usize,
    ) -> anyhow::Result<Vec<i64>> {
        if let Some(ids) = self.known(what, "Ticket") {
            return Ok(ids.iter().filter_map(|id| id.parse().ok()).collect());
        }
        let mut ids = Vec::with_capacity(count);
        for _ in 0..count {
            ids.push(self.desk.ledger().next_id("ticket").await?);
        }
        let issue = IssueTickets { ids, details };
        let issued = self.send(STAFF, what, &issue).await?.unwrap_or_default();
        self.sent.things += issued.len() as u64;
        Ok(issued)
    }
}

/// The name of a picture; nobody looks whether there is one.
fn picture(of: &str, number: i32) -> String {
    format!("demo/{of}-{number}.jpeg")
}
