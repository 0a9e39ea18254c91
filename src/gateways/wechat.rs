//! WeChat: exchanging login codes, and opening what it encrypts for an app.
//!
//! [`WechatApi`] asks the real one, [`StandIn`] is enough for development and tests. [`decrypt_phone_number`] needs neither.

use std::time::Duration;

use aes::Aes128;
use async_trait::async_trait;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use data_encoding::BASE64;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::settings::WechatSettings;

/// How long a connection to WeChat may take to come about.
const CONNECT: Duration = Duration::from_secs(3);
/// How long an exchange may take altogether.
const EXCHANGE: Duration = Duration::from_secs(8);
/// An answer larger than this is none of WeChat's.
const ANSWER_MAX: usize = 64 * 1024;
/// The app id of the stand-in.
const STAND_IN_APP: &str = "wx0000000000000001";
/// The session key of the stand-in: sixteen bytes, 0 to 15.
const STAND_IN_KEY: &str = "AAECAwQFBgcICQoLDA0ODw==";

/// Which kind of app somebody logs in to. Each knows them under another openid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WechatApp {
    /// 公众号.
    OfficialAccount,
    /// 小程序.
    MiniProgram,
}

/// Whom WeChat vouches for.
#[derive(Debug, Clone)]
pub struct WechatLogin {
    /// Who they are to the app.
    pub openid: String,
    /// Who they are to all apps of its owner, where WeChat says so.
    pub unionid: Option<String>,
    /// Opens what WeChat encrypts for the app until the next login; mini-programs only.
    pub session_key: Option<SecretString>,
}

/// Why a code came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum WechatError {
    /// WeChat does not take this code: it is made up, used, run out, or of somebody it distrusts.
    #[error("WeChat refused the code ({code})")]
    Refused {
        /// Its `errcode`.
        code: i64,
    },
    /// No app of this kind is configured.
    #[error("no app of this kind is configured")]
    NoSuchApp,
    /// WeChat could not be reached in time.
    #[error("WeChat cannot be reached")]
    Away(#[source] reqwest::Error),
    /// It answers, but not to the question: it is busy, or our app id or secret is wrong.
    #[error("WeChat answers {code}: {message}")]
    Broken {
        /// Its `errcode`, or the HTTP status.
        code: i64,
        /// Its `errmsg`.
        message: String,
    },
}

/// Exchanges login codes.
#[async_trait]
pub trait Wechat: Send + Sync {
    /// Whose code this is.
    ///
    /// # Errors
    /// [`WechatError`].
    async fn exchange(&self, app: WechatApp, code: &str) -> Result<WechatLogin, WechatError>;

    /// The id of the mini-program, which stands in what WeChat encrypts for it.
    fn app_id(&self) -> &str;
}

/// Needs no network: whoever brings a code is `dev_` and that code. A code that begins with `invalid` is refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct StandIn;

#[async_trait]
impl Wechat for StandIn {
    async fn exchange(&self, app: WechatApp, code: &str) -> Result<WechatLogin, WechatError> {
        if code.starts_with("invalid") {
            return Err(WechatError::Refused { code: 40029 });
        }
        Ok(WechatLogin {
            openid: format!("dev_{code}"),
            unionid: None,
            session_key: (app == WechatApp::MiniProgram).then(|| STAND_IN_KEY.into()),
        })
    }

    fn app_id(&self) -> &str {
        STAND_IN_APP
    }
}

/// An app's id and secret.
#[derive(Debug, Clone)]
struct Credentials {
    app_id: String,
    secret: SecretString,
}

/// WeChat's own API.
#[derive(Debug, Clone)]
pub struct WechatApi {
    http: reqwest::Client,
    base_url: String,
    mini_program: Credentials,
    official_account: Option<Credentials>,
}

/// Settings of WeChat that do not go together.
#[derive(Debug, thiserror::Error)]
pub enum BadWechat {
    /// One half of a pair is missing.
    #[error("{given} is set and {missing} is not: WeChat asks for both")]
    Half {
        /// The key that is set.
        given: &'static str,
        /// The key that is not.
        missing: &'static str,
    },
    /// The mini-program's credentials are missing.
    #[error(
        "SHIJI_WECHAT_OA_APP_ID is set and SHIJI_WECHAT_APP_ID is not: it is a mini-program that logs in here"
    )]
    NoMiniProgram,
    /// There is no HTTP client to be had.
    #[error("no HTTP client for WeChat: {0}")]
    Client(#[from] reqwest::Error),
}

/// What `sns/jscode2session` and `sns/oauth2/access_token` answer: with HTTP 200 whatever came of it.
#[derive(Deserialize)]
struct Exchanged {
    openid: Option<String>,
    unionid: Option<String>,
    session_key: Option<String>,
    #[serde(default)]
    errcode: i64,
    #[serde(default)]
    errmsg: String,
}

impl WechatApi {
    /// As the operator configured it; `None` when no app is named.
    ///
    /// # Errors
    /// [`BadWechat`].
    pub fn configured(settings: &WechatSettings) -> Result<Option<Self>, BadWechat> {
        let mini_program = pair(
            ("SHIJI_WECHAT_APP_ID", settings.wechat_app_id.as_ref()),
            ("SHIJI_WECHAT_SECRET", settings.wechat_secret.as_ref()),
        )?;
        let official_account = pair(
            ("SHIJI_WECHAT_OA_APP_ID", settings.wechat_oa_app_id.as_ref()),
            ("SHIJI_WECHAT_OA_SECRET", settings.wechat_oa_secret.as_ref()),
        )?;
        let Some(mini_program) = mini_program else {
            return match official_account {
                None => Ok(None),
                Some(_) => Err(BadWechat::NoMiniProgram),
            };
        };
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(EXCHANGE)
            .build()?;
        Ok(Some(Self {
            http,
            base_url: settings.wechat_base_url.clone(),
            mini_program,
            official_account,
        }))
    }

    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Exchanged, WechatError> {
        // The address holds the secret, so no error may carry it.
        let away = |error: reqwest::Error| WechatError::Away(error.without_url());
        let request = self
            .http
            .get(format!("{}{path}", self.base_url))
            .query(query);
        let mut response = request.send().await.map_err(away)?;
        let broken = |message: &str| WechatError::Broken {
            code: response.status().as_u16().into(),
            message: message.to_owned(),
        };
        if !response.status().is_success() {
            return Err(broken("no answer"));
        }
        let (too_large, unreadable) = (broken("too large an answer"), broken("no JSON"));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(away)? {
            if body.len() + chunk.len() > ANSWER_MAX {
                return Err(too_large);
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|_| unreadable)
    }
}

fn pair(
    (id_key, app_id): (&'static str, Option<&String>),
    (secret_key, secret): (&'static str, Option<&SecretString>),
) -> Result<Option<Credentials>, BadWechat> {
    let half = |given, missing| Err(BadWechat::Half { given, missing });
    match (app_id, secret) {
        (None, None) => Ok(None),
        (Some(_), None) => half(id_key, secret_key),
        (None, Some(_)) => half(secret_key, id_key),
        (Some(app_id), Some(secret)) => Ok(Some(Credentials {
            app_id: app_id.clone(),
            secret: secret.clone(),
        })),
    }
}

#[async_trait]
impl Wechat for WechatApi {
    async fn exchange(&self, app: WechatApp, code: &str) -> Result<WechatLogin, WechatError> {
        let (path, code_key, credentials) = match app {
            WechatApp::MiniProgram => ("/sns/jscode2session", "js_code", &self.mini_program),
            WechatApp::OfficialAccount => {
                let credentials = self.official_account.as_ref();
                let credentials = credentials.ok_or(WechatError::NoSuchApp)?;
                ("/sns/oauth2/access_token", "code", credentials)
            }
        };
        let query = [
            ("appid", credentials.app_id.as_str()),
            ("secret", credentials.secret.expose_secret()),
            (code_key, code),
            ("grant_type", "authorization_code"),
        ];
        login(self.ask(path, &query).await?)
    }

    fn app_id(&self) -> &str {
        &self.mini_program.app_id
    }
}

/// Reads WeChat's answer. Its codes: 40029 no such code, 40163 a used one, 41008 none, 40226 somebody it distrusts.
fn login(answer: Exchanged) -> Result<WechatLogin, WechatError> {
    match (answer.errcode, answer.openid) {
        (0, Some(openid)) if !openid.is_empty() => Ok(WechatLogin {
            openid,
            unionid: answer.unionid.filter(|id| !id.is_empty()),
            session_key: answer.session_key.map(SecretString::from),
        }),
        (code @ (40029 | 40163 | 40226 | 41008), _) => Err(WechatError::Refused { code }),
        (code, _) => Err(WechatError::Broken {
            code,
            message: answer.errmsg,
        }),
    }
}

/// A phone number as WeChat hands it over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PhoneNumber {
    /// With the dialling code where it is a foreign one.
    pub phone_number: String,
    /// Without it.
    pub pure_phone_number: String,
    /// The dialling code.
    pub country_code: String,
    /// For which app, and when.
    pub watermark: Watermark,
}

/// For which app WeChat encrypted something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Watermark {
    /// The app's id.
    pub appid: String,
    /// Unix seconds.
    pub timestamp: i64,
}

/// What does not open with this session key, or is not meant for this app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not open with the session key of the last login")]
pub struct DoesNotDecrypt;

/// Opens a phone number: AES-128-CBC under the session key, PKCS#7, all three texts Base64. A `+` that became a blank on
/// its way through a form is one again.
///
/// # Errors
/// [`DoesNotDecrypt`], whatever the reason.
pub fn decrypt_phone_number(
    session_key: &SecretString,
    iv: &str,
    encrypted_data: &str,
    app_id: &str,
) -> Result<PhoneNumber, DoesNotDecrypt> {
    let key = sixteen(session_key.expose_secret())?;
    let iv = sixteen(iv)?;
    let mut bytes = base64(encrypted_data)?;
    let cipher = Decryptor::<Aes128>::new(&key.into(), &iv.into());
    let clear = cipher.decrypt_padded::<Pkcs7>(&mut bytes);
    let clear = clear.map_err(|_| DoesNotDecrypt)?;
    let number: PhoneNumber = serde_json::from_slice(clear).map_err(|_| DoesNotDecrypt)?;
    (number.watermark.appid == app_id)
        .then_some(number)
        .ok_or(DoesNotDecrypt)
}

fn sixteen(text: &str) -> Result<[u8; 16], DoesNotDecrypt> {
    base64(text)?.try_into().map_err(|_| DoesNotDecrypt)
}

fn base64(text: &str) -> Result<Vec<u8>, DoesNotDecrypt> {
    // A blank at an end is a `+`, too.
    let repaired = text.trim_matches(['\r', '\n', '\t']).replace(' ', "+");
    BASE64
        .decode(repaired.as_bytes())
        .map_err(|_| DoesNotDecrypt)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IV: &str = "EBESExQVFhcYGRobHB0eHw==";
    const DATA: &str = "aLhedzo+Z6es5zW+YHo9susiHnaEYeAkbZXA6vB3xXwsEHApbzM53NsvIVPS8sbzE9Tu3cKoosCIaJ9ReH9c7q8xI4AFlJ8HTHrrdVC0WzSFVEG+Q/SUBzVOfvRAiCzgGyk41crKJqYp02wi9Lj8YtSJqTdft/1+x0ANMaJYT64g1SA6b2ybhAR4XZK01o+yBv8+kKREsLCUIAw6xiBL8Q==";

    fn decrypt(key: &str, iv: &str, data: &str, app: &str) -> Result<PhoneNumber, DoesNotDecrypt> {
        decrypt_phone_number(&key.into(), iv, data, app)
    }

    #[test]
    fn the_documented_vector_opens() {
        let number = decrypt(STAND_IN_KEY, IV, DATA, STAND_IN_APP).unwrap();
        assert_eq!(number.phone_number, "13800138000");
        assert_eq!(number.pure_phone_number, "13800138000");
        assert_eq!(number.country_code, "86");
        assert_eq!(number.watermark.timestamp, 1_528_871_213);
        let through_a_form = DATA.replace('+', " ");
        assert_eq!(
            decrypt(STAND_IN_KEY, IV, &through_a_form, STAND_IN_APP),
            Ok(number)
        );
    }

    #[test]
    fn a_plus_that_became_a_blank_is_one_again_at_either_end_too() {
        assert_eq!(base64(" 0A "), base64("+0A+"));
        assert_eq!(base64("+0A+\r\n").unwrap(), [0xfb, 0x40, 0x3e]);
    }

    #[test]
    fn nothing_else_opens() {
        let zeros = "AAAAAAAAAAAAAAAAAAAAAA==";
        for (key, iv, data, app) in [
            (zeros, IV, DATA, STAND_IN_APP),
            (STAND_IN_KEY, zeros, DATA, STAND_IN_APP),
            (STAND_IN_KEY, IV, &DATA[..64], STAND_IN_APP),
            (STAND_IN_KEY, IV, DATA, "wx0000000000000002"),
            (STAND_IN_KEY, "AAAA", DATA, STAND_IN_APP),
            ("AAAA", IV, DATA, STAND_IN_APP),
            (STAND_IN_KEY, IV, "?", STAND_IN_APP),
            (STAND_IN_KEY, IV, "", STAND_IN_APP),
        ] {
            let opened = decrypt(key, iv, data, app);
            assert_eq!(opened, Err(DoesNotDecrypt), "{key} {iv} {data} {app}");
        }
    }

    #[tokio::test]
    async fn the_stand_in_knows_everybody_but_the_invalid() {
        let login = StandIn.exchange(WechatApp::MiniProgram, "x").await.unwrap();
        assert_eq!(login.openid, "dev_x");
        assert_eq!(login.session_key.unwrap().expose_secret(), STAND_IN_KEY);
        let login = StandIn.exchange(WechatApp::OfficialAccount, "x").await;
        assert!(login.unwrap().session_key.is_none());
        let refused = StandIn.exchange(WechatApp::MiniProgram, "invalid1").await;
        assert!(matches!(refused, Err(WechatError::Refused { .. })));
    }
}
