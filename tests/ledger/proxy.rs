//! A small proxy between a node and PostgreSQL that reads along and breaks connections at the worst moments.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener, UnixStream};

/// What becomes of a statement on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It passes.
    Pass,
    /// The connection dies before the server hears of it.
    CutBefore,
    /// The server does it, and the connection dies before the answer.
    CutAfter,
    /// The server does it, and the connection dies when of the answer only the end is missing.
    CutEnd,
    /// The server does it, and nobody ever hears anything again.
    Freeze,
}

/// Decides by the number of the statement, counted over all connections.
type Plan = dyn Fn(usize) -> Fate + Send + Sync;

/// The proxy. Ends with the test's runtime.
pub struct Proxy {
    folder: tempfile::TempDir,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: PgConnectOptions,
    statements: AtomicUsize,
    /// New connections are turned away.
    closed: AtomicBool,
    plan: parking_lot::Mutex<Arc<Plan>>,
    /// Raised once: answers under way at that moment are lost.
    cut: tokio::sync::watch::Sender<usize>,
}

/// Without anything behind it, on any socket.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// sqlx's `Execute` message: the unnamed portal, all rows.
const EXECUTE: [u8; 10] = [b'E', 0, 0, 0, 9, 0, 0, 0, 0, 0];
/// `ReadyForQuery`, idle: the transaction is over.
const READY: [u8; 6] = [b'Z', 0, 0, 0, 5, b'I'];

impl Proxy {
    /// A proxy to where these options lead; passes everything until told otherwise.
    pub fn start(upstream: PgConnectOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(socket(folder.path())).unwrap();
        let shared = Arc::new(Shared {
            upstream,
            statements: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            plan: parking_lot::Mutex::new(Arc::new(|_| Fate::Pass)),
            cut: tokio::sync::watch::Sender::new(0),
        });
        let accepting = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if !accepting.closed.load(Ordering::SeqCst) {
                    tokio::spawn(carry(client, Arc::clone(&accepting)));
                }
            }
        });
        Self { folder, shared }
    }

    /// How to connect through it.
    pub fn options(&self) -> PgConnectOptions {
        let upstream = self.shared.upstream.clone();
        upstream.socket(self.folder.path()).port(5432)
    }

    /// The fate of statements from here on; the next is number 0.
    pub fn plan(&self, plan: impl Fn(usize) -> Fate + Send + Sync + 'static) {
        *self.shared.plan.lock() = Arc::new(plan);
        self.shared.statements.store(0, Ordering::SeqCst);
    }

    /// Statements seen since the plan was made.
    pub fn statements(&self) -> usize {
        self.shared.statements.load(Ordering::SeqCst)
    }

    /// Lets the answers to what has been sent already be lost.
    pub fn cut_answers(&self) {
        self.shared.cut.send_modify(|times| *times += 1);
    }

    /// Turns new connections away, or lets them in again.
    pub fn set_closed(&self, closed: bool) {
        self.shared.closed.store(closed, Ordering::SeqCst);
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join(".s.PGSQL.5432")
}

async fn connect(upstream: &PgConnectOptions) -> std::io::Result<Box<dyn Wire>> {
    let port = upstream.get_port();
    let folder = upstream.get_socket().map_or_else(
        || upstream.get_host().to_owned(),
        |socket| socket.display().to_string(),
    );
    if folder.starts_with('/') {
        let path = format!("{folder}/.s.PGSQL.{port}");
        Ok(Box::new(UnixStream::connect(path).await?))
    } else {
        Ok(Box::new(TcpStream::connect((folder.as_str(), port)).await?))
    }
}

async fn carry(mut client: UnixStream, shared: Arc<Shared>) {
    let Ok(mut server) = connect(&shared.upstream).await else {
        return;
    };
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let (mut sent, mut answer) = (Vec::new(), Vec::new());
    let mut fate = Fate::Pass;
    let mut cut = shared.cut.subscribe();
    loop {
        tokio::select! {
            biased;
            Ok(()) = cut.changed() => fate = Fate::CutAfter,
            read = client.read(&mut up) => {
                let Ok(length @ 1..) = read else { return };
                sent.extend_from_slice(&up[..length]);
                let executes = count(&sent, &EXECUTE);
                // Its last bytes may be the beginning of the next.
                let keep = if executes > 0 { 0 } else { EXECUTE.len() - 1 };
                sent.drain(..sent.len().saturating_sub(keep));
                for _ in 0..executes {
                    let number = shared.statements.fetch_add(1, Ordering::SeqCst);
                    let plan = Arc::clone(&shared.plan.lock());
                    fate = if fate == Fate::Pass { plan(number) } else { fate };
                }
                if fate == Fate::CutBefore || server.write_all(&up[..length]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut down) => {
                let Ok(length @ 1..) = read else { return };
                match fate {
                    Fate::Freeze => {}
                    Fate::CutAfter | Fate::CutEnd => {
                        answer.extend_from_slice(&down[..length]);
                        let over = answer.ends_with(&READY);
                        if over || fate == Fate::CutEnd && client.write_all(&down[..length]).await.is_err() {
                            return;
                        }
                    }
                    Fate::Pass | Fate::CutBefore => {
                        if client.write_all(&down[..length]).await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    }
}

fn count(bytes: &[u8], pattern: &[u8]) -> usize {
    bytes
        .windows(pattern.len())
        .filter(|window| *window == pattern)
        .count()
}
