//! Who does what, written down before anything is sent.

use super::texts;
use crate::cli::demo::dice::Dice;
use crate::events::reaction::ReactionKind;

/// How many members there are.
pub const MEMBERS: usize = 60;
/// How many articles they write.
const ARTICLES: usize = 240;
/// Likes of the article that most like, before it runs out of members; the second has half as many, the third a third.
const TOP: usize = 420;
/// What the dice are thrown for; not a seed of anybody's data set.
const CHANCE: u64 = 0x5368_696a_6921;

/// Everything that is sent, in an order that makes sense.
#[derive(Debug)]
pub struct Plan {
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
    pub fn make() -> Self {
        let mut dice = Dice::new(CHANCE, 0);
        let mut plan = Self {
            articles: (0..ARTICLES).map(|_| article(&mut dice)).collect(),
            follows: Vec::new(),
            comments: Vec::new(),
            reactions: Vec::new(),
            votes: Vec::new(),
            talks: Vec::new(),
        };
        plan.follow(&mut dice);
        for (rank, article) in shuffled(&mut dice).into_iter().enumerate() {
            let likes = (TOP / (rank + 1)).min(MEMBERS - 4);
            plan.react(&mut dice, article, ReactionKind::Like, likes);
            plan.react(&mut dice, article, ReactionKind::Collect, likes / 4);
            plan.comment(&mut dice, article, likes / 2);
        }
        plan.answer(&mut dice);
        plan.talk();
        plan
    }

    /// The first members are known to more.
    fn follow(&mut self, dice: &mut Dice) {
        for whom in 0..MEMBERS {
            let fans = (120 / (whom + 1)).clamp(1, 30);
            let fans = some(dice, fans).filter(|who| *who != whom);
            self.follows.extend(fans.map(|who| (who, whom)));
        }
    }

    fn react(&mut self, dice: &mut Dice, article: usize, kind: ReactionKind, count: usize) {
        let fans = some(dice, count);
        self.reactions.extend(fans.map(|who| (who, kind, article)));
    }

    fn comment(&mut self, dice: &mut Dice, article: usize, count: usize) {
        for author in some(dice, count) {
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
                    one(dice)
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
                let voters = some(dice, count);
                self.votes.extend(voters.map(|who| (who, answered)));
            }
        }
    }

    fn talk(&mut self) {
        for (number, lines) in texts::TALKS.into_iter().enumerate() {
            self.talks.push(Talk {
                who: number * 7 % MEMBERS,
                with: Some((number * 7 + 3 + number % 5) % MEMBERS),
                lines,
            });
        }
        for (number, lines) in texts::SERVICE.into_iter().enumerate() {
            self.talks.push(Talk {
                who: number * 11 % MEMBERS,
                with: None,
                lines,
            });
        }
    }
}

fn article(dice: &mut Dice) -> Article {
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
        // Few write much.
        author: one(dice).min(one(dice)),
        content,
        images,
    }
}

/// One of the members.
fn one(dice: &mut Dice) -> usize {
    dice.below(60) as usize % MEMBERS
}

/// So many of the members, each once.
fn some(dice: &mut Dice, count: usize) -> impl Iterator<Item = usize> + use<> {
    // Seven and the number of members have no common divisor, so that nobody is met twice.
    let first = one(dice);
    (0..count.min(MEMBERS)).map(move |step| (first + step * 7) % MEMBERS)
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
        let plan = Plan::make();
        let sizes = (
            plan.articles.len(),
            plan.follows.len(),
            plan.comments.len(),
            plan.reactions.len(),
            plan.votes.len(),
        );
        insta::assert_compact_debug_snapshot!(sizes, @"(240, 402, 1060, 2076, 632)");
        let people: HashSet<String> = (0..MEMBERS).map(nickname).collect();
        assert_eq!(people.len(), MEMBERS);
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
        for said in plan.comments.iter().filter_map(|said| said.answers) {
            assert_eq!(plan.comments[said].answers, None);
        }
    }

    #[test]
    fn a_few_articles_have_most_of_the_likes() {
        let plan = Plan::make();
        let mut likes = vec![0_usize; plan.articles.len()];
        for (_, kind, article) in &plan.reactions {
            likes[*article] += usize::from(*kind == ReactionKind::Like);
        }
        likes.sort_unstable_by(|a, b| b.cmp(a));
        let top: usize = likes[..24].iter().sum();
        let whole: usize = likes.iter().sum();
        assert!(top * 2 > whole, "{top} of {whole}");
        assert!(likes.iter().all(|likes| *likes > 0));
    }
}
