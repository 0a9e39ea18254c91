//! Who does what, written down before anything is sent.

use super::texts;
use crate::cli::demo::dice::Dice;
use crate::events::reaction::ReactionKind;

/// How many articles they write.
const ARTICLES: usize = 240;
/// What the dice are thrown for; not a seed of anybody's data set.
const CHANCE: u64 = 0x5368_696a_6921;

/// Everything that is sent, in an order that makes sense.
#[derive(Debug)]
pub struct Plan {
    crowd: Crowd,
    pub articles: Vec<Article>,
    /// Who follows whom.
    pub follows: Vec<(usize, usize)>,
    pub comments: Vec<Said>,
    /// Who reacts how to which article.
    pub reactions: Vec<(usize, ReactionKind, usize)>,
    /// Who votes which comment up.
    pub votes: Vec<(usize, usize)>,
    pub talks: Vec<Talk>,
}

/// An article.
#[derive(Debug)]
pub struct Article {
    pub author: usize,
    pub content: String,
    pub images: Vec<String>,
}

/// A comment.
#[derive(Debug)]
pub struct Said {
    pub article: usize,
    pub author: usize,
    pub content: &'static str,
    /// The comment it answers; none of those answers another.
    pub answers: Option<usize>,
}

/// A conversation; the lines go back and forth.
#[derive(Debug)]
pub struct Talk {
    /// Who begins.
    pub who: usize,
    /// With whom; nobody is the customer service.
    pub with: Option<usize>,
    pub lines: &'static [&'static str],
}

/// The nickname of a member.
pub fn nickname(place: usize) -> String {
    let (first, second) = (texts::FIRST, texts::SECOND);
    let (round, place) = (place / first.len(), place % first.len());
    let tail = second[(round * 2 + place) % second.len()];
    format!("{}{tail}", first[place])
}

impl Plan {
    /// What so many members do. Few do much and most do little, and it is the same with what is done to them: of whatever is
    /// counted, the second has half as much as the first, the third a third.
    pub fn make(members: usize) -> Self {
        let crowd = Crowd(members.max(1));
        let mut dice = Dice::new(CHANCE, 0);
        let articles = (0..ARTICLES).map(|_| article(&mut dice, crowd));
        let mut plan = Self {
            crowd,
            articles: articles.collect(),
            follows: Vec::new(),
            comments: Vec::new(),
            reactions: Vec::new(),
            votes: Vec::new(),
            talks: Vec::new(),
        };
        plan.follow(&mut dice);
        // Of a small crowd everybody likes more than one thing, else nothing would look alive.
        let top = (members * 3 / 4).max(420);
        for (rank, article) in shuffled(&mut dice).into_iter().enumerate() {
            let likes = (top / (rank + 1)).min(members * 9 / 10).max(1);
            plan.react(&mut dice, article, ReactionKind::Like, likes);
            plan.react(&mut dice, article, ReactionKind::Collect, likes / 4);
            // Who likes in passing says nothing.
            plan.comment(&mut dice, article, (likes / 2).min(30 + likes / 20));
        }
        plan.answer(&mut dice);
        plan.talk();
        plan
    }

    /// The first members are known to more.
    fn follow(&mut self, dice: &mut Dice) {
        let members = self.crowd.0;
        let top = (members / 2).max(120);
        for whom in 0..members {
            let fans = (top / (whom + 1)).clamp(1, members / 2);
            let fans = self.crowd.some(dice, fans);
            let fans = fans.into_iter().filter(|who| *who != whom);
            self.follows.extend(fans.map(|who| (who, whom)));
        }
    }

    fn react(&mut self, dice: &mut Dice, article: usize, kind: ReactionKind, count: usize) {
        let fans = self.crowd.some(dice, count).into_iter();
        self.reactions.extend(fans.map(|who| (who, kind, article)));
    }

    fn comment(&mut self, dice: &mut Dice, article: usize, count: usize) {
        for author in self.crowd.some(dice, count) {
            self.comments.push(Said {
                article,
                author,
                content: dice.pick(&texts::COMMENTS),
                answers: None,
            });
        }
    }

    /// Some comments are answered, mostly by who wrote the article, and some are voted up.
    fn answer(&mut self, dice: &mut Dice) {
        for answered in 0..self.comments.len() {
            let Said {
                article, author, ..
            } = self.comments[answered];
            if dice.percent(30) {
                let writer = self.articles[article].author;
                let author = if dice.percent(70) && writer != author {
                    writer
                } else {
                    self.crowd.one(dice)
                };
                self.comments.push(Said {
                    article,
                    author,
                    content: dice.pick(&texts::ANSWERS),
                    answers: Some(answered),
                });
            }
            if dice.percent(25) {
                let count = 1 + dice.below(5) as usize;
                let voters = self.crowd.some(dice, count).into_iter();
                self.votes.extend(voters.map(|who| (who, answered)));
            }
        }
    }

    fn talk(&mut self) {
        let members = self.crowd.0;
        for (number, lines) in texts::TALKS.into_iter().enumerate() {
            self.talks.push(Talk {
                who: number * 7 % members,
                with: Some((number * 7 + 3 + number % 5) % members),
                lines,
            });
        }
        for (number, lines) in texts::SERVICE.into_iter().enumerate() {
            self.talks.push(Talk {
                who: number * 11 % members,
                with: None,
                lines,
            });
        }
    }
}

fn article(dice: &mut Dice, crowd: Crowd) -> Article {
    let content = dice.pick(&texts::ARTICLES);
    let content = content.replace("{place}", dice.pick(&texts::PLACES));
    let content = content.replace("{dress}", dice.pick(&texts::DRESSES));
    let images = match dice.below(10) {
        0..3 => 0,
        3..6 => 1,
        6..8 => 3,
        8 => 6,
        _ => 9,
    };
    let images: Vec<String> = (0..images)
        .map(|_| format!("demo/{:03}.jpg", dice.below(200)))
        .collect();
    Article {
        author: crowd.one(dice),
        content,
        images,
    }
}

/// So many members.
#[derive(Debug, Clone, Copy)]
struct Crowd(usize);

impl Crowd {
    /// One of them: a tenth of the members does half of everything.
    fn one(self, dice: &mut Dice) -> usize {
        let members = u32::try_from(self.0).unwrap_or(u32::MAX);
        let chance = u128::from(dice.below(members));
        let members = u128::from(members);
        usize::try_from(chance * chance * chance / (members * members)).unwrap_or(0)
    }

    /// So many of them, each once: where one is asked for again, the next who was not has it.
    fn some(self, dice: &mut Dice, count: usize) -> Vec<usize> {
        let mut chosen = vec![false; self.0];
        let mut some = Vec::with_capacity(count.min(self.0));
        for _ in 0..count.min(self.0) {
            let mut who = self.one(dice);
            while chosen[who] {
                who = (who + 1) % self.0;
            }
            chosen[who] = true;
            some.push(who);
        }
        some
    }
}

/// The articles in the order of how much they are liked.
fn shuffled(dice: &mut Dice) -> Vec<usize> {
    let mut places: Vec<usize> = (0..ARTICLES).collect();
    for place in (1..ARTICLES).rev() {
        let end = u32::try_from(place + 1).unwrap_or(1);
        places.swap(place, dice.below(end) as usize);
    }
    places
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_plan_never_changes_and_keeps_the_rules() {
        let sizes = |members| {
            let plan = Plan::make(members);
            (
                plan.articles.len(),
                plan.follows.len(),
                plan.comments.len(),
                plan.reactions.len(),
                plan.votes.len(),
            )
        };
        insta::assert_compact_debug_snapshot!([sizes(60), sizes(2_000)], @"[(240, 400, 1058, 2055, 660), (240, 8050, 3378, 11127, 1862)]");
        let plan = Plan::make(2_000);
        let people: HashSet<String> = (0..2_000).map(nickname).collect();
        assert_eq!(people.len(), 2_000);
        assert!(people.iter().all(|name| name.chars().count() <= 64));
        let contents = plan.articles.iter().map(|article| article.content.as_str());
        for content in contents.chain(plan.comments.iter().map(|said| said.content)) {
            assert!(
                !content.is_empty() && !content.contains(['{', '}']),
                "{content}"
            );
        }
        assert!(
            plan.articles
                .iter()
                .all(|article| article.images.len() <= 9)
        );
        assert!(plan.follows.iter().all(|(who, whom)| who != whom));
        assert!(plan.talks.iter().all(|talk| talk.with != Some(talk.who)));
        let distinct: HashSet<_> = plan
            .reactions
            .iter()
            .map(|(who, kind, at)| (who, kind.word(), at))
            .collect();
        assert_eq!(distinct.len(), plan.reactions.len());
        let distinct: HashSet<_> = plan.follows.iter().collect();
        assert_eq!(distinct.len(), plan.follows.len());
        for said in plan.comments.iter().filter_map(|said| said.answers) {
            assert_eq!(plan.comments[said].answers, None);
        }
    }

    /// How much of the whole the first tenth has.
    fn tenth(mut counts: Vec<usize>) -> f64 {
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let whole: usize = counts.iter().sum();
        let top: usize = counts[..counts.len() / 10].iter().sum();
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let share = top as f64 / whole as f64;
        share
    }

    #[test]
    fn few_have_and_do_most_and_nothing_is_forgotten() {
        let plan = Plan::make(2_000);
        let mut likes = vec![0_usize; plan.articles.len()];
        let mut deeds = vec![0_usize; 2_000];
        for (who, kind, article) in &plan.reactions {
            likes[*article] += usize::from(*kind == ReactionKind::Like);
            deeds[*who] += 1;
        }
        assert!(likes.iter().all(|likes| *likes > 0));
        let active = deeds.iter().filter(|count| **count > 0).count();
        assert!(
            (1_000..2_000).contains(&active),
            "{active} members do anything"
        );
        let mut fans = vec![0_usize; 2_000];
        for (_, whom) in &plan.follows {
            fans[*whom] += 1;
        }
        for (what, counts) in [("likes", likes), ("deeds", deeds), ("fans", fans)] {
            let share = tenth(counts);
            assert!((0.35..0.9).contains(&share), "{what}: {share}");
        }
    }
}
