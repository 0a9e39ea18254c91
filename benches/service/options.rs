//! The command line. `cargo bench --bench service -- --help` shows it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Measures the service against a stock service and the bare database, in one run.
#[derive(Debug, Parser)]
#[command(name = "service", args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// Another mode than measuring.
    #[command(subcommand)]
    pub mode: Option<Mode>,
    /// How to measure.
    #[command(flatten)]
    pub options: Options,
    /// Given by `cargo bench`, without meaning here.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What this program can be besides the benchmark.
#[derive(Debug, Subcommand)]
pub enum Mode {
    /// Serve the stock service (the benchmark starts itself in this mode).
    Stock(StockOptions),
    /// Write events into the log of a running service (the benchmark starts itself in this mode).
    Fill(FillOptions),
}

/// Which log to fill, and with how much.
#[derive(Debug, Args)]
pub struct FillOptions {
    /// The data folder of the service.
    #[arg(long)]
    pub data_dir: PathBuf,
    /// Folder of the PostgreSQL server binaries.
    #[arg(long)]
    pub postgres_bin: PathBuf,
    /// How many.
    #[arg(long)]
    pub events: usize,
}

/// Settings of the stock service.
#[derive(Debug, Args)]
pub struct StockOptions {
    /// Where to listen.
    #[arg(long)]
    pub listen: SocketAddr,
    /// An empty database.
    #[arg(long)]
    pub database_url: String,
    /// Connections of the pool.
    #[arg(long, default_value_t = 32)]
    pub pool: u32,
}

/// How to measure.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Only rows whose id contains one of these words.
    #[arg(value_name = "ROW")]
    pub rows: Vec<String>,
    /// List the rows and leave.
    #[arg(long)]
    pub list: bool,
    /// A smoke test of a few seconds; its figures mean nothing.
    #[arg(long)]
    pub quick: bool,
    /// Numbers of connections, each measured.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 64, 256])]
    pub connections: Vec<usize>,
    /// Rounds of each contender; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Seconds measured in a round.
    #[arg(long, default_value_t = 5.0)]
    pub seconds: f64,
    /// Seconds of load before the measured ones.
    #[arg(long, default_value_t = 1.0)]
    pub warmup: f64,
    /// Tasks in every store before the first row.
    #[arg(long, default_value_t = 1000)]
    pub seed_tasks: usize,
    /// Members of the community in every store, before the first row that needs them.
    #[arg(long, default_value_t = 256, value_parser = at_least_eight)]
    pub seed_members: usize,
    /// Articles they have written by then.
    #[arg(long, default_value_t = 3000, value_parser = at_least_eight)]
    pub seed_articles: usize,
    /// Events of the stream in the row `long_stream`.
    #[arg(long, default_value_t = 10_000)]
    pub long_stream: u64,
    /// Tasks of the demo data whose log the rows of the rebuild fold; 60,000 make about 300,000 events.
    #[arg(long, default_value_t = 60_000)]
    pub rebuild_tasks: u32,
    /// Events of the large store in the rows `growth` and `start`; the small one has a hundredth. 10 million take 20 GB of disk.
    #[arg(long, default_value_t = 10_000_000)]
    pub growth_events: usize,
    /// Seconds of load in the row `memory`.
    #[arg(long, default_value_t = 300.0)]
    pub memory_seconds: f64,
    /// Leave a contender out: `ours`, `stock` or `pgbench`.
    #[arg(long, value_delimiter = ',')]
    pub without: Vec<String>,
    /// Connections in the pool of the stock service.
    #[arg(long, default_value_t = 32)]
    pub stock_pool: u32,
    /// The `shiji` binary to measure.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_shiji"))]
    pub shiji: PathBuf,
    /// Folder of the PostgreSQL server binaries.
    #[arg(long, env = "SHIJI_PG_BIN")]
    pub postgres_bin: Option<PathBuf>,
    /// Where the temporary databases live; must be on a disk.
    #[arg(long, default_value = "/var/tmp")]
    pub work_dir: PathBuf,
    /// Fail when a target does not hold.
    #[arg(long)]
    pub strict: bool,
}

impl Options {
    /// The options as measured: `--quick` shortens everything.
    #[must_use]
    pub fn effective(mut self) -> Self {
        if self.quick {
            self.rounds = 1;
            self.seconds = 0.7;
            self.warmup = 0.2;
            self.seed_tasks = self.seed_tasks.min(100);
            self.seed_members = self.seed_members.min(40);
            self.seed_articles = self.seed_articles.min(300);
            self.long_stream = self.long_stream.min(300);
            self.rebuild_tasks = self.rebuild_tasks.min(200);
            self.growth_events = self.growth_events.min(20_000);
            self.memory_seconds = self.memory_seconds.min(10.0);
            self.connections = vec![1, 32];
        }
        self
    }

    /// Whether a contender takes part.
    #[must_use]
    pub fn has(&self, contender: &str) -> bool {
        !self.without.iter().any(|name| name == contender)
    }
}

/// Fewer could not react to each other.
fn at_least_eight(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number >= 8 => Ok(number),
        _ => Err("a number from 8 on".to_owned()),
    }
}
