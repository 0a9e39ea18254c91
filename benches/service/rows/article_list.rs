//! The feed: twenty articles with author, counts and the caller's flags.

use std::borrow::Cow;
use std::rc::Rc;

use anyhow::{Context, Result};
use async_trait::async_trait;

use super::{Goal, Row, four_fifths_of_pgbench};
use crate::contest::{Contender, contest};
use crate::load::{Answer, Case, count, lane};
use crate::report::Report;
use crate::servers::Community;
use crate::stage::{Stage, closed};

/// Articles on the page.
const PAGE: usize = 20;

const GOALS: [Goal; 1] = [four_fifths_of_pgbench(64)];

/// What a page takes that is read for one reader alone. The service reads a page for many at once, with a statement that
/// is slower when it is asked for one: against that one a comparison would flatter.
const FOR_ONE: &str = "\
SELECT a.id, a.created_at, a.content, a.images, coalesce(c.like_count, 0), coalesce(c.collect_count, 0), \
       coalesce(c.comment_count, 0), l.position IS NOT NULL, k.position IS NOT NULL, \
       a.author, coalesce(m.nickname, ''), m.avatar \
FROM unnest((ARRAY(SELECT id FROM articles ORDER BY created_at DESC, id LIMIT 100))[1: :last ]) WITH ORDINALITY AS p(id, place) \
JOIN articles a ON a.id = p.id \
LEFT JOIN article_counts c ON c.article_id = a.id \
LEFT JOIN members m ON m.uid = a.author \
LEFT JOIN reactions l ON l.actor_id = :reader AND l.actor_kind = 'member' AND l.kind = 'like' \
                     AND l.target_kind = 'article' AND l.target_id = a.id::text \
LEFT JOIN reactions k ON k.actor_id = :reader AND k.actor_kind = 'member' AND k.kind = 'collect' \
                     AND k.target_kind = 'article' AND k.target_id = a.id::text \
ORDER BY p.place;\n";

/// The row.
pub struct ArticleList;

#[async_trait(?Send)]
impl Row for ArticleList {
    fn id(&self) -> &'static str {
        "article_list"
    }

    fn what(&self) -> &'static str {
        "twenty articles with author, counts and the caller's flags; pgbench: the statement for one reader, prepared, on the same tables"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        stage.community().await?;
        let Some(community) = stage.our_community() else {
            return Ok(());
        };
        let (span, rounds) = (stage.span(), stage.options.rounds);
        let script = format!("\\set last {PAGE}\n{FOR_ONE}");
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

/// The first page, of each member with its own flags.
pub struct Feed {
    /// For each member its request, and how many articles of the page it likes.
    asked: Vec<(Vec<u8>, usize)>,
}

impl Feed {
    /// Of a community whose articles on that page nobody likes while it is read.
    #[must_use]
    pub fn new(community: &Community) -> Self {
        let mut liked = vec![0; community.members.len()];
        for place in 0..PAGE.min(community.read().len()) {
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
