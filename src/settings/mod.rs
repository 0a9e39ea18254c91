//! What the operator says, read once at start: flags over environment over defaults.
//!
//! Each field says its purpose, its unit and its default; its flag and its environment variable have the same words
//! (`--upload-max-bytes`, `SHIJI_UPLOAD_MAX_BYTES`). [`sentence`] turns a refusal of clap's into one sentence that
//! names the key. Settings of gateways and of surfaces not built yet join here when they are.

mod master_key;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{
    Args, Command, ValueEnum,
    error::{ContextKind, ContextValue},
};
use secrecy::SecretString;

pub use master_key::{MasterKey, MasterKeyError};

/// Where the data is: what every command needs, `serve` as well as the ones that only look.
#[derive(Debug, Clone, Args)]
pub struct StoreSettings {
    /// Folder of the private PostgreSQL, the made master key and the stored files. Default `./data`.
    #[arg(
        long,
        env = "SHIJI_DATA_DIR",
        default_value = "./data",
        value_name = "FOLDER",
        global = true
    )]
    pub data_dir: PathBuf,

    /// The PostgreSQL to use, `postgres://user:password@host/database`. Absent: a private one inside the data folder.
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true, value_parser = database_url, global = true)]
    pub database_url: Option<SecretString>,

    /// Everything secret is derived from it: 32 bytes as base64 or hex. Absent: made and kept in the data folder with
    /// the private PostgreSQL; with `DATABASE_URL` it must be given.
    #[arg(
        long,
        env = "SHIJI_MASTER_KEY",
        value_name = "KEY",
        hide_env_values = true,
        global = true
    )]
    pub master_key: Option<MasterKey>,

    /// Folder of the PostgreSQL programs (`initdb`, `postgres`) for the private server. Absent: looked for.
    #[arg(long, env = "SHIJI_PG_BIN", value_name = "FOLDER", global = true)]
    pub pg_bin: Option<PathBuf>,

    /// User who runs the private PostgreSQL when shiji is root, since PostgreSQL refuses root. Default `postgres`.
    #[arg(
        long,
        env = "SHIJI_PG_USER",
        default_value = "postgres",
        value_name = "NAME",
        global = true
    )]
    pub pg_user: String,
}

/// Everything `serve` can be told.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Where the data is.
    #[command(flatten)]
    pub store: StoreSettings,

    /// Address of the public listener: the surfaces, `/admin`, files, health. Default `127.0.0.1:8000`.
    #[arg(
        long,
        env = "SHIJI_LISTEN",
        default_value = "127.0.0.1:8000",
        value_name = "ADDRESS:PORT"
    )]
    pub listen: SocketAddr,

    /// Address of the operators' listener: metrics, documentation, feed. Default `127.0.0.1:8001`.
    #[arg(
        long,
        env = "SHIJI_OPS_LISTEN",
        default_value = "127.0.0.1:8001",
        value_name = "ADDRESS:PORT"
    )]
    pub ops_listen: SocketAddr,

    /// Prefix of full links to stored files, without a slash at its end. Absent: built from the request's `Host`.
    #[arg(long, env = "SHIJI_PUBLIC_BASE_URL", value_name = "URL", value_parser = base_url)]
    pub public_base_url: Option<String>,

    /// Name of the first staff account, created when there is none yet.
    #[arg(long, env = "SHIJI_BOOTSTRAP_STAFF_NAME", value_name = "NAME")]
    pub bootstrap_staff_name: Option<String>,

    /// Password of the first staff account.
    #[arg(
        long,
        env = "SHIJI_BOOTSTRAP_STAFF_PASSWORD",
        value_name = "PASSWORD",
        hide_env_values = true
    )]
    pub bootstrap_staff_password: Option<SecretString>,

    /// How long a staff session lasts, in seconds. Default 86400, a day.
    #[arg(long, env = "SHIJI_BACKEND_SESSION_TTL_SECS", default_value = "86400", value_name = "SECONDS", value_parser = seconds)]
    pub backend_session_ttl_secs: Duration,

    /// How long a session of a member of the community lasts, in seconds. Default 2592000, 30 days.
    #[arg(long, env = "SHIJI_COMMUNITY_SESSION_TTL_SECS", default_value = "2592000", value_name = "SECONDS", value_parser = seconds)]
    pub community_session_ttl_secs: Duration,

    /// Where SMS codes are handed over, by `POST`. Absent: they are written to the log, and nobody gets one.
    #[arg(long, env = "SHIJI_SMS_URL", value_name = "URL", value_parser = base_url)]
    pub sms_url: Option<String>,

    /// Headers of that request, `Name: value`, one a line.
    #[arg(
        long,
        env = "SHIJI_SMS_HEADERS",
        value_name = "HEADERS",
        hide_env_values = true
    )]
    pub sms_headers: Option<SecretString>,

    /// Body of that request; `{country}`, `{phone}` and `{code}` in it are filled in. Default a JSON object of the three.
    #[arg(
        long,
        env = "SHIJI_SMS_BODY",
        default_value = r#"{"country":"{country}","phone":"{phone}","code":"{code}"}"#,
        value_name = "TEMPLATE"
    )]
    pub sms_body: String,

    /// Every SMS code is this one, six digits: for tests only, since everybody then knows it.
    #[arg(long, env = "SHIJI_SMS_FIXED_CODE", value_name = "DIGITS", value_parser = six_digits)]
    pub sms_fixed_code: Option<String>,

    /// Largest image that may be uploaded, in bytes. Default 10485760, 10 MiB.
    #[arg(long, env = "SHIJI_UPLOAD_MAX_BYTES", default_value = "10485760", value_name = "BYTES", value_parser = count)]
    pub upload_max_bytes: usize,

    /// Where stored files lie.
    #[command(flatten)]
    pub files: FileSettings,

    /// Folder of fonts (`.otf`, `.ttf`, `.ttc`) for characters that the posters' own fonts lack. Absent: those are left out.
    #[arg(long, env = "SHIJI_FONT_DIR", value_name = "FOLDER")]
    pub font_dir: Option<PathBuf>,

    /// The mini-program.
    #[command(flatten)]
    pub zhugeleida: ZhugeleidaSettings,

    /// WeChat, which vouches for the mini-program's customers.
    #[command(flatten)]
    pub wechat: WechatSettings,

    /// How long an order waits for its payment before it is cancelled, in seconds; 0: for ever. Default 1800, half an hour.
    #[arg(long, env = "SHIJI_ORDER_PAY_WINDOW_SECS", default_value = "1800", value_name = "SECONDS", value_parser = seconds_or_none)]
    pub order_pay_window_secs: Duration,

    /// Address of the payment gateway, without a slash at its end. Absent: every payment is approved at once.
    #[arg(long, env = "SHIJI_PAYMENT_URL", value_name = "URL", hide_env_values = true, value_parser = base_url)]
    pub payment_url: Option<String>,

    /// What may grow, and how far.
    #[command(flatten)]
    pub limits: Limits,

    /// Threads that serve requests; PostgreSQL on the same machine shares the cores with them. Default: one for each core.
    #[arg(long, env = "SHIJI_WORKER_THREADS", value_name = "COUNT", value_parser = count)]
    pub worker_threads: Option<usize>,

    /// How logs are written: `human`, or `json` with one object a line. Default `human`.
    #[arg(
        long,
        env = "SHIJI_LOG_FORMAT",
        default_value = "human",
        value_name = "FORMAT"
    )]
    pub log_format: LogFormat,

    /// Which logs are written, as `tracing` filter directives. Default `info,sqlx=warn`.
    #[arg(long, env = "SHIJI_LOG", default_value = "info,sqlx=warn", value_name = "FILTER", value_parser = log_filter)]
    pub log: String,
}

/// A bucket for stored files, at any service that speaks S3; takes a program built with the feature `s3`.
#[derive(Debug, Clone, Args)]
pub struct FileSettings {
    /// The bucket that stored files lie in. Absent: the folder `files` in the data folder.
    #[arg(long, env = "SHIJI_S3_BUCKET", value_name = "NAME", value_parser = named)]
    pub s3_bucket: Option<String>,

    /// Address of the service, without the bucket and without a slash at its end. Absent: Amazon's own in that region.
    #[arg(long, env = "SHIJI_S3_ENDPOINT", value_name = "URL", value_parser = base_url)]
    pub s3_endpoint: Option<String>,

    /// Region of the bucket. Default `us-east-1`.
    #[arg(
        long,
        env = "SHIJI_S3_REGION",
        default_value = "us-east-1",
        value_name = "NAME"
    )]
    pub s3_region: String,

    /// Id of the key that may read, write, list and delete there.
    #[arg(long, env = "SHIJI_S3_ACCESS_KEY_ID", value_name = "ID")]
    pub s3_access_key_id: Option<String>,

    /// Its secret.
    #[arg(
        long,
        env = "SHIJI_S3_SECRET_ACCESS_KEY",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub s3_secret_access_key: Option<SecretString>,
}

/// What the mini-program surface can be told.
#[derive(Debug, Clone, Args)]
pub struct ZhugeleidaSettings {
    /// How old a signature of the mini-program may be, in seconds; 0: as old as it likes. Default 86400, a day.
    #[arg(long, env = "SHIJI_SIGNATURE_WINDOW_SECS", default_value = "86400", value_name = "SECONDS", value_parser = seconds_or_none)]
    pub signature_window_secs: Duration,

    /// How long the very same toggle request counts as sent again, in milliseconds; 0: not at all. Default 2000.
    #[arg(long, env = "SHIJI_TOGGLE_REPEAT_MS", default_value = "2000", value_name = "MILLISECONDS", value_parser = millis_or_none)]
    pub toggle_repeat_ms: Duration,

    /// Whether the test version of the mini-program's login is there. Default: until a WeChat app is configured.
    #[arg(long, env = "SHIJI_ZHUGELEIDA_TEST_LOGIN", value_name = "SWITCH")]
    pub zhugeleida_test_login: Option<Switch>,

    /// Whether sockets of the mini-program's chat may register without a signature, as old clients do: whoever guesses two
    /// ids then reads and writes as that customer. Default `refuse`.
    #[arg(
        long,
        env = "SHIJI_ZHUGELEIDA_WS_UNSIGNED",
        default_value = "refuse",
        value_name = "WHETHER"
    )]
    pub zhugeleida_ws_unsigned: Unsigned,

    /// Open sockets of the mini-program's chat; above it the answer is 503. Default 4096.
    #[arg(long, env = "SHIJI_ZHUGELEIDA_WS_SOCKETS", default_value = "4096", value_name = "COUNT", value_parser = count)]
    pub zhugeleida_ws_sockets: usize,
}

/// The WeChat apps that people log in to. Absent: a stand-in that knows everybody, for development.
#[derive(Debug, Clone, Args)]
pub struct WechatSettings {
    /// Id of the mini-program.
    #[arg(long, env = "SHIJI_WECHAT_APP_ID", value_name = "ID")]
    pub wechat_app_id: Option<String>,

    /// Secret of the mini-program.
    #[arg(
        long,
        env = "SHIJI_WECHAT_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub wechat_secret: Option<SecretString>,

    /// Id of the official account.
    #[arg(long, env = "SHIJI_WECHAT_OA_APP_ID", value_name = "ID")]
    pub wechat_oa_app_id: Option<String>,

    /// Secret of the official account.
    #[arg(
        long,
        env = "SHIJI_WECHAT_OA_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    pub wechat_oa_secret: Option<SecretString>,

    /// Where WeChat's API is. Default `https://api.weixin.qq.com`.
    #[arg(long, env = "SHIJI_WECHAT_BASE_URL", default_value = "https://api.weixin.qq.com", value_name = "URL", value_parser = base_url)]
    pub wechat_base_url: String,
}

/// What becomes of those who do not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Unsigned {
    /// They are refused.
    Refuse,
    /// They are let in.
    Allow,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// Everything that can grow has a limit with a name.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// Connections to PostgreSQL for queries and loads; appender, projector and listener have their own. Default 16.
    #[arg(long, env = "SHIJI_POOL_CONNECTIONS", default_value = "16", value_name = "COUNT", value_parser = count)]
    pub pool_connections: usize,

    /// Open client connections on the public listener. Default 8192.
    #[arg(long, env = "SHIJI_MAX_CONNECTIONS", default_value = "8192", value_name = "COUNT", value_parser = count)]
    pub max_connections: usize,

    /// Requests being worked on at once; above it the answer is 503. Default 2048.
    #[arg(long, env = "SHIJI_MAX_REQUESTS", default_value = "2048", value_name = "COUNT", value_parser = count)]
    pub max_requests: usize,

    /// How long one request may take, in milliseconds. Default 30000.
    #[arg(long, env = "SHIJI_REQUEST_TIMEOUT_MS", default_value = "30000", value_name = "MILLISECONDS", value_parser = millis)]
    pub request_timeout_ms: Duration,

    /// How long a client may take to send its request's headers, in milliseconds. Default 10000.
    #[arg(long, env = "SHIJI_HEADER_TIMEOUT_MS", default_value = "10000", value_name = "MILLISECONDS", value_parser = millis)]
    pub header_timeout_ms: Duration,

    /// Largest JSON or form body, in bytes. Default 1048576, 1 MiB.
    #[arg(long, env = "SHIJI_BODY_MAX_BYTES", default_value = "1048576", value_name = "BYTES", value_parser = count)]
    pub body_max_bytes: usize,

    /// How long open requests may take to finish after SIGTERM, in milliseconds. Default 30000.
    #[arg(long, env = "SHIJI_DRAIN_TIMEOUT_MS", default_value = "30000", value_name = "MILLISECONDS", value_parser = millis)]
    pub drain_timeout_ms: Duration,

    /// Append jobs that may wait for the appender; above it commands answer 503. Default 8192.
    #[arg(long, env = "SHIJI_APPEND_QUEUE_JOBS", default_value = "8192", value_name = "COUNT", value_parser = count)]
    pub append_queue_jobs: usize,

    /// Jobs in one append batch. Default 512.
    #[arg(long, env = "SHIJI_APPEND_BATCH_JOBS", default_value = "512", value_name = "COUNT", value_parser = count)]
    pub append_batch_jobs: usize,

    /// Events in one append batch; a single job may be larger. Default 2048.
    #[arg(long, env = "SHIJI_APPEND_BATCH_EVENTS", default_value = "2048", value_name = "COUNT", value_parser = count)]
    pub append_batch_events: usize,

    /// Payload and metadata of one append batch, in bytes; a single job may be larger. Default 4194304, 4 MiB.
    #[arg(long, env = "SHIJI_APPEND_BATCH_BYTES", default_value = "4194304", value_name = "BYTES", value_parser = count)]
    pub append_batch_bytes: usize,

    /// Streams whose state is kept in memory. Default 100000.
    #[arg(long, env = "SHIJI_STATE_CACHE_ENTRIES", default_value = "100000", value_name = "COUNT", value_parser = count)]
    pub state_cache_entries: usize,

    /// How long a command waits for the read tables to show it, in milliseconds. Default 2000.
    #[arg(long, env = "SHIJI_PROJECTION_WAIT_MS", default_value = "2000", value_name = "MILLISECONDS", value_parser = millis)]
    pub projection_wait_ms: Duration,

    /// Events the projector folds in one transaction. Default 2000.
    #[arg(long, env = "SHIJI_PROJECTOR_BATCH_EVENTS", default_value = "2000", value_name = "COUNT", value_parser = count)]
    pub projector_batch_events: usize,

    /// How long the projector's lease holds without being renewed, in milliseconds. Default 2500.
    #[arg(long, env = "SHIJI_LEASE_MS", default_value = "2500", value_name = "MILLISECONDS", value_parser = millis)]
    pub lease_ms: Duration,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people at a terminal.
    Human,
    /// One JSON object a line, for collectors.
    Json,
}

/// One sentence for a value clap refused, naming its key; `None` when the error is about something else (an unknown
/// flag, `--help`), which clap words well itself. The values of secrets are not repeated.
#[must_use]
pub fn sentence(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(refused)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) else {
        return None;
    };
    let flag = refused.split_whitespace().next()?.strip_prefix("--")?;
    let known = Settings::augment_args(Command::new("shiji"));
    let key = known
        .get_arguments()
        .find(|arg| arg.get_long() == Some(flag))?;
    let name = key.get_env()?.to_string_lossy();
    let reason = match (
        std::error::Error::source(error),
        error.get(ContextKind::ValidValue),
    ) {
        (Some(source), _) => source.to_string(),
        (None, Some(valid)) => format!("it must be one of {valid}"),
        (None, None) => "a value is missing".to_owned(),
    };
    Some(if key.is_hide_env_values_set() {
        format!("{name} (--{flag}) cannot be used: {reason}.")
    } else {
        format!("{name} (--{flag}) cannot be \"{value}\": {reason}.")
    })
}

fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("it must be a whole number, 1 or more".to_owned()),
        Ok(number) if number > u32::MAX as usize => Err(format!("it must be at most {}", u32::MAX)),
        Ok(number) => Ok(number),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = count(text).map_err(|reason| format!("{reason}, of seconds"))?;
    Ok(Duration::from_secs(number as u64))
}

/// Zero is "never"; what it means stands with the field.
fn millis(text: &str) -> Result<Duration, String> {
    let number = count(text).map_err(|reason| format!("{reason}, of milliseconds"))?;
    Ok(Duration::from_millis(number as u64))
}

fn named(text: &str) -> Result<String, &'static str> {
    let name = text.trim();
    let is_name = !name.is_empty() && !name.contains('/');
    is_name
        .then(|| name.to_owned())
        .ok_or("it must be a name, without slashes")
}

fn six_digits(text: &str) -> Result<String, &'static str> {
    let digits = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| text.to_owned())
        .ok_or("it must be six digits")
}

fn seconds_or_none(text: &str) -> Result<Duration, String> {
    match text {
        "0" => Ok(Duration::ZERO),
        _ => seconds(text),
    }
}

fn millis_or_none(text: &str) -> Result<Duration, String> {
    match text {
        "0" => Ok(Duration::ZERO),
        _ => millis(text),
    }
}

fn base_url(text: &str) -> Result<String, &'static str> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.trim_matches('/').is_empty() && !rest.contains(char::is_whitespace) => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err("it must begin with http:// or https:// and name a host"),
    }
}

fn database_url(text: &str) -> Result<SecretString, &'static str> {
    if !(text.starts_with("postgres://") || text.starts_with("postgresql://")) {
        return Err("it must look like postgres://user:password@host/database");
    }
    text.parse::<sqlx::postgres::PgConnectOptions>()
        .map(|_| SecretString::from(text))
        .map_err(|_| "it is not a URL that PostgreSQL understands; are special characters percent-encoded?")
}

fn log_filter(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        settings: Settings,
    }

    fn given(args: &[&str]) -> Result<Settings, String> {
        Cli::try_parse_from(["shiji"].iter().chain(args))
            .map(|cli| cli.settings)
            .map_err(|error| sentence(&error).unwrap_or_else(|| error.to_string()))
    }

    #[test]
    fn without_a_word_the_documented_defaults_hold() {
        let settings = given(&[]).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(
            settings.backend_session_ttl_secs,
            Duration::from_secs(86_400)
        );
        assert_eq!(
            settings.community_session_ttl_secs,
            Duration::from_secs(30 * 86_400)
        );
        assert_eq!(settings.sms_fixed_code, None);
        assert_eq!(settings.upload_max_bytes, 10 * 1024 * 1024);
        assert_eq!(settings.order_pay_window_secs, Duration::from_secs(1800));
        assert_eq!(settings.limits.body_max_bytes, 1024 * 1024);
        assert_eq!(settings.limits.projection_wait_ms, Duration::from_secs(2));
    }

    #[test]
    fn an_order_may_wait_for_ever() {
        let settings = given(&["--order-pay-window-secs", "0"]).unwrap();
        assert_eq!(settings.order_pay_window_secs, Duration::ZERO);
        assert!(
            given(&["--order-pay-window-secs=-1"])
                .unwrap_err()
                .contains("SHIJI_ORDER_PAY_WINDOW_SECS")
        );
    }

    #[test]
    fn a_wrong_value_is_one_sentence_that_names_the_key() {
        let refusal = given(&["--upload-max-bytes", "lots"]).unwrap_err();
        assert_eq!(
            refusal,
            "SHIJI_UPLOAD_MAX_BYTES (--upload-max-bytes) cannot be \"lots\": it must be a whole number, 1 or more."
        );
        assert!(
            given(&["--listen", "8000"])
                .unwrap_err()
                .starts_with("SHIJI_LISTEN (--listen) cannot be \"8000\": ")
        );
        assert!(
            given(&["--sms-fixed-code", "12345a"])
                .unwrap_err()
                .ends_with("it must be six digits.")
        );
        assert!(
            given(&["--log-format", "xml"])
                .unwrap_err()
                .contains("SHIJI_LOG_FORMAT")
        );
        assert!(
            given(&["--lease-ms", "0"])
                .unwrap_err()
                .contains("of milliseconds")
        );
    }

    #[test]
    fn a_refused_secret_is_not_repeated() {
        let refusal = given(&["--master-key", "hunter2"]).unwrap_err();
        assert!(
            refusal
                .starts_with("SHIJI_MASTER_KEY (--master-key) cannot be used: it must be 32 bytes"),
            "{refusal}"
        );
        let refusal = given(&["--database-url", "mysql://root:hunter2@db/x"]).unwrap_err();
        assert!(
            refusal.starts_with("DATABASE_URL") && !refusal.contains("hunter2"),
            "{refusal}"
        );
    }

    #[test]
    fn secrets_print_nothing() {
        let hex = "00".repeat(31) + "aB";
        let settings = given(&[
            "--master-key",
            &hex,
            "--database-url",
            "postgres://a:hunter2@db/x",
        ])
        .unwrap();
        let printed = format!("{settings:?}");
        assert!(
            !printed.contains("hunter2") && !printed.contains("171"),
            "{printed}"
        );
    }

    #[test]
    fn every_setting_has_a_flag_an_environment_variable_and_a_help_text() {
        for arg in Settings::augment_args(Command::new("shiji")).get_arguments() {
            let flag = arg.get_long().unwrap();
            let name = arg.get_env().unwrap().to_str().unwrap();
            let words = flag.replace('-', "_").to_uppercase();
            assert!(
                name == words || name == format!("SHIJI_{words}"),
                "{flag} against {name}"
            );
            assert!(arg.get_help().is_some(), "{flag}");
        }
    }
}
