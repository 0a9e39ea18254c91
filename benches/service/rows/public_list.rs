//! A list that everybody may read, asked for again and again.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::{Context, Result};
use async_trait::async_trait;

use super::statements::statement;
use super::{Bound, Goal, Row};
use crate::contest::{Contender, Metric, contest};
use crate::load::{Answer, Case, ask, count, number_after, spread};
use crate::report::Report;
use crate::servers::Wire;
use crate::servers::community::made;
use crate::stage::{Stage, closed};

/// Cases on the page, and in the store.
const PAGE: usize = 20;

const GOALS: [Goal; 1] = [Goal {
    connections: 64,
    ours: Metric::Throughput,
    against: "pgbench",
    theirs: Metric::Throughput,
    bound: Bound::AtLeast(1.0),
}];

/// The row.
pub struct PublicList;

#[async_trait(?Send)]
impl Row for PublicList {
    fn id(&self) -> &'static str {
        "public_list"
    }

    fn what(&self) -> &'static str {
        "the same page of the public list of cases, again and again; pgbench: the same statement, prepared, on the same tables"
    }

    async fn run(&self, stage: &mut Stage, report: &mut Report) -> Result<()> {
        let Some(ours) = &stage.ours else {
            return Ok(());
        };
        publish(ours.address, &ours.wire).await.context("cases")?;
        let (span, rounds) = (stage.span(), stage.options.rounds);
        let script = statement(
            &["FROM showcase_totals", "LIMIT 100"],
            &[],
            &["industry", "first", "last"],
        )?;
        let script = format!("\\set industry 0\n\\set first 1\n\\set last {PAGE}\n{script}");
        for connections in stage.options.connections.clone() {
            let pgbench = stage.pgbench_on_ours(connections, (self.id(), &script), &[])?;
            let mut contenders: Vec<Box<dyn Contender + '_>> = Vec::new();
            let case: Rc<dyn Case> = Rc::new(Cases::new());
            contenders.push(closed(stage.ours.as_mut().context("no ours")?, case));
            contenders.extend(pgbench);
            let standings = contest(&mut contenders, connections, rounds, span).await?;
            report.compare(self, standings, &GOALS);
        }
        Ok(())
    }
}

/// Publishes a page of cases with a picture each.
async fn publish(address: SocketAddr, staff: &Wire) -> Result<()> {
    let open = r#"{"OpenAccount":{"username":"bench"}}"#;
    let open = staff.post("/admin/commands/Account/weidu:new", open);
    let account = ask(address, &open, made).await?;
    let author = account.rsplit(':').next().unwrap_or_default();
    let publish =
        format!(r#"{{"PublishShowcase":{{"user_id":"{author}","industry_type":1,"score":89.5}}}}"#);
    let publish = |_| staff.post("/admin/commands/Showcase/new", &publish);
    let cases = spread(address, 4, PAGE, publish, made).await?;
    let file = r#"{"AddShowcaseFile":{"name":"1.jpg","size":4096,"mime_type":"image/jpeg","width":640,"height":480}}"#;
    let file = |nth: usize| staff.post(&format!("/admin/commands/Showcase/{}", cases[nth]), file);
    spread(address, 4, PAGE, file, crate::load::success).await?;
    Ok(())
}

struct Cases {
    request: Vec<u8>,
}

impl Cases {
    fn new() -> Self {
        let path = format!("/weidu/api/v1/cases/list?page=1&per_page={PAGE}");
        Self {
            request: format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n").into_bytes(),
        }
    }
}

impl Case for Cases {
    fn request(&self, _nth: u64) -> Option<Cow<'_, [u8]>> {
        Some(Cow::Borrowed(&self.request))
    }

    fn judge(&self, _nth: u64, answer: &Answer<'_>) -> Result<Option<i64>, String> {
        let code = number_after(answer.body, b"\"code\":");
        let shown = count(answer.body, b"\"view_cnt\":");
        let files = count(answer.body, b"\"mime_type\":\"image/jpeg\"");
        if (answer.status, code) != (200, Some(200)) || shown != PAGE || files != PAGE {
            let excerpt = answer.excerpt();
            return Err(format!("{shown} cases with {files} files: {excerpt}"));
        }
        Ok(None)
    }
}
