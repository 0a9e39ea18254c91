//! The report as a page with plots: one file, no network, to be shown to others.

use std::fmt::Write as _;

use super::{Line, Report};
use crate::contest::{Metric, Standing};
use crate::rows;

/// Colours of the contenders: ours stands out.
const COLOURS: [(&str, &str); 4] = [
    ("ours", "#b3402a"),
    ("stock", "#8a8f98"),
    ("pgbench", "#3d6b8e"),
    ("long", "#b3402a"),
];

/// Of whoever has none.
const OTHER: &str = "#c9a227";

const STYLE: &str = "
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1d2026; background: #fcfbf8; max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.5rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 3rem 0 .2rem; }
p { margin: .2rem 0 1rem; max-width: 48rem; }
.small, td.small { color: #5c626d; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; border-bottom: 2px solid #1d2026; padding: .3rem .6rem .3rem 0; }
td { border-bottom: 1px solid #e2dfd6; padding: .3rem .6rem .3rem 0; vertical-align: top; }
th.n, td.n { text-align: right; white-space: nowrap; }
.yes { color: #26734d; font-weight: 600; }
.no { color: #b00020; font-weight: 600; }
.plots { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem 2.5rem; }
svg { width: 100%; height: auto; overflow: visible; }
svg text { font: 12px system-ui, sans-serif; fill: #1d2026; }
svg .dim { fill: #5c626d; }
@media (max-width: 48rem) { .plots { grid-template-columns: 1fr; } }
@media print { body { padding: 0; } section { break-inside: avoid; } }
";

impl Report {
    /// The page.
    #[must_use]
    pub fn page(&self) -> String {
        let mut page = String::from(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>shiji, measured</title><style>",
        );
        page.push_str(STYLE);
        page.push_str("</style></head><body>\n");
        self.head(&mut page);
        self.promises_table(&mut page);
        for row in rows::all() {
            self.section(&mut page, row.id(), row.what());
        }
        self.stated_table(&mut page);
        self.foot(&mut page);
        page.push_str("</body></html>\n");
        page
    }

    fn head(&self, page: &mut String) {
        let machine = |key: &str| match &self.machine[key] {
            serde_json::Value::String(text) => escaped(text),
            other => escaped(&other.to_string()),
        };
        let promised = self.rows.iter().filter(|line| line.bound.is_some());
        let kept = promised.clone().filter(|line| line.holds() == Some(true));
        let _ = write!(
            page,
            "<h1>What an event-sourced write costs</h1>\n\
             <p>Every answer durable and visible in its read tables; every answer checked, the log verified. \
             {} of {} promises hold in this run.</p>\n\
             <p class=\"small\">{}, {} cores, {}. Commit {}. {} rounds of {} s after {} s of warm-up; contenders in turns, medians. \
             Service, database and load generator on this one machine.{}</p>\n",
            kept.count(),
            promised.count(),
            machine("cpu"),
            machine("cores"),
            machine("postgres"),
            machine("commit"),
            machine("rounds"),
            machine("seconds"),
            machine("warmup_seconds"),
            if self.machine["quick"] == true {
                " <b>A smoke test: its figures mean nothing.</b>"
            } else {
                ""
            },
        );
    }

    fn promises_table(&self, page: &mut String) {
        let promised: Vec<&Line> = self
            .rows
            .iter()
            .filter(|line| line.bound.is_some())
            .collect();
        if promised.is_empty() {
            return;
        }
        page.push_str(
            "<section><h2>Promises</h2><table><tr><th>What</th><th class=\"n\">ours</th><th class=\"n\">baseline</th>\
             <th class=\"n\">ratio</th><th class=\"n\">target</th><th></th></tr>\n",
        );
        for line in promised {
            let verdict = match line.holds() {
                Some(true) => "<td class=\"yes\">holds</td>",
                Some(false) => "<td class=\"no\">does not hold</td>",
                None => "<td></td>",
            };
            let _ = writeln!(
                page,
                "<tr><td>{}</td><td class=\"n\">{} {unit}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>{verdict}</tr>",
                escaped(&line.what),
                figure(line.value),
                line.baseline.map_or(String::new(), |baseline| format!(
                    "{} {}",
                    figure(baseline),
                    line.unit
                )),
                line.ratio()
                    .map_or(String::new(), |ratio| format!("{ratio:.2}")),
                line.bound.map_or(String::new(), |bound| bound.to_string()),
                unit = line.unit,
            );
        }
        page.push_str("</table></section>\n");
    }

    /// The plots of a row, if it was measured.
    fn section(&self, page: &mut String, id: &str, what: &str) {
        let standings: Vec<&Standing> = self
            .measured
            .iter()
            .filter(|(row, _)| *row == id)
            .map(|(_, standing)| standing)
            .collect();
        if standings.is_empty() {
            return;
        }
        let _ = write!(
            page,
            "<section><h2>{}</h2><p class=\"small\">{}</p><div class=\"plots\">",
            escaped(id),
            escaped(what)
        );
        page.push_str(&throughputs(&standings));
        page.push_str(&latencies(&standings));
        page.push_str("</div></section>\n");
    }

    fn stated_table(&self, page: &mut String) {
        page.push_str(
            "<section><h2>Everything that was measured</h2><table><tr><th>Row</th><th class=\"n\">connections</th><th>who</th>\
             <th class=\"n\">per second</th><th class=\"n\">p50 ms</th><th class=\"n\">p99 ms</th></tr>\n",
        );
        for (row, standing) in &self.measured {
            let _ = writeln!(
                page,
                "<tr><td>{}</td><td class=\"n\">{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{:.3}</td><td class=\"n\">{:.3}</td></tr>",
                escaped(row),
                standing.connections,
                standing.name,
                figure(standing.median(Metric::Throughput)),
                standing.median(Metric::P50),
                standing.median(Metric::P99),
            );
        }
        page.push_str("</table></section>\n");
    }

    fn foot(&self, page: &mut String) {
        page.push_str("<section><h2>Verified at the end</h2><ul>");
        for note in &self.notes {
            let _ = write!(page, "<li>{}</li>", escaped(note));
        }
        page.push_str(
            "</ul><p class=\"small\"><b>ours</b>: the release build on an empty private PostgreSQL. <b>stock</b>: the same \
             requests on cqrs-es 0.5 and postgres-es 0.5 as their README shows them. <b>pgbench</b>: PostgreSQL alone, \
             prepared statements over the Unix socket, no HTTP, no login. 64 × are 64 connections. docs/performance.md says what each row means.</p></section>\n",
        );
    }
}

/// Pixels of a plot's drawing area, of a bar, and of what stands left of it.
const WIDTH: f64 = 300.0;
const BAR: f64 = 18.0;
const LEFT: f64 = 104.0;

/// Bars from zero: answers per second.
fn throughputs(standings: &[&Standing]) -> String {
    let most = standings
        .iter()
        .map(|one| one.median(Metric::Throughput))
        .fold(1.0, f64::max);
    let mut plot = Plot::new("Answers per second; longer is better", standings.len());
    for standing in standings {
        let value = standing.median(Metric::Throughput);
        let length = (value / most * WIDTH).max(1.0);
        plot.name(standing);
        let _ = write!(
            plot.svg,
            "<rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{BAR}\" fill=\"{}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            colour(standing.name),
            LEFT + length + 5.0,
            plot.y + 13.0,
            figure(value),
            y = plot.y,
        );
        plot.next();
    }
    plot.end()
}

/// From the median to the 99th percentile, on a logarithmic scale.
fn latencies(standings: &[&Standing]) -> String {
    let spans: Vec<(f64, f64)> = standings
        .iter()
        .map(|one| {
            let p50 = one.median(Metric::P50).max(0.001);
            (p50, one.median(Metric::P99).max(p50))
        })
        .collect();
    let least = spans.iter().map(|(p50, _)| *p50).fold(f64::MAX, f64::min);
    let most = spans.iter().map(|(_, p99)| *p99).fold(0.0, f64::max);
    let (low, high) = (least.log10().floor(), most.log10().ceil());
    let decades = (high - low).max(1.0);
    let x = |value: f64| LEFT + (value.log10() - low) / decades * WIDTH;
    let mut plot = Plot::new(
        "Milliseconds, from the median (●) to the 99th percentile; further left is better",
        standings.len(),
    );
    let mut tick = low;
    while tick <= low + decades {
        let at = x(10_f64.powf(tick));
        let _ = write!(
            plot.svg,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"22\" y2=\"{:.1}\" stroke=\"#e2dfd6\"/>\
             <text class=\"dim\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            plot.bottom,
            plot.bottom + 14.0,
            10_f64.powf(tick),
        );
        tick += 1.0;
    }
    for (standing, (p50, p99)) in standings.iter().zip(spans) {
        let (from, to, middle) = (x(p50), x(p99), plot.y + BAR / 2.0);
        let colour = colour(standing.name);
        plot.name(standing);
        let _ = write!(
            plot.svg,
            "<line x1=\"{from:.1}\" x2=\"{to:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\" stroke=\"{colour}\" stroke-width=\"4\"/>\
             <circle cx=\"{from:.1}\" cy=\"{middle:.1}\" r=\"5.5\" fill=\"{colour}\"/>\
             <text class=\"dim\" x=\"{:.1}\" y=\"{:.1}\">{} – {}</text>",
            to + 8.0,
            plot.y + 13.0,
            figure(p50),
            figure(p99),
        );
        plot.next();
    }
    plot.end()
}

struct Plot {
    svg: String,
    y: f64,
    bottom: f64,
    group: Option<usize>,
}

impl Plot {
    fn new(title: &str, bars: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a few bars")]
        let bottom = 28.0 + bars as f64 * (BAR + 6.0);
        let (width, height) = (LEFT + WIDTH + 90.0, bottom + 20.0);
        let svg = format!(
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\"><text class=\"dim\" x=\"0\" y=\"12\">{title}</text>"
        );
        Self {
            svg,
            y: 26.0,
            bottom,
            group: None,
        }
    }

    /// Who it is; the number of connections only where it is another than above.
    fn name(&mut self, standing: &Standing) {
        let connections = standing.connections;
        let y = self.y + 13.0;
        if self.group.replace(connections) != Some(connections) {
            let _ = write!(
                self.svg,
                "<text class=\"dim\" x=\"0\" y=\"{y:.1}\">{connections} ×</text>"
            );
        }
        let _ = write!(
            self.svg,
            "<text x=\"{:.1}\" y=\"{y:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            standing.name
        );
    }

    fn next(&mut self) {
        self.y += BAR + 6.0;
    }

    fn end(mut self) -> String {
        self.svg.push_str("</svg>");
        self.svg
    }
}

fn colour(name: &str) -> &'static str {
    COLOURS
        .iter()
        .find(|(who, _)| *who == name)
        .map_or(OTHER, |(_, colour)| colour)
}

/// As many digits as mean something, thousands apart.
fn figure(value: f64) -> String {
    if value.abs() < 10.0 {
        return format!("{value:.2}");
    }
    if value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut apart = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) && digit.is_ascii_digit() {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
