//! An article whole: its author, who reacted to it, what is said under it.

use std::borrow::Cow;
use std::rc::Rc;

use anyhow::{Context, Result};
use async_trait::async_trait;

use super::{Goal, Row, four_fifths_of_pgbench};
use crate::contest::{Contender, contest};
use crate::load::{Answer, Case, count, lane};
use crate::report::Report;
use crate::servers::Community;
use crate::servers::community::{COLLECTS, COMMENTS, LIKES};
use crate::stage::{Stage, closed};

const GOALS: [Goal; 1] = [four_fifths_of_pgbench(64)];

/// An article, what is said under it and who reacted to it, as one reader sees it: what a service would send that asks for each
/// reader by itself, as ours did before it asked for many together.
const FOR_ONE: &str = r#"SELECT a.id, a.created_at, a.content, a.images,
       l.position IS NOT NULL AS "is_like!", k.position IS NOT NULL AS "is_collect!",
       a.author, coalesce(m.nickname, '') AS "nickname!", m.avatar AS "avatar?",
       coalesce(m.gender, 0::smallint) AS "gender!", coalesce(m.country, '') AS "country!",
       m.province AS "province?", m.city AS "city?", m.birthday_ms AS "birthday_ms?", m.intro AS "intro?",
       coalesce(m.created_at, a.created_at) AS "joined_at!", f.position IS NOT NULL AS "is_follow!"
FROM articles a
LEFT JOIN members m ON m.uid = a.author
LEFT JOIN follows f ON f.follower = :reader AND f.kind = 'user' AND f.target = a.author
LEFT JOIN reactions l ON l.actor_id = :reader AND l.actor_kind = 'member' AND l.kind = 'like'
                     AND l.target_kind = 'article' AND l.target_id = a.id::text
LEFT JOIN reactions k ON k.actor_id = :reader AND k.actor_kind = 'member' AND k.kind = 'collect'
                     AND k.target_kind = 'article' AND k.target_id = a.id::text
WHERE a.id = :id;

SELECT t.there AS "there!", c.id AS "id?", c.created_at AS "created_at?", c.content AS "content?",
       coalesce(v.up_count, 0) AS "up_count!", coalesce(v.down_count, 0) AS "down_count!",
       r.value AS "vote?",
       c.author_id AS "author_id?", m.nickname AS "nickname?", m.avatar AS "avatar?",
       c.reply_id, c.reply_author_id, ma.nickname AS "reply_nickname?", ma.avatar AS "reply_avatar?",
       c.first_reply_id, c.first_reply_author_id,
       mf.nickname AS "first_nickname?", mf.avatar AS "first_avatar?"
FROM (
    SELECT CASE :kind ::text
        WHEN 'article' THEN EXISTS (SELECT FROM articles WHERE id = :id ::text::bigint)
        WHEN 'game' THEN EXISTS (SELECT FROM games WHERE id = :id ::text::bigint AND shown)
        WHEN 'ticket' THEN EXISTS (
            SELECT
            FROM tickets k
            JOIN projects j ON j.id = k.project_id
            JOIN masters s ON s.id = j.master_id
            WHERE k.id = :id ::text::bigint AND k.state <> 3 AND j.shown AND s.shown)
        ELSE true
    END AS there
) t
LEFT JOIN (
    unnest((ARRAY(SELECT id FROM comments WHERE target_kind = :kind AND target_id = :id ORDER BY created_at DESC, id LIMIT 100))[1:100]) WITH ORDINALITY AS p(id, place)
    JOIN comments c ON c.id = p.id
) ON t.there
LEFT JOIN comment_votes v ON v.comment_id = c.id
LEFT JOIN reactions r ON r.actor_id = :reader AND r.actor_kind = 'member' AND r.kind = 'vote'
                     AND r.target_kind = 'comment' AND r.target_id = c.id::text
LEFT JOIN members m ON m.uid = c.author_id AND c.author_kind = 'member'
LEFT JOIN members ma ON ma.uid = c.reply_author_id AND c.reply_author_kind = 'member'
LEFT JOIN members mf ON mf.uid = c.first_reply_author_id AND c.first_reply_author_kind = 'member'
ORDER BY p.place;

SELECT n.kind AS "kind!", n.actor_id AS "uid!", coalesce(m.nickname, '') AS "nickname!", m.avatar AS "avatar?"
FROM (
    (SELECT kind, actor_id, position
     FROM reactions
     WHERE target_id = :id AND target_kind = :kind AND kind = 'like'
     ORDER BY position DESC
     LIMIT 100)
    UNION ALL
    (SELECT kind, actor_id, position
     FROM reactions
     WHERE target_id = :id AND target_kind = :kind AND kind = 'collect'
     ORDER BY position DESC
     LIMIT 100)
) n
LEFT JOIN members m ON m.uid = n.actor_id
ORDER BY n.position DESC;
"#;

/// The row.
pub struct ArticleDetail;

#[async_trait(?Send)]
impl Row for ArticleDetail {
    fn id(&self) -> &'static str {
        "article_detail"
    }

    fn what(&self) -> &'static str {
        "an article with author, likes, collections and comments; pgbench: the same in three statements for one reader, prepared, on the same tables"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        stage.community().await?;
        let Some(community) = stage.our_community() else {
            return Ok(());
        };
        let (span, rounds) = (stage.span(), stage.options.rounds);
        let script = format!("\\set id random(:least, :most)\n{FOR_ONE}");
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
