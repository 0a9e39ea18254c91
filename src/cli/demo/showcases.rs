//! The customer cases of the data set: those of the document's own example, with everything it counts, and some more.
//!
//! They are the same whatever the seed. Every command has a correlation of its own, `demo/showcases/…`, and what the log knows
//! under it is not sent again. The example's industry has no other cases, so the document's own call answers its example.

use std::collections::HashSet;

use anyhow::anyhow;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use uuid::Uuid;

use super::fill::{PATIENCE, SURFACE};
use crate::commands::reaction::Wish;
use crate::commands::showcase::{
    AddShowcaseFile, CommentOnShowcase, FileName, LikeShowcase, NewFile, OpenAuthor, Preview,
    PublishShowcase, RecordShowcaseView, id_of,
};
use crate::commands::{Desk, DeskError, Operation, Request};
use crate::events::party::{Party, PartyKind, Target, TargetKind};
use crate::events::reaction::{ReactionKey, ReactionKind};
use crate::events::showcase::{Industry, Score};
use crate::ledger::Metadata;

/// What correlations begin with.
const PREFIX: &str = "demo/showcases/";
/// Who looks without an account.
const ANYBODY: &str = "anonymous";

/// The authors of the document's example: id and name.
const SAMPLE_AUTHORS: [(&str, &str); 4] = [
    ("b1onnbw3ebbjtenaco9fxa16ke", "1356932923411927040"),
    ("bjg5k3er6inf8ce16onhnhb8we", "1356941446602559488"),
    ("esbng8qjsfn5jr355ikcr4aajr", "1356941491057987584"),
    ("szasc68seig9jrhqw4eaj9gu3h", "1356941364390006784"),
];

/// The names of other authors.
const NAMES: [&str; 8] = [
    "青禾设计",
    "北辰影像",
    "一合互动",
    "山海动画",
    "像素工坊",
    "流光特效",
    "拾光工作室",
    "南墙创意",
];

/// What the other cases are about, a line an industry: brand design is the example's own.
const SUBJECTS: [(Industry, [&str; 7]); 5] = [
    (
        Industry::Film,
        [
            "茶山纪录片",
            "新车发布会",
            "城市宣传片",
            "校庆微电影",
            "美食短片",
            "航拍花絮",
            "产品广告片",
        ],
    ),
    (
        Industry::CompanyWebsite,
        [
            "律所官网",
            "医院预约站",
            "民宿首页",
            "物流查询站",
            "工厂展厅",
            "招聘专题页",
            "展会报名站",
        ],
    ),
    (
        Industry::Animation,
        [
            "吉祥物动画",
            "科普短片",
            "绘本分镜",
            "国风角色",
            "表情包",
            "片头动画",
            "安全教育片",
        ],
    ),
    (
        Industry::Game,
        [
            "像素冒险",
            "三国卡牌",
            "农场小游戏",
            "赛车场景",
            "角色立绘",
            "界面设计",
            "新手引导",
        ],
    ),
    (
        Industry::VisualEffects,
        [
            "水墨转场",
            "雪崩镜头",
            "全息界面",
            "粒子片头",
            "城市延时",
            "爆破合成",
            "星空穿越",
        ],
    ),
];

/// What people say under cases.
const REMARKS: [&str; 6] = [
    "配色很舒服",
    "请问制作周期多长?",
    "细节做得很到位",
    "和我们的需求很接近",
    "交付比预期还快",
    "期待下一个案例",
];

/// A case and what becomes of it.
struct Told {
    id: String,
    author: String,
    industry: Industry,
    score_hundredths: u16,
    file: Option<NewFile>,
    views: u32,
    /// The ids of who likes it.
    likes: Vec<String>,
    /// Who says what under it.
    comments: Vec<(String, &'static str)>,
}

/// What a run has sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// Cases published now.
    pub cases: u64,
    /// Commands accepted now, publications and accounts among them.
    pub commands: u64,
}

struct Teller<'d> {
    desk: &'d Desk,
    /// What the log knows.
    told: HashSet<String>,
    sent: Sent,
}

/// Sends what is missing.
///
/// # Errors
/// When something breaks; what was sent stays.
pub async fn fill(desk: &Desk) -> anyhow::Result<Sent> {
    let traces = desk.ledger().traces(SURFACE, PREFIX).await?;
    let mut teller = Teller {
        desk,
        told: traces.into_iter().map(|trace| trace.correlation).collect(),
        sent: Sent::default(),
    };
    let others = NAMES.map(|name| (made_id(name), name));
    let others = others.iter().map(|(id, name)| (id.as_str(), *name));
    for (id, name) in others.chain(SAMPLE_AUTHORS) {
        let open = OpenAuthor {
            id: id.to_owned(),
            keys: desk.ledger().keys().clone(),
            username: name.to_owned(),
        };
        teller.send(&format!("author/{id}"), &open).await?;
    }
    // The list shows the last first.
    for case in more()?.into_iter().chain(samples()?) {
        teller.tell(case).await?;
    }
    Ok(teller.sent)
}

impl Teller<'_> {
    async fn tell(&mut self, case: Told) -> anyhow::Result<()> {
        let id = case.id;
        let publish = PublishShowcase {
            id: id.clone(),
            user_id: case.author,
            industry: case.industry,
            score: Score::from_hundredths(case.score_hundredths).unwrap_or_default(),
        };
        if self.send(&format!("{id}/publish"), &publish).await? {
            self.sent.cases += 1;
        }
        if let Some(file) = case.file {
            let add = AddShowcaseFile {
                id: id.clone(),
                file,
            };
            self.send(&format!("{id}/file"), &add).await?;
        }
        let view = RecordShowcaseView {
            viewer: ANYBODY.to_owned(),
            task_id: id.clone(),
        };
        for number in 1..=case.views {
            self.send(&format!("{id}/view/{number}"), &view).await?;
        }
        for author in case.likes {
            let key = ReactionKey {
                actor: Party::new(PartyKind::Weidu, &author),
                kind: ReactionKind::Like,
                target: Target::new(TargetKind::Showcase, &id),
            };
            let wish = Wish::Add(None);
            let like = LikeShowcase { key, wish };
            self.send(&format!("{id}/like/{author}"), &like).await?;
        }
        for (number, (author_id, content)) in (1..).zip(case.comments) {
            let what = format!("{id}/comment/{number}");
            if self.told.contains(&format!("{PREFIX}{what}")) {
                continue;
            }
            let comment = CommentOnShowcase {
                id: self.desk.ledger().next_id("comment").await?,
                task_id: id.clone(),
                author_id,
                content: content.to_owned(),
            };
            self.send(&what, &comment).await?;
        }
        Ok(())
    }

    /// Answers whether it was done now. A refusal means that another run was faster, or that somebody withdrew the case.
    async fn send<O: Operation>(&mut self, what: &str, operation: &O) -> anyhow::Result<bool> {
        let correlation = format!("{PREFIX}{what}");
        if self.told.contains(&correlation) {
            return Ok(false);
        }
        let request = request(self.desk, correlation);
        match self.desk.run(&request, operation).await {
            Ok(_) => {
                self.sent.commands += 1;
                Ok(true)
            }
            Err(DeskError::Refused(refusal)) => {
                tracing::debug!("Not sent: {refusal}");
                Ok(false)
            }
            Err(error) => Err(anyhow!("{what}: {error}")),
        }
    }
}

/// The document's example, oldest first.
fn samples() -> anyhow::Result<Vec<Told>> {
    let sample = |number: usize, id: &str, file: NewFile| Told {
        id: id.to_owned(),
        author: SAMPLE_AUTHORS[number].0.to_owned(),
        industry: Industry::BrandDesign,
        score_hundredths: 9_000,
        file: Some(file),
        views: 0,
        likes: Vec::new(),
        comments: Vec::new(),
    };
    let authors = SAMPLE_AUTHORS.map(|(id, _)| id.to_owned());
    let file = |id: &str, name: &str, size_bytes, (width_pixels, height_pixels)| {
        anyhow::Ok(NewFile {
            file_id: id.to_owned(),
            user_id: None,
            name: FileName::parse(name)?,
            mime_type: "image/jpeg".to_owned(),
            size_bytes,
            width_pixels,
            height_pixels,
            path: None,
            preview: Preview::Beside,
            day: "20210203".to_owned(),
            sha256: None,
        })
    };
    let mut cases = vec![
        sample(
            0,
            "bnk7w8bhg7br5jp8xuep1to4se",
            file("9epzckzagtau7qgtnexuxae4ba", "fabu.jpg", 13_237, (500, 375))?,
        ),
        sample(
            1,
            "x6xnpntqb3n58n6445wnzjg94h",
            file(
                "aa9jz17gapr17psnatuf4p5toa",
                "zhizuo.jpeg",
                29_608,
                (700, 483),
            )?,
        ),
        sample(
            2,
            "ofargqanbpeeinswoigjae9rpe",
            file(
                "eft1p6e73benbpxs6urnxetnkc",
                "timg.jpeg",
                403_482,
                (800, 1084),
            )?,
        ),
        sample(
            3,
            "5trb5tu7tj8kfe7gwk7qakfpac",
            file("kspnaeba8tr37jit7s5ingnnwr", "fabu.jpg", 13_237, (500, 375))?,
        ),
    ];
    cases[0].views = 1;
    cases[0].comments = vec![(authors[3].clone(), REMARKS[0])];
    cases[3].views = 6;
    cases[3].likes = authors[..3].to_vec();
    cases[3].comments = vec![
        (authors[0].clone(), REMARKS[2]),
        (authors[3].clone(), REMARKS[5]),
    ];
    Ok(cases)
}

/// Some of every other industry.
fn more() -> anyhow::Result<Vec<Told>> {
    let authors = NAMES.map(made_id);
    let mut cases = Vec::new();
    for (industry, subjects) in SUBJECTS {
        for subject in subjects {
            let number = cases.len();
            let other = |step: usize| authors[(number + step) % authors.len()].clone();
            let small = u32::try_from(number)?;
            let (width_pixels, height_pixels) = (800 + small * 16, 600 + small * 9);
            let file = NewFile {
                file_id: made_id(&format!("file/{subject}")),
                user_id: None,
                name: FileName::parse(&format!("{subject}.jpg"))?,
                mime_type: "image/jpeg".to_owned(),
                size_bytes: u64::from(width_pixels) * u64::from(height_pixels) / 7,
                width_pixels,
                height_pixels,
                path: None,
                preview: Preview::Beside,
                day: format!("202103{:02}", number % 28 + 1),
                sha256: None,
            };
            let remarks = (0..number % 4).map(|step| {
                let remark = REMARKS[(number + step) % REMARKS.len()];
                (other(step + 1), remark)
            });
            cases.push(Told {
                id: made_id(&format!("case/{subject}")),
                author: other(0),
                industry,
                score_hundredths: u16::try_from(7_500 + number * 65 % 2_500)?,
                // A few have nothing to show yet.
                file: (number % 9 != 8).then_some(file),
                views: small * 5 % 13,
                likes: (1..=number % 5).map(other).collect(),
                comments: remarks.collect(),
            });
        }
    }
    Ok(cases)
}

/// The same id for the same words, always.
fn made_id(words: &str) -> String {
    let digest = Sha256::digest(format!("{PREFIX}{words}").as_bytes());
    id_of(std::array::from_fn(|place| digest[place]))
}

fn request(desk: &Desk, correlation: String) -> Request {
    Request {
        metadata: Metadata {
            actor: "system:demo".to_owned(),
            surface: SURFACE.to_owned(),
            request_id: Uuid::now_v7(),
            causation: None,
            correlation: Some(correlation),
            at: desk.ledger().clock().now(),
        },
        receipt: None,
        if_match: None,
        deadline: Instant::now() + PATIENCE,
    }
}
