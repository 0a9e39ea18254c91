//! The whole service inside the test process: database, log, projections, surfaces. Requests go through the router.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use chrono::TimeDelta;
use http_body_util::BodyExt;
use serde_json::Value;
use shiji::api::ops::Readiness;
use shiji::api::zhugeleida::LiveLimits;
use shiji::api::{self, App, AppParts, AppSettings, identity};
use shiji::commands::account::OpenStaffAccount;
use shiji::commands::member::{OpenMember, Phone, member_account, new_hex_id};
use shiji::commands::session::SessionCommand;
use shiji::commands::{self, Desk};
use shiji::events::Session;
use shiji::gateways::{
    ApprovesAll, FileStore, HttpSms, PaymentGateway, SmsError, SmsGateway, SmsMessage, StandIn,
    Wechat,
};
use shiji::ledger::{
    AppendLimits, Clock, Keys, Ledger, LedgerOptions, Metadata, Recorded, Secret, StreamId,
};
use shiji::postgres::Database;
use shiji::projections;
use shiji::projections::projector::rebuild::{Kept, Past};
use shiji::projections::projector::{Projector, ProjectorHandle, ProjectorOptions, Slot};
use tokio::time::Instant;
use tower::ServiceExt;
use uuid::Uuid;

use super::TestDatabase;

/// The password of every account that tests open.
pub const PASSWORD: &str = "correct horse";

/// Keeps what is sent instead of sending it.
#[derive(Default)]
pub struct SentSms {
    sent: Mutex<Vec<SmsMessage>>,
    /// Whether to fail instead.
    pub fails: AtomicBool,
}

impl SentSms {
    /// The last message, as `country phone`, and its code.
    pub fn last(&self) -> (String, String) {
        let sent = self.sent.lock().unwrap();
        let SmsMessage {
            country,
            phone,
            code,
        } = sent.last().expect("something was sent").clone();
        (format!("{country} {phone}"), code)
    }

    pub fn count(&self) -> usize {
        self.sent.lock().unwrap().len()
    }
}

#[async_trait]
impl SmsGateway for SentSms {
    async fn send(&self, message: &SmsMessage) -> Result<(), SmsError> {
        if self.fails.load(Ordering::SeqCst) {
            let nowhere = HttpSms::new("http://127.0.0.1:1/", "", "").unwrap();
            return nowhere.send(message).await;
        }
        self.sent.lock().unwrap().push(message.clone());
        Ok(())
    }
}

/// A member of the community.
pub struct Member {
    pub uid: String,
    /// Under 86.
    pub phone: String,
    pub token: String,
}

/// A running service with a database of its own.
pub struct Service {
    pub app: App,
    pub ledger: Ledger,
    /// What was sent by SMS.
    pub sms: Arc<SentSms>,
    door: Door,
    /// How far its clock is ahead of the real one, in milliseconds.
    ahead: Arc<AtomicI64>,
    _projector: ProjectorHandle,
    files: tempfile::TempDir,
    pub database: TestDatabase,
}

impl Service {
    /// With the settings of a fresh install.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With other settings.
    pub async fn with(change: impl FnOnce(&mut AppSettings)) -> Self {
        let mut settings = AppSettings {
            public_base_url: None,
            backend_session_ttl: Duration::from_secs(86_400),
            community_session_ttl: Duration::from_secs(30 * 86_400),
            sms_fixed_code: None,
            upload_max_bytes: 10 << 20,
            body_max_bytes: 1 << 20,
            request_timeout: Duration::from_secs(30),
            query_patience: Duration::from_secs(2),
            font_dir: None,
            signature_window: Duration::from_secs(86_400),
            toggle_repeat: Duration::from_secs(2),
            zhugeleida_test_login: true,
            live: LiveLimits::default(),
        };
        change(&mut settings);
        Self::on(TestDatabase::create().await, settings).await
    }

    async fn on(database: TestDatabase, settings: AppSettings) -> Self {
        let ahead = Arc::new(AtomicI64::new(0));
        let ledger = ledger(database.database(), Arc::clone(&ahead)).await;
        let files = tempfile::tempdir().unwrap();
        let sms = Arc::new(SentSms::default());
        let reads = database.pool();
        let options = ProjectorOptions::new(2000, Duration::from_secs(5));
        let projector = Projector::start(ledger.clone(), database.database(), options)
            .await
            .unwrap();
        let app = App::new(AppParts {
            desk: Desk::new(ledger.clone(), Duration::from_secs(2)),
            reads,
            files: FileStore::local(files.path()).unwrap(),
            payments: Arc::new(ApprovesAll),
            sms: sms.clone(),
            wechat: Arc::new(StandIn),
            settings,
        });
        Self {
            door: Door::new(&app),
            app,
            ledger,
            sms,
            ahead,
            _projector: projector,
            files,
            database,
        }
    }

    /// Another door of the same service, whose requests have only so long.
    pub fn hurried(&self, request_timeout: Duration) -> Door {
        let mut parts = self.parts();
        parts.settings.request_timeout = request_timeout;
        Door::new(&App::new(parts))
    }

    /// Another door of the same service, for whose customers somebody else vouches.
    pub fn vouched_by(&self, wechat: Arc<dyn Wechat>) -> Door {
        let parts = AppParts {
            wechat,
            ..self.parts()
        };
        Door::new(&App::new(parts))
    }

    /// What answers on a port.
    pub fn router(&self) -> Router {
        self.door.router.clone()
    }

    /// The same service with somebody else to take the money.
    pub fn paying_through(&self, payments: Arc<dyn PaymentGateway>) -> Door {
        paying_through(&self.app, self.sms.clone(), payments)
    }

    /// What this service is made of, for another one beside it.
    fn parts(&self) -> AppParts {
        parts(&self.app, self.sms.clone())
    }

    /// Another node on the same database, with a ledger and a projector of its own.
    pub async fn second_node(&self) -> Node {
        let ledger = ledger(self.database.database(), Arc::clone(&self.ahead)).await;
        let options = ProjectorOptions::new(2000, Duration::from_secs(5));
        let projector = Projector::start(ledger.clone(), self.database.database(), options)
            .await
            .unwrap();
        let app = App::new(AppParts {
            desk: Desk::new(ledger, Duration::from_secs(2)),
            reads: self.database.pool(),
            ..self.parts()
        });
        Node {
            app,
            sms: self.sms.clone(),
            _projector: projector,
        }
    }

    /// A node beside it that answers as of a position.
    pub async fn as_of(&self, position: i64) -> PastNode {
        let reader = self.database.database().only_read();
        let ledger = ledger(&reader, Arc::clone(&self.ahead)).await;
        let (all, database) = (projections::all(), self.database.database());
        let past = Past::begin(&ledger, database, all, position, (None, false));
        let mut past = past.await.unwrap();
        past.build(|_| ()).await.unwrap();
        assert_eq!((past.reached(), past.parked()), (position, 0));
        let kept = past.finish().await.unwrap();
        projections::stand_still(ledger.watermark(), position);
        let path = projections::search_path_of(Slot::AsOf(position));
        let app = App::new(AppParts {
            desk: Desk::new(ledger.as_of(position), Duration::from_secs(2)),
            reads: reader.pool("reads", 4, &path),
            files: self.app.files().clone().only_read(),
            ..self.parts()
        });
        PastNode {
            door: Door::new(&app),
            app,
            _kept: kept,
        }
    }

    /// Lets time pass.
    pub fn sleep(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap();
        self.ahead.fetch_add(millis, Ordering::SeqCst);
    }

    /// Opens a staff account with [`PASSWORD`]; answers its uid.
    pub async fn staff(&self, name: &str, role: u32, perm: u64) -> i64 {
        let uid = self.ledger.next_id("staff").await.unwrap();
        let open = OpenStaffAccount {
            uid,
            name_claim: identity::staff_name_claim(self.ledger.keys(), name),
            name: name.to_owned(),
            password_hash: self.app.passwords().hash(PASSWORD).await.unwrap(),
            role,
            perm,
        };
        self.app.desk().run(&self.system(), &open).await.unwrap();
        uid
    }

    /// A staff account of that name with a session; answers its token.
    pub async fn logged_in(&self, name: &str) -> String {
        self.staff(name, 0, 0).await;
        self.log_in(name).await
    }

    /// Logs in with [`PASSWORD`]; answers the token.
    pub async fn log_in(&self, name: &str) -> String {
        let body = serde_json::json!({ "name": name, "password": PASSWORD });
        let reply = self.post("/backend/api/v1/login").json(&body).send().await;
        assert_eq!(reply.json()["code"], 0, "{reply:?}");
        reply.header("x-session-token").unwrap().to_owned()
    }

    /// A member of the community without a password, with an open session.
    pub async fn member(&self, nickname: &str) -> Member {
        let number = format!("138{:08}", rand::random::<u32>() % 100_000_000);
        let phone = Phone::new("86", &number).unwrap();
        let open = OpenMember {
            uid: new_hex_id(),
            phone_claim: phone.claim(self.ledger.keys()),
            phone,
            nickname: nickname.to_owned(),
            password_hash: None,
        };
        let desk = self.app.desk();
        desk.run(&self.system(), &open).await.unwrap();
        self.enter(open.uid, number).await
    }

    /// The member of that uid and phone, with an open session.
    pub async fn enter(&self, uid: String, phone: String) -> Member {
        let token = identity::new_member_token();
        let session = SessionCommand::Open {
            account: member_account(&uid),
            credential_version: 0,
            expires_at: self.app.now() + TimeDelta::days(30),
        };
        let id = identity::session_id(&token);
        let desk = self.app.desk();
        let opened = desk.create::<Session>(&self.system(), &id, session).await;
        opened.unwrap();
        Member { uid, phone, token }
    }

    /// A request to the desk by the system itself.
    pub fn system(&self) -> commands::Request {
        commands::Request {
            metadata: Metadata {
                actor: "system:test".to_owned(),
                surface: "test".to_owned(),
                request_id: Uuid::now_v7(),
                causation: None,
                correlation: None,
                at: self.app.now(),
            },
            receipt: None,
            if_match: None,
            deadline: Instant::now() + Duration::from_secs(10),
        }
    }

    /// The types of a stream's events, in order.
    pub async fn events(&self, aggregate: &'static str, id: impl std::fmt::Display) -> Vec<String> {
        let stream = StreamId::new(aggregate, id.to_string());
        let recorded = self.ledger.stream(&stream).await.unwrap();
        recorded.into_iter().map(|event| event.event_type).collect()
    }

    /// Waits until the read tables show all that the log holds: what a command does beside its answer is in the log first.
    pub async fn settled(&self) {
        let head = self.ledger.head().await.unwrap().position;
        let patience = Duration::from_secs(20);
        let behind = self.ledger.watermark().wait_all(head, patience).await;
        assert_eq!(behind, [""; 0]);
    }

    /// How many files its store holds.
    pub fn stored_files(&self) -> usize {
        fn count(folder: &std::path::Path) -> usize {
            let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
            let each = |entry: std::fs::DirEntry| match entry.file_type().unwrap() {
                kind if kind.is_dir() => count(&entry.path()),
                _ => 1,
            };
            entries.map(each).sum()
        }
        count(self.files.path())
    }

    /// The last position of the log.
    pub async fn head(&self) -> i64 {
        self.ledger.head().await.unwrap().position
    }

    /// Everything that lies in the log, as it lies there: stream ids and payloads.
    pub async fn stored(&self) -> Vec<String> {
        let rows = sqlx::query_scalar(
            "SELECT aggregate_type || ':' || aggregate_id || payload::text FROM events",
        );
        rows.fetch_all(&self.database.pool()).await.unwrap()
    }

    /// The events after a position.
    pub async fn since(&self, position: i64) -> Vec<Recorded> {
        self.ledger.read(position, 10_000).await.unwrap()
    }
}

impl std::ops::Deref for Service {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}

/// A node that answers as of a position.
pub struct PastNode {
    pub app: App,
    door: Door,
    _kept: Kept,
}

impl std::ops::Deref for PastNode {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}

impl PastNode {
    /// A way into it, with somebody to take the money.
    pub fn paying_through(&self, payments: Arc<dyn PaymentGateway>) -> Door {
        paying_through(&self.app, Arc::default(), payments)
    }
}

/// One more node of a service.
pub struct Node {
    pub app: App,
    sms: Arc<SentSms>,
    _projector: ProjectorHandle,
}

impl Node {
    /// What answers on a port.
    pub fn router(&self) -> Router {
        Door::new(&self.app).router
    }

    /// A way into it, with somebody to take the money.
    pub fn paying_through(&self, payments: Arc<dyn PaymentGateway>) -> Door {
        paying_through(&self.app, self.sms.clone(), payments)
    }
}

fn paying_through(app: &App, sms: Arc<SentSms>, payments: Arc<dyn PaymentGateway>) -> Door {
    Door::new(&App::new(AppParts {
        payments,
        ..parts(app, sms)
    }))
}

/// What a service is made of; [`StandIn`] vouches for its customers.
fn parts(app: &App, sms: Arc<SentSms>) -> AppParts {
    AppParts {
        desk: app.desk().clone(),
        reads: app.reads().clone(),
        files: app.files().clone(),
        payments: Arc::clone(app.payments()),
        sms,
        wechat: Arc::new(StandIn),
        settings: app.settings().clone(),
    }
}

/// A way in: the public listener's routes, without a port.
pub struct Door {
    router: Router,
}

impl Door {
    fn new(app: &App) -> Self {
        let readiness = Readiness::new(app.ledger().clone(), Vec::new());
        Self {
            router: api::router(app.clone(), readiness),
        }
    }

    /// Calls a function of the community as a member.
    pub async fn function(&self, member: &Member, name: &str, body: Value) -> Reply {
        let call = self.post(&format!("/community/api/v1/{name}"));
        call.token(&member.token).json(&body).send().await
    }

    pub fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call<'_> {
        self.call(Method::POST, path)
    }

    pub fn put(&self, path: &str) -> Call<'_> {
        self.call(Method::PUT, path)
    }

    pub fn delete(&self, path: &str) -> Call<'_> {
        self.call(Method::DELETE, path)
    }

    pub fn call(&self, method: Method, path: &str) -> Call<'_> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "shiji.test");
        Call {
            door: self,
            request,
            body: Body::empty(),
        }
    }
}

/// A request on its way.
pub struct Call<'d> {
    door: &'d Door,
    request: axum::http::request::Builder,
    body: Body,
}

impl Call<'_> {
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.request = self.request.header(name, value.into());
        self
    }

    /// With a staff session.
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// A form with one file.
    pub fn file(self, name: &str, bytes: &[u8]) -> Self {
        self.form(&[(name, bytes)])
    }

    /// A form with files.
    pub fn form(self, files: &[(&str, &[u8])]) -> Self {
        let boundary = Uuid::new_v4().simple().to_string();
        let mut body = Vec::new();
        for (name, bytes) in files {
            let head = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"x.txt\"\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let content_type = format!("multipart/form-data; boundary={boundary}");
        self.header("content-type", content_type).body(body)
    }

    pub async fn send(self) -> Reply {
        let request = self.request.body(self.body).unwrap();
        let router = self.door.router.clone();
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(json) => json,
            Err(error) => panic!("{error}: {self:?}"),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

async fn ledger(database: &Database, ahead: Arc<AtomicI64>) -> Ledger {
    let real = Clock::system();
    let clock = move || real.now() + TimeDelta::milliseconds(ahead.load(Ordering::SeqCst));
    Ledger::open(LedgerOptions {
        pool: database.pool("ledger", 8, &[]),
        tail_pool: database.pool("tail", 2, &[]),
        append: database.service_options("appender", &[]),
        keys: Keys::derive(&Secret::new([7; 32])),
        limits: AppendLimits::default(),
        cache_entries: 10_000,
        clock: Clock::from_fn(clock),
    })
    .await
    .unwrap()
}
