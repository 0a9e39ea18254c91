//! The feed: twenty articles with author, counts and the caller's flags.

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
use crate::stage::{Stage, closed};

/// Articles on the page.
const PAGE: usize = 20;

const GOALS: [Goal; 1] = [four_fifths_of_pgbench(64)];

/// The row.
pub struct ArticleList;

#[async_trait(?Send)]
impl Row for ArticleList {
    fn id(&self) -> &'static str {
        "article_list"
    }

    fn what(&self) -> &'static str {
        "twenty articles with author, counts and the caller's flags; pgbench: the same statement, prepared, on the same tables"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        stage.community().await?;
        let Some(community) = stage.our_community() else {
            return Ok(());
        };
        let (span, rounds) = (stage.span(), stage.options.rounds);
        let script = statement(
            &["FROM unnest((ARRAY(SELECT id FROM articles ORDER BY created_at DESC"],
            &[],
            &["reader", "first", "last"],
        )?;
        let script = format!("\\set first 1\n\\set last {PAGE}\n{script}");
        let reader = [format!("reader={}", community.uids[0])];
        for connections in stage.options.connections.clone() {
            let script = (self.id(), script.as_str());
            let pgbench = stage.pgbench_on_ours(connections, script, &reader)?;
            let mut contenders: Vec<Box<dyn Contender + '_>> = Vec::new();
            let case: Rc<dyn Case> = Rc::new(Feed::new(&community));
            contenders.push(closed(stage.ours.as_mut().context("no ours")?, case));
            contenders.extend(pgbench);
            let standings = contest(&mut contenders, connections, rounds, span).await?;
            report.compare(self, standings, &GOALS);
        }
        Ok(())
    }
}

struct Feed {
    /// For each member its request, and how many articles of the page it likes.
    asked: Vec<(Vec<u8>, usize)>,
}

impl Feed {
    fn new(community: &Community) -> Self {
        let mut liked = vec![0; community.members.len()];
        for place in 0..PAGE {
            for fan in community.fans(place) {
                liked[fan] += 1;
            }
        }
        let path = format!("/community/api/v1/article_list?limit={PAGE}");
        let members = community.members.iter().zip(liked);
        Self {
            asked: members
                .map(|(member, liked)| (member.get(&path), liked))
                .collect(),
        }
    }

    fn of(&self, nth: u64) -> &(Vec<u8>, usize) {
        &self.asked[usize::try_from(lane(nth)).unwrap_or(0) % self.asked.len()]
    }
}

impl Case for Feed {
    fn request(&self, nth: u64) -> Option<Cow<'_, [u8]>> {
        Some(Cow::Borrowed(&self.of(nth).0))
    }

    fn judge(&self, nth: u64, answer: &Answer<'_>) -> Result<Option<i64>, String> {
        answer.expect_success()?;
        let shown = count(answer.body, b"\"nickname\":\"");
        let liked = count(answer.body, b"\"is_like\":true");
        if shown != PAGE || liked != self.of(nth).1 {
            let excerpt = answer.excerpt();
            return Err(format!(
                "{shown} articles, {liked} of them liked: {excerpt}"
            ));
        }
        Ok(None)
    }
}
