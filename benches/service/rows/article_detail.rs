//! An article whole: its author, who reacted to it, what is said under it.

use std::borrow::Cow;
use std::rc::Rc;

use anyhow::{Context, Result};
use async_trait::async_trait;

use super::statements::statement;
use super::{Goal, Row, four_fifths_of_pgbench};
use crate::contest::{Contender, contest};
use crate::load::{Answer, Case, count, lane};
use crate::report::Report;
use crate::servers::Community;
use crate::servers::community::{COLLECTS, COMMENTS, LIKES};
use crate::stage::{Stage, closed};

const GOALS: [Goal; 1] = [four_fifths_of_pgbench(64)];

/// The row.
pub struct ArticleDetail;

#[async_trait(?Send)]
impl Row for ArticleDetail {
    fn id(&self) -> &'static str {
        "article_detail"
    }

    fn what(&self) -> &'static str {
        "an article with author, likes, collections and comments; pgbench: the same three statements, prepared, on the same tables"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        stage.community().await?;
        let Some(community) = stage.our_community() else {
            return Ok(());
        };
        let (span, rounds) = (stage.span(), stage.options.rounds);
        let script = script()?;
        let read = community.read();
        let (least, most) = (read.iter().min(), read.iter().max());
        let (least, most) = least.zip(most).context("no articles")?;
        let variables = [
            format!("reader={}", community.uids[0]),
            "kind=article".to_owned(),
            format!("least={least}"),
            format!("most={most}"),
        ];
        for connections in stage.options.connections.clone() {
            let script = (self.id(), script.as_str());
            let pgbench = stage.pgbench_on_ours(connections, script, &variables)?;
            let mut contenders: Vec<Box<dyn Contender + '_>> = Vec::new();
            let case: Rc<dyn Case> = Rc::new(Detail::new(&community));
            contenders.push(closed(stage.ours.as_mut().context("no ours")?, case));
            contenders.extend(pgbench);
            let standings = contest(&mut contenders, connections, rounds, span).await?;
            report.compare(self, standings, &GOALS);
        }
        Ok(())
    }
}

/// The three statements in the order in which the service needs them.
fn script() -> Result<String> {
    let article = statement(
        &["AS \"joined_at!\"", "FROM articles a", "WHERE a.id = $2"],
        &[],
        &["reader", "id"],
    )?;
    let comments = statement(
        &[
            "AS \"there!\"",
            "SELECT id FROM comments WHERE target_kind = $4",
            "LIMIT 100))[$1:$2]",
        ],
        &[],
        &["first", "last", "reader", "kind", "id"],
    )?;
    let reactions = statement(
        &[
            "kind = 'like'",
            "kind = 'collect'",
            "UNION ALL",
            "AS \"uid!\"",
        ],
        &[],
        &["kind", "id"],
    )?;
    Ok(format!(
        "\\set id random(:least, :most)\n\\set first 1\n\\set last 100\n{article}{comments}{reactions}"
    ))
}

/// One of the articles that are read, by each member in turn.
pub struct Detail {
    community: Rc<Community>,
}

impl Detail {
    /// Of a community.
    #[must_use]
    pub fn new(community: &Rc<Community>) -> Self {
        Self {
            community: Rc::clone(community),
        }
    }
}

impl Case for Detail {
    fn request(&self, nth: u64) -> Option<Cow<'_, [u8]>> {
        let (members, articles) = (&self.community.members, self.community.read());
        let lane = usize::try_from(lane(nth)).unwrap_or(0);
        let turn = usize::try_from(nth & 0xffff_ffff).unwrap_or(0);
        let article = articles[(lane * 7 + turn) % articles.len()];
        let path = format!("/community/api/v1/article_detail?article_id={article}");
        Some(Cow::Owned(members[lane % members.len()].get(&path)))
    }

    fn judge(&self, _nth: u64, answer: &Answer<'_>) -> Result<Option<i64>, String> {
        answer.expect_success()?;
        // Of the author, of who likes it, who collected it, and who commented.
        let people = count(answer.body, "\"nickname\":\"同袍".as_bytes());
        let said = count(answer.body, b"\"content\":\"");
        if people != 1 + LIKES + COLLECTS + COMMENTS || said != 1 + COMMENTS {
            let excerpt = answer.excerpt();
            return Err(format!("{people} people and {said} texts: {excerpt}"));
        }
        Ok(None)
    }
}
