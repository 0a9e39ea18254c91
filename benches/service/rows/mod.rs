//! What is measured: one file a row. A new row is a file with a [`Row`] and a line in [`all`].

mod article_detail;
mod article_like;
mod article_list;
mod contention;
mod growth;
mod long_stream;
mod memory;
mod mixed;
mod order_create;
mod public_list;
mod rebuild;
mod start;
mod statements;
pub mod task_create;
mod task_create_paced;
mod task_list;
mod two_nodes;

use anyhow::{Result, bail};
use async_trait::async_trait;

use crate::contest::Metric;
use crate::options::Options;
use crate::report::Report;
use crate::stage::Stage;

/// One thing to measure.
#[async_trait(?Send)]
pub trait Row {
    /// A stable name, for the report and for choosing it on the command line.
    fn id(&self) -> &'static str;

    /// What is measured, in one sentence.
    fn what(&self) -> &'static str;

    /// Measures it and adds the figures to the report.
    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()>;
}

/// All rows in the order in which they run: reads before writes, so that they find the stores as they were seeded.
#[must_use]
pub fn all() -> Vec<Box<dyn Row>> {
    vec![
        Box::new(task_list::TaskList),
        Box::new(article_list::ArticleList),
        Box::new(article_detail::ArticleDetail),
        Box::new(public_list::PublicList),
        Box::new(task_create::TaskCreate),
        Box::new(task_create_paced::TaskCreatePaced),
        Box::new(article_like::ArticleLike),
        Box::new(order_create::OrderCreate),
        Box::new(mixed::Mixed),
        Box::new(two_nodes::TwoNodes),
        Box::new(contention::LikeOneArticle),
        Box::new(contention::EditOneCart),
        Box::new(contention::BuyOneTicket),
        Box::new(long_stream::LongStream),
        Box::new(rebuild::Rebuild),
        Box::new(rebuild::RebuildBeside),
        Box::new(memory::Memory),
        Box::new(growth::Growth),
        Box::new(start::Start),
    ]
}

/// The rows asked for on the command line.
///
/// # Errors
///
/// When a word fits none.
pub fn chosen(options: &Options) -> Result<Vec<Box<dyn Row>>> {
    let mut rows = all();
    if !options.rows.is_empty() {
        rows.retain(|row| {
            options
                .rows
                .iter()
                .any(|word| row.id().contains(word.as_str()))
        });
    }
    if rows.is_empty() {
        bail!("no row is called {:?}; --list shows them", options.rows);
    }
    Ok(rows)
}

/// A promise about a ratio of two figures of one run.
#[derive(Debug, Clone, Copy)]
pub struct Goal {
    /// With how many connections; the others are only stated.
    pub connections: usize,
    /// Our figure.
    pub ours: Metric,
    /// The contender it is compared with.
    pub against: &'static str,
    /// Their figure.
    pub theirs: Metric,
    /// What the ratio ours ÷ theirs must be.
    pub bound: Bound,
}

/// What a list over HTTP must reach of its statement alone.
const fn four_fifths_of_pgbench(connections: usize) -> Goal {
    Goal {
        connections,
        ours: Metric::Throughput,
        against: "pgbench",
        theirs: Metric::Throughput,
        bound: Bound::AtLeast(0.8),
    }
}

/// The side on which a ratio is good.
#[derive(Debug, Clone, Copy)]
pub enum Bound {
    /// Not below.
    AtLeast(f64),
    /// Not above.
    AtMost(f64),
}

impl Bound {
    /// Whether a ratio is good.
    #[must_use]
    pub fn holds(self, ratio: f64) -> bool {
        match self {
            Self::AtLeast(bound) => ratio >= bound,
            Self::AtMost(bound) => ratio <= bound,
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(out, "≥ {bound}"),
            Self::AtMost(bound) => write!(out, "≤ {bound}"),
        }
    }
}
