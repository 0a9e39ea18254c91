//! Everything that runs during the benchmark: both services and both databases.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;
use nix::sys::statvfs::statvfs;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

use crate::contest::Contender;
use crate::load::{Case, Span, Tally, closed_loop, open_loop};
use crate::machine::Busy;
use crate::options::Options;
use crate::pgbench::{Database, Pgbench};
use crate::report::Report;
use crate::rows::task_create::CreateTask;
use crate::servers::community::Size;
use crate::servers::{
    Archive, Community, Grown, Ours, Postgres, Service, binaries, create_databases, start_stock,
};

/// Clients of `pgbench` for which the private PostgreSQL of ours has connections.
const CLIENTS_BESIDE_OURS: usize = 128;

/// Events of the smaller store, at least: with fewer there is no page of everything.
const FEWEST: usize = 1_000;

/// More likes than anybody gives in a second.
const LIKES_A_SECOND: f64 = 20_000.0;

/// What runs. Dropping it stops and removes everything.
pub struct Stage {
    /// The options as measured.
    pub options: Options,
    /// The PostgreSQL binaries.
    pub bin: PathBuf,
    /// Our service, unless left out.
    pub ours: Option<Service>,
    /// The stock service, unless left out.
    pub stock: Option<Service>,
    ours_cli: Option<Ours>,
    archive: Option<Archive>,
    grown: Option<Pair>,
    // Dropped after the services that use it.
    postgres: Postgres,
    folder: TempDir,
}

/// Two stores of ours that differ in what they hold.
pub struct Pair {
    /// With few events.
    pub small: Grown,
    /// With many.
    pub large: Grown,
}

impl Stage {
    /// Starts everything and fills every store with the same tasks.
    ///
    /// # Errors
    ///
    /// When something does not come up.
    pub async fn set_up(options: Options) -> Result<Self> {
        let options = options.effective();
        let bin = binaries(options.postgres_bin.as_deref())?;
        let folder = temporary_folder(&options)?;
        eprintln!(
            "starting PostgreSQL ({}) in {}",
            bin.display(),
            folder.path().display()
        );
        let postgres = Postgres::start(&bin, folder.path())?;
        create_databases(&postgres, options.seed_tasks).await?;
        let mut stage = Self {
            options,
            bin,
            ours: None,
            stock: None,
            ours_cli: None,
            archive: None,
            grown: None,
            postgres,
            folder,
        };
        stage.start_services().await?;
        Ok(stage)
    }

    async fn start_services(&mut self) -> Result<()> {
        if self.options.has("stock") {
            eprintln!("starting the stock service");
            let url = self.postgres.url("stock");
            let (process, address) =
                start_stock(&url, self.options.stock_pool, self.folder.path())?;
            self.stock = Some(Service::connect("stock", address, process).await?);
        }
        if self.options.has("ours") {
            eprintln!("starting {} serve", self.options.shiji.display());
            let (ours, process) = Ours::start(&self.options.shiji, &self.bin, self.folder.path())?;
            self.ours = Some(Service::connect("ours", ours.listen(), process).await?);
            self.ours_cli = Some(ours);
        }
        let count = self.options.seed_tasks;
        for service in self.services() {
            let case = Rc::new(CreateTask::new(&service.wire));
            service.seed(case, count).await?;
        }
        Ok(())
    }

    /// Lets members come and write, in every service that takes part; once.
    ///
    /// # Errors
    ///
    /// When something answers wrongly.
    pub async fn community(&mut self) -> Result<()> {
        let size = self.community_size();
        let stock_url = self.postgres.url("stock");
        for service in self.services().filter(|one| one.community.is_none()) {
            let (members, articles) = (size.members, size.articles);
            eprintln!(
                "  {}: {members} members and {articles} articles come",
                service.name
            );
            let community = if service.is_ours() {
                Community::of_ours(service.address, &service.wire, size, 0).await
            } else {
                Community::of_stock(&stock_url, size).await
            };
            service.community = Some(Rc::new(community.context(service.name)?));
        }
        if let Some(ours) = &self.ours_cli {
            // As after a minute of rest; `pgbench` runs on the same tables.
            let mut database = ours.database()?.connect().await?;
            sqlx::raw_sql("VACUUM ANALYZE")
                .execute(&mut database)
                .await?;
            database.close().await?;
        }
        Ok(())
    }

    fn community_size(&self) -> Size {
        Size {
            members: self.options.seed_members,
            articles: self.options.seed_articles,
        }
    }

    /// A second store of ours with a long log, made when it is first asked for; nothing where ours is left out.
    ///
    /// # Errors
    ///
    /// When it does not come up.
    pub async fn archive(&mut self) -> Result<Option<&mut Archive>> {
        if self.ours.is_some() && self.archive.is_none() {
            let (shiji, tasks) = (&self.options.shiji, self.options.rebuild_tasks);
            let archive = Archive::start(shiji, &self.bin, self.folder.path(), tasks).await?;
            self.archive = Some(archive);
        }
        Ok(self.archive.as_mut())
    }

    /// Lets the members of ours write new articles, where fewer likes are left to be given than so long may take.
    ///
    /// # Errors
    ///
    /// When something answers wrongly.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of likes"
    )]
    pub async fn strangers(&mut self, time: Duration) -> Result<()> {
        let wanted = (time.as_secs_f64() * LIKES_A_SECOND) as usize;
        self.community().await?;
        let Some(ours) = &mut self.ours else {
            return Ok(());
        };
        let community = ours.community.as_ref().context("no community")?;
        if community.strangers() < wanted {
            let fewest = wanted / community.members.len() + community.read().len() + 1;
            let articles = fewest.max(self.options.seed_articles);
            eprintln!("  {articles} new articles come");
            let again = community.again(ours.address, articles).await?;
            ours.community = Some(Rc::new(again));
        }
        Ok(())
    }

    /// Two more stores of ours, one with many events and one with a hundredth of them, made when they are first asked for.
    /// Nothing where ours is left out or the disk has no room for them.
    ///
    /// # Errors
    ///
    /// When one does not come up.
    pub async fn grown(&mut self, report: &mut Report) -> Result<Option<&mut Pair>> {
        let events = self.options.growth_events;
        if self.ours.is_none() {
            return Ok(None);
        }
        if self.grown.is_none() {
            let (room, needed) = (free_bytes(self.folder.path())?, Grown::bytes(events));
            if room < needed {
                report.note(format!(
                    "no store of {events} events: it takes {} GB of disk, and {} has {}",
                    needed >> 30,
                    self.options.work_dir.display(),
                    room >> 30,
                ));
                return Ok(None);
            }
            let (folder, size) = (self.folder.path(), self.community_size());
            let make = async |name, events| {
                let (shiji, bin) = (&self.options.shiji, &self.bin);
                Grown::start(shiji, bin, folder, (name, events), size)
                    .await
                    .context(name)
            };
            self.grown = Some(Pair {
                small: make("small", (events / 100).max(FEWEST)).await?,
                large: make("large", events).await?,
            });
        }
        Ok(self.grown.as_mut())
    }

    /// Our service and how to call its command line; nothing where it is left out.
    pub fn ours(&mut self) -> Option<(&mut Service, &Ours)> {
        self.ours.as_mut().zip(self.ours_cli.as_ref())
    }

    /// Where the stock service keeps its views; nothing where it is left out.
    #[must_use]
    pub fn stock_url(&self) -> Option<String> {
        self.stock.as_ref().map(|_| self.postgres.url("stock"))
    }

    /// A place for what somebody logs.
    #[must_use]
    pub fn log_of(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }

    /// The community of ours, if it takes part.
    #[must_use]
    pub fn our_community(&self) -> Option<Rc<Community>> {
        self.ours.as_ref()?.community.clone()
    }

    /// How large the databases of ours and of the stock service are, in bytes.
    ///
    /// # Errors
    ///
    /// When one does not say.
    pub async fn database_bytes(&self) -> Result<(Option<i64>, Option<i64>)> {
        let ours = match &self.ours_cli {
            Some(ours) => Some(database_bytes(ours.database()?).await?),
            None => None,
        };
        let stock = match &self.stock {
            Some(_) => Some(database_bytes(self.postgres.url("stock").parse()?).await?),
            None => None,
        };
        Ok((ours, stock))
    }

    /// The services that take part, ours first.
    pub fn services(&mut self) -> impl Iterator<Item = &mut Service> {
        self.ours.iter_mut().chain(&mut self.stock)
    }

    /// For how long a round loads.
    #[must_use]
    pub fn span(&self) -> Span {
        Span {
            warmup: Duration::from_secs_f64(self.options.warmup),
            measured: Duration::from_secs_f64(self.options.seconds),
        }
    }

    /// The contenders of a row: the same case for both services, and a script for `pgbench`.
    ///
    /// # Errors
    ///
    /// When the script cannot be written.
    pub fn contenders<'a>(
        &'a mut self,
        case: impl Fn(&Service) -> Rc<dyn Case>,
        script: (&str, &str),
    ) -> Result<Vec<Box<dyn Contender + 'a>>> {
        let pgbench = self.pgbench(script)?;
        let mut contenders: Vec<Box<dyn Contender + 'a>> = Vec::new();
        for service in self.services() {
            let case = case(service);
            contenders.push(closed(service, case));
        }
        if let Some(pgbench) = pgbench {
            contenders.push(Box::new(pgbench));
        }
        Ok(contenders)
    }

    fn pgbench(&self, (name, script): (&str, &str)) -> Result<Option<Pgbench>> {
        if !self.options.has("pgbench") {
            return Ok(None);
        }
        let database = Database {
            socket: self.postgres.socket().to_owned(),
            user: "postgres".to_owned(),
            name: "bare".to_owned(),
        };
        Pgbench::new(&self.bin, &database, name, script, self.folder.path()).map(Some)
    }

    /// `pgbench` on the very tables that ours reads, while it idles. They leave room for so many clients and not more.
    ///
    /// # Errors
    ///
    /// When the script cannot be written or the database of ours cannot be found.
    pub fn pgbench_on_ours(
        &self,
        connections: usize,
        script: (&str, &str),
        variables: &[String],
    ) -> Result<Option<Box<dyn Contender>>> {
        let (Some(ours), true) = (&self.ours_cli, connections <= CLIENTS_BESIDE_OURS) else {
            return Ok(None);
        };
        if !self.options.has("pgbench") {
            return Ok(None);
        }
        let database = ours.database()?;
        let socket = database.get_socket().context("ours has no socket")?;
        let database = Database {
            socket: socket.clone(),
            user: database.get_username().to_owned(),
            name: database.get_database().unwrap_or("shiji").to_owned(),
        };
        let (name, script) = script;
        let pgbench = Pgbench::new(&self.bin, &database, name, script, self.folder.path())?;
        let mut schemas = shiji::projections::search_path();
        schemas.push("public".to_owned());
        Ok(Some(Box::new(pgbench.within(&schemas).define(variables))))
    }

    /// The last word: totals are right, and the log verifies.
    ///
    /// # Errors
    ///
    /// When something is lost, doubled or does not verify.
    pub async fn verify(&mut self, report: &mut Report) -> Result<()> {
        for service in self.services() {
            service.check_list().await?;
            report.note(format!(
                "{}: the list shows every acknowledged task exactly once",
                service.name
            ));
        }
        if let Some(ours) = &self.ours_cli {
            ours.verify_log().await?;
            report.note("ours: `shiji audit verify` passes".to_owned());
        }
        Ok(())
    }
}

async fn database_bytes(database: PgConnectOptions) -> Result<i64> {
    let mut database = database.connect().await?;
    let bytes = sqlx::query_scalar("SELECT pg_database_size(current_database())")
        .fetch_one(&mut database)
        .await?;
    database.close().await?;
    Ok(bytes)
}

#[expect(
    clippy::useless_conversion,
    reason = "other systems count in fewer bits"
)]
fn free_bytes(folder: &Path) -> Result<u64> {
    let disk = statvfs(folder).with_context(|| format!("no size of {}", folder.display()))?;
    Ok(u64::from(disk.blocks_available()) * u64::from(disk.fragment_size()))
}

fn temporary_folder(options: &Options) -> Result<TempDir> {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::Builder::new()
        .prefix("shiji-bench-")
        .tempdir_in(&options.work_dir)
        .with_context(|| format!("no folder in {}", options.work_dir.display()))?;
    // PostgreSQL may run as another user and must be able to enter.
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
    Ok(folder)
}

/// A service under load, as fast as it answers or at a rate.
struct Loaded<'a> {
    service: &'a mut Service,
    case: Rc<dyn Case>,
    rate: Option<f64>,
    /// Another node of the same service, which gets half of the connections.
    beside: Option<SocketAddr>,
}

#[async_trait(?Send)]
impl Contender for Loaded<'_> {
    fn name(&self) -> &'static str {
        self.service.name
    }

    async fn round(&mut self, connections: usize, span: Span) -> Result<Tally> {
        let (name, address) = (self.service.name, self.service.address);
        self.case.prepare(address, span).await.context(name)?;
        let case = Rc::clone(&self.case);
        let tally = match self.rate {
            None => {
                let addresses: Vec<SocketAddr> = [address].into_iter().chain(self.beside).collect();
                let load = closed_loop(&addresses, case, connections, span);
                checked(self.service, load).await?
            }
            Some(rate) => {
                let load = open_loop(address, case, connections, rate, span);
                checked(self.service, load).await?
            }
        };
        self.case.check(address).await.context(name)?;
        Ok(tally)
    }
}

impl<'a> Loaded<'a> {
    /// As fast as it answers, alone.
    fn new(service: &'a mut Service, case: Rc<dyn Case>) -> Self {
        Self {
            service,
            case,
            rate: None,
            beside: None,
        }
    }
}

/// A service as a contender under closed-loop load.
pub fn closed<'a>(service: &'a mut Service, case: Rc<dyn Case>) -> Box<dyn Contender + 'a> {
    Box::new(Loaded::new(service, case))
}

/// The same, over two nodes.
pub fn closed_beside<'a>(
    service: &'a mut Service,
    case: Rc<dyn Case>,
    beside: SocketAddr,
) -> Box<dyn Contender + 'a> {
    Box::new(Loaded {
        beside: Some(beside),
        ..Loaded::new(service, case)
    })
}

/// A service as a contender that gets so many requests per second, whatever it answers.
pub fn paced<'a>(
    service: &'a mut Service,
    case: Rc<dyn Case>,
    rate: f64,
) -> Box<dyn Contender + 'a> {
    Box::new(Loaded {
        rate: Some(rate),
        ..Loaded::new(service, case)
    })
}

async fn checked(
    service: &mut Service,
    load: impl Future<Output = Result<Tally>>,
) -> Result<Tally> {
    let generator = Busy::start(std::process::id());
    let served = Busy::start(service.process.id());
    let mut tally = load.await?;
    tally.generator_cores = generator.cores();
    tally.service_cores = served.cores();
    service.process.alive()?;
    tally.sound().context(service.name)?;
    service.acknowledge(std::mem::take(&mut tally.created))?;
    service.check_list().await?;
    Ok(tally)
}
