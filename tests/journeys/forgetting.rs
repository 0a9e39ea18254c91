//! A member and a customer want to be forgotten: one by the staff endpoint, one by the command line. Then everything the
//! database holds is searched for them.

use std::collections::BTreeSet;
use std::iter;

use reqwest::Method;
use serde_json::{Value, json};
use shiji::api::zhugeleida::rand_str;
use shiji::ledger::Clock;
use shiji::postgres::private;
use sqlx::{ConnectOptions, PgConnection};

use super::client::Client;
use super::node::Node;
use super::{Folder, answer, shiji, words};

/// Every SMS code of this node.
const CODE: &str = "246810";
const IMAGE: &str = "e4cbdd56-855a-11ee-bcb6-5785abdd6148.jpeg";
const AVATAR: &str = "0b0e1d6c-855a-11ee-bcb6-5785abdd6148.png";
/// WeChat's, under the session key of the stand-in: 13800138000.
const PHONE: &str = "aLhedzo+Z6es5zW+YHo9susiHnaEYeAkbZXA6vB3xXwsEHApbzM53NsvIVPS8sbzE9Tu3cKoosCIaJ9ReH9c7q8xI4AFlJ8HTHrrdVC0WzSFVEG+Q/SUBzVOfvRAiCzgGyk41crKJqYp02wi9Lj8YtSJqTdft/1+x0ANMaJYT64g1SA6b2ybhAR4XZK01o+yBv8+kKREsLCUIAw6xiBL8Q==";
const IV: &str = "EBESExQVFhcYGRobHB0eHw==";

/// What was told of the member …
const MEMBER: [&str; 7] = [
    "13987654321",
    "赵钱孙李",
    "zhaoqian@example.com",
    AVATAR,
    "青岛市南区",
    "信里的悄悄话",
    "我喜欢踏青",
];
/// … and of the customer.
const CUSTOMER: [&str; 5] = [
    "13800138000",
    "周吴郑王",
    "https://wx.qlogo.cn/zhouwu",
    "聊天里的悄悄话",
    "the-form-id-of-zhouwu",
];
/// What stays: published.
const ARTICLE: &str = "公开发表的春日文章";

struct Web {
    http: reqwest::Client,
    base: String,
}

impl Web {
    /// A function of the community that succeeds; answers its body.
    async fn community(&self, token: &str, name: &str, body: Value) -> Value {
        let url = format!("{}/community/api/v1/{name}", self.base);
        let request = self.http.post(url).bearer_auth(token);
        let request = request.header("idempotency-key", format!("{name}-1"));
        let (_, answer) = Client::send(request.json(&body)).await;
        assert_eq!(answer["code"], 0, "{name}: {answer}");
        answer
    }

    async fn sign_up(&self, phone: &str) -> (String, String) {
        let code = json!({ "phone": phone });
        self.community("", "send_sms_code", code).await;
        let body = json!({ "phone": phone, "code": CODE, "password": "correct horse" });
        let answer = self.community("", "user_signup", body).await;
        let text = |field: &str| answer[field].as_str().unwrap().to_owned();
        (text("uid"), text("token"))
    }

    /// A call of the mini-program that succeeds; answers its data.
    async fn mini(
        &self,
        method: Method,
        path: &str,
        signer: Option<(i64, &str)>,
        body: Value,
    ) -> Value {
        let mut url = format!("{}/zhugeleida/{path}", self.base);
        if let Some((id, token)) = signer {
            let now = Clock::system().now().timestamp_millis().to_string();
            let sign = rand_str(&now, token);
            url = format!("{url}?user_id={id}&timestamp={now}&rand_str={sign}");
        }
        let request = self.http.request(method, url).json(&body);
        let (_, answer) = Client::send(request).await;
        assert_eq!(answer["code"], 200, "{path}: {answer}");
        answer["data"].clone()
    }
}

/// Everything the member does; answers their uid.
async fn live_as_member(web: &Web, staff: &Client) -> String {
    let (uid, token) = web.sign_up(MEMBER[0]).await;
    let (friend, _) = web.sign_up("13712345678").await;
    let profile = json!({
        "nickname": MEMBER[1], "email": MEMBER[2], "avatar": AVATAR, "city": MEMBER[4], "intro": MEMBER[6],
    });
    web.community(&token, "my_user_info_update", profile).await;
    let message = json!({ "to_uid": friend, "content": MEMBER[5] });
    web.community(&token, "send_message_to_user", message).await;
    let article = json!({ "content": ARTICLE });
    web.community(&token, "article_publish", article).await;
    let id = |data: &Value| data["id"].as_str().unwrap().to_owned();
    let master = json!({ "CreateMaster": { "name": "达人" } });
    let master = id(&staff.staff("Master/new", &master).await);
    let project =
        json!({ "CreateProject": { "master_id": master, "name": "项目", "image": IMAGE } });
    let project = id(&staff.staff("Project/new", &project).await);
    let issue = json!({ "IssueTickets": { "count": 1, "name": "票", "image": IMAGE, "intro": "票简介", "price": 1999 } });
    let issued = staff.staff(&format!("Project/{project}"), &issue).await;
    let order = json!({ "ticket_id_list": issued["ticket_ids"] });
    web.community(&token, "order_create", order).await;
    uid
}

/// Everything the customer does; answers their id.
async fn live_as_customer(web: &Web, staff: &Client) -> i64 {
    let company = json!({ "CreateCompany": { "name": "北京打铁的信息科技" } });
    let company = staff.staff("Company/new", &company).await;
    let company: i64 = company["id"].as_str().unwrap().parse().unwrap();
    let card = json!({ "CreateCard": { "company_id": company, "username": "张聪" } });
    let card = staff.staff("Card/new", &card).await;
    let card: i64 = card["id"].as_str().unwrap().parse().unwrap();
    let login = "xiaochengxu/login?code=c&source=1&user_type=2";
    let login = web.mini(Method::GET, login, None, json!({})).await;
    let (id, token) = (
        login["user_id"].as_i64().unwrap(),
        login["token"].as_str().unwrap().to_owned(),
    );
    let me = Some((id, token.as_str()));
    let profile = json!({
        "username": CUSTOMER[1], "headimgurl": CUSTOMER[2], "city": "", "country": "中国", "province": "北京",
        "language": "zh_CN"
    });
    let post = Method::POST;
    let path = "xiaochengxu/login/send_user_info";
    web.mini(post.clone(), path, me, profile).await;
    let path = "xiaochengxu/login/send_form_id";
    web.mini(post.clone(), path, me, json!({ "formId": CUSTOMER[4] }))
        .await;
    let said = json!({ "u_id": card, "content": CUSTOMER[3] });
    let path = "qiyeweixin/chat/send_msg/0";
    web.mini(post.clone(), path, me, said).await;
    let phone = json!({ "u_id": card, "encryptedData": PHONE, "iv": IV });
    let path = "xiaochengxu/chat/encrypted_phone_number/0";
    web.mini(post, path, me, phone).await;
    id
}

/// The tables of every schema in which a text is found, as it is or as bytes.
async fn found(db: &mut PgConnection, text: &str) -> BTreeSet<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'm', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')",
    )
    .fetch_all(&mut *db)
    .await
    .unwrap();
    assert!(tables.len() > 50, "{tables:?}");
    let bytes = data_encoding::HEXLOWER.encode(text.as_bytes());
    let mut found = BTreeSet::new();
    for table in tables {
        let sql = format!(
            "SELECT EXISTS (SELECT FROM {table} t WHERE strpos(t::text, $1) > 0 OR strpos(t::text, $2) > 0)"
        );
        let there = sqlx::query_scalar(&sql).bind(text).bind(&bytes);
        if there.fetch_one(&mut *db).await.unwrap() {
            found.insert(table);
        }
    }
    found
}

/// Exit code and what was printed.
fn asked(folder: &Folder, words_of: &[&str]) -> (Option<i32>, String) {
    let output = answer(shiji(&folder.data()).args(words_of));
    let said = format!("{}{}", words(&output.stdout), words(&output.stderr));
    (output.status.code(), said)
}

async fn forgotten(db: &mut PgConnection) {
    for text in MEMBER.iter().chain(&CUSTOMER) {
        assert_eq!(found(db, text).await, BTreeSet::new(), "{text}");
    }
}

/// Makes tables that stand aside: kept to go back to, left by a rebuild, and those of before for an auditor. Answers what
/// their schemas end in.
fn set_aside(folder: &Folder) -> [String; 3] {
    let rebuild = |more: &[&str]| {
        let (code, said) = asked(
            folder,
            &[&["projections", "rebuild", "--all"][..], more].concat(),
        );
        assert_eq!(code, Some(0), "{said}");
    };
    rebuild(&[]);
    rebuild(&["--stop-before", "switch"]);
    let (_, head) = asked(folder, &["audit", "head"]);
    let position = head.split(['-', ':']).nth(1).unwrap();
    rebuild(&["--as-of", position]);
    [
        "__old".to_owned(),
        "__shadow".to_owned(),
        format!("__as_of_{position}"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_people_who_were_forgotten_and_the_log_stands() {
    let folder = Folder::new();
    let node = Node::start_with(&folder, "node", |command| {
        command.env("SHIJI_SMS_FIXED_CODE", CODE);
    })
    .await;
    let staff = node.client().await;
    let web = Web {
        http: reqwest::Client::new(),
        base: format!("http://{}", node.public),
    };
    let member = live_as_member(&web, &staff).await;
    let member = format!("Account:community:{member}");
    let customer = format!("Customer:{}", live_as_customer(&web, &staff).await);

    let slots = set_aside(&folder);
    let mut db = private::running(&folder.data(), "shiji")
        .unwrap()
        .connect()
        .await
        .unwrap();
    // The search finds what is there, in all four sets of tables.
    for (text, table) in [
        (MEMBER[0], "members_v1"),
        (MEMBER[5], "messages_v1"),
        (CUSTOMER[0], "messages_v1"),
        (CUSTOMER[1], "customers_v1"),
        (CUSTOMER[4], "customers_v1"),
    ] {
        let tables = found(&mut db, text).await;
        for slot in iter::once("").chain(slots.iter().map(String::as_str)) {
            let schema = format!("{table}{slot}.");
            assert!(
                tables.iter().any(|name| name.starts_with(&schema)),
                "{text}: {tables:?}"
            );
        }
    }

    // First they are given what there is of them.
    for (person, texts) in [(&member, &MEMBER[..]), (&customer, &CUSTOMER[..])] {
        let (code, export) = asked(&folder, &["audit", "export", "--person", person]);
        assert_eq!(code, Some(0), "{export}");
        for text in texts {
            assert!(export.contains(text), "{text}: {export}");
        }
        assert!(!export.contains("$argon2"), "{export}");
    }
    let (_, export) = asked(&folder, &["audit", "export", "--person", &member]);
    for made in ["ArticlePublished", "OrderPlaced", "MessageSent"] {
        assert!(export.contains(made), "{made}: {export}");
    }

    let erase = staff.admin(&format!("/persons/{member}/erase"));
    let (status, body) = Client::send(erase).await;
    assert_eq!((status, &body["code"]), (200, &json!(0)), "{body}");
    let receipt = &body["data"];
    assert!(receipt["receipts"].as_u64().unwrap() >= 3, "{receipt}");
    let aside = receipt["aside"].as_array().unwrap();
    for slot in &slots {
        let schema = json!(format!("members_v1{slot}"));
        assert!(aside.contains(&schema), "{receipt}");
    }

    let (code, said) = asked(&folder, &["audit", "erase", &customer]);
    assert_eq!(code, Some(2), "nobody is there to say yes: {said}");
    assert!(!found(&mut db, CUSTOMER[1]).await.is_empty());
    let (code, said) = asked(&folder, &["audit", "erase", &customer, "--yes", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let receipt: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(receipt["wechat_sessions"], 1);
    let sealed = receipt["events"].as_array().unwrap();
    assert!(
        sealed
            .iter()
            .any(|line| line["type"] == "CustomerPhoneCaptured"),
        "{receipt}"
    );
    let left = receipt["tables"].as_array().unwrap().iter();
    assert!(left.clone().all(|table| table["left"] == 0), "{receipt}");
    assert_eq!(
        asked(&folder, &["audit", "erase", "Customer:999", "--yes"]).0,
        Some(1)
    );

    forgotten(&mut db).await;
    assert!(
        !found(&mut db, ARTICLE).await.is_empty(),
        "what was published stays"
    );

    // The log stands, and read tables made from it are the same.
    let (code, said) = asked(&folder, &["audit", "verify"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = asked(&folder, &["audit", "replay"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = asked(&folder, &["projections", "rebuild", "--all", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let rebuilt: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(rebuilt["compared"]["differing"], 0, "{rebuilt}");
    let (code, said) = asked(&folder, &["projections", "rollback", "members", "messages"]);
    assert_eq!(code, Some(0), "{said}");
    forgotten(&mut db).await;

    let (_, export) = asked(&folder, &["audit", "export", "--person", &member]);
    assert!(MEMBER.iter().all(|text| !export.contains(text)), "{export}");
    node.stop().await;
}
