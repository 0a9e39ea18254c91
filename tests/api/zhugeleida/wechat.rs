//! The gateway to WeChat, against a server that answers as WeChat documents it.

use std::collections::HashMap;

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use secrecy::ExposeSecret;
use shiji::gateways::{BadWechat, Wechat, WechatApi, WechatApp, WechatError};
use shiji::settings::WechatSettings;

type Asked = Query<HashMap<String, String>>;

/// What WeChat answers to a code, HTTP 200 and text whatever came of it.
fn answer(code: &str) -> Response {
    let errors = |code: i64, message: &str| format!(r#"{{"errcode":{code},"errmsg":"{message}"}}"#);
    let text = match code {
        "made-up" => errors(40029, "invalid code"),
        "used" => errors(40163, "code been used"),
        "distrusted" => errors(40226, "code blocked"),
        "busy" => errors(-1, "system error"),
        "often" => errors(45011, "api minute-quota reach limit"),
        "misconfigured" => errors(40125, "invalid appsecret"),
        "nonsense" => "<html>".to_owned(),
        "endless" => "x".repeat(1 << 20),
        "down" => return StatusCode::BAD_GATEWAY.into_response(),
        code => format!(r#"{{"openid":"o-{code}","session_key":"k==","unionid":"u","errcode":0}}"#),
    };
    ([("content-type", "text/plain")], text).into_response()
}

async fn wechat() -> String {
    let mini = async |Query(asked): Asked| {
        let right = asked["appid"] == "wx1" && asked["secret"] == "s1";
        assert!(right && asked["grant_type"] == "authorization_code");
        answer(&asked["js_code"])
    };
    let account = async |Query(asked): Asked| {
        assert!(asked["appid"] == "wx2" && asked["secret"] == "s2");
        format!(
            r#"{{"access_token":"t","openid":"a-{}","scope":"snsapi_base"}}"#,
            asked["code"]
        )
    };
    let router = Router::new()
        .route("/sns/jscode2session", get(mini))
        .route("/sns/oauth2/access_token", get(account));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn settings(base: &str) -> WechatSettings {
    WechatSettings {
        wechat_app_id: Some("wx1".to_owned()),
        wechat_secret: Some("s1".into()),
        wechat_oa_app_id: Some("wx2".to_owned()),
        wechat_oa_secret: Some("s2".into()),
        wechat_base_url: base.to_owned(),
    }
}

#[tokio::test]
async fn codes_are_exchanged_with_the_app_they_are_for() {
    let api = WechatApi::configured(&settings(&wechat().await))
        .unwrap()
        .unwrap();
    assert_eq!(api.app_id(), "wx1");
    let login = api
        .exchange(WechatApp::MiniProgram, "a&b 中")
        .await
        .unwrap();
    assert_eq!(login.openid, "o-a&b 中");
    assert_eq!(login.unionid.as_deref(), Some("u"));
    assert_eq!(login.session_key.unwrap().expose_secret(), "k==");
    let login = api.exchange(WechatApp::OfficialAccount, "c").await.unwrap();
    assert_eq!(login.openid, "a-c");
    assert!(login.session_key.is_none() && login.unionid.is_none());
}

#[tokio::test]
async fn a_refusal_is_told_from_a_breakdown() {
    let api = WechatApi::configured(&settings(&wechat().await))
        .unwrap()
        .unwrap();
    for code in ["made-up", "used", "distrusted"] {
        let refused = api.exchange(WechatApp::MiniProgram, code).await;
        assert!(
            matches!(refused, Err(WechatError::Refused { .. })),
            "{code}"
        );
    }
    for code in [
        "busy",
        "often",
        "misconfigured",
        "nonsense",
        "endless",
        "down",
    ] {
        let broken = api.exchange(WechatApp::MiniProgram, code).await;
        assert!(
            matches!(broken, Err(WechatError::Broken { .. })),
            "{code}: {broken:?}"
        );
    }
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let api = WechatApi::configured(&settings(&format!("http://{address}")));
    let away = api
        .unwrap()
        .unwrap()
        .exchange(WechatApp::MiniProgram, "x")
        .await;
    let error = away.unwrap_err();
    assert!(matches!(error, WechatError::Away(_)));
    // The address holds the secret.
    assert!(!format!("{error:?}").contains("s1"), "{error:?}");
}

#[tokio::test]
async fn settings_that_do_not_go_together_stop_the_start() {
    let with = |change: fn(&mut WechatSettings)| {
        let mut settings = settings("http://x");
        change(&mut settings);
        WechatApi::configured(&settings)
    };
    let none = with(|settings| {
        settings.wechat_app_id = None;
        settings.wechat_secret = None;
        settings.wechat_oa_app_id = None;
        settings.wechat_oa_secret = None;
    });
    assert!(none.unwrap().is_none());
    let half = with(|settings| settings.wechat_secret = None);
    let words = half.unwrap_err().to_string();
    assert!(words.contains("SHIJI_WECHAT_APP_ID") && words.contains("SHIJI_WECHAT_SECRET"));
    let half = with(|settings| settings.wechat_oa_app_id = None);
    assert!(matches!(half, Err(BadWechat::Half { .. })));
    let account_only = with(|settings| {
        settings.wechat_app_id = None;
        settings.wechat_secret = None;
    });
    assert!(matches!(account_only, Err(BadWechat::NoMiniProgram)));
    let mini_only = with(|settings| {
        settings.wechat_oa_app_id = None;
        settings.wechat_oa_secret = None;
    });
    let api = mini_only.unwrap().unwrap();
    let refused = api.exchange(WechatApp::OfficialAccount, "x").await;
    assert!(matches!(refused, Err(WechatError::NoSuchApp)));
}
