//! A node that answers as of a position: what all surfaces answered then, and no command.

use axum::body::Bytes;
use axum::http::StatusCode;
use serde_json::{Value, json};
use shiji::api::zhugeleida::rand_str;
use shiji::cli::demo::{mini_program, showcases, teams};

use crate::support::service::{Call, Door, Member, PASSWORD, Reply, Service};

const TASKS: &str = "/backend/api/v1";
const X: &str = "/zhugeleida/xiaochengxu";

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = (self.0)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % end
    }
}

/// A request, by whoever it is.
struct Wish {
    method: &'static str,
    path: String,
    token: Option<String>,
    body: Option<Value>,
}

impl Wish {
    async fn at(&self, door: &Door) -> Reply {
        let method = self.method.parse().unwrap();
        let call: Call<'_> = door.call(method, &self.path);
        let call = match &self.token {
            Some(token) => call.header("authorization", token.clone()),
            None => call,
        };
        match &self.body {
            Some(body) => call.json(body).send().await,
            None => call.send().await,
        }
    }
}

/// What a store with something on every surface is asked and told.
struct House {
    service: Service,
    staff: String,
    members: [Member; 3],
    team_token: String,
    /// `user_id`, `timestamp` and `rand_str` of a customer.
    signature: String,
    uid: i64,
    company: i64,
    dice: Dice,
}

impl House {
    async fn open(seed: u64) -> Self {
        let service = Service::start().await;
        let desk = service.app.desk();
        mini_program::fill(desk).await.unwrap();
        teams::fill(desk).await.unwrap();
        showcases::fill(desk).await.unwrap();
        service.staff("root", 1, 0).await;
        let staff = service.log_in("root").await;
        let open = json!({ "OpenSession": { "realm": "xdua", "account_id": "Dt5mvrtU" } });
        let opened = service.post("/admin/commands/Session/new").token(&staff);
        let opened = opened.json(&open).send().await.json();
        let team_token = opened["data"]["token"].as_str().unwrap().to_owned();
        let login = format!("{X}/login?code=demo1&source=1&user_type=2");
        let login = service.get(&login).send().await.json();
        let (id, token) = (&login["data"]["user_id"], &login["data"]["token"]);
        let now = service.app.now().timestamp_millis().to_string();
        let sign = rand_str(&now, token.as_str().unwrap());
        let signature = format!("user_id={id}&timestamp={now}&rand_str={sign}");
        let (uid, company): (i64, i64) =
            sqlx::query_as("SELECT uid, company_id FROM cards ORDER BY uid LIMIT 1")
                .fetch_one(service.app.reads())
                .await
                .unwrap();
        let members = [
            service.member("春风").await,
            service.member("秋月").await,
            service.member("夏雨").await,
        ];
        Self {
            service,
            staff,
            members,
            team_token,
            signature,
            uid,
            company,
            dice: Dice(seed),
        }
    }

    fn of_staff(&self, method: &'static str, path: &str, body: Option<Value>) -> Wish {
        Wish {
            method,
            path: path.to_owned(),
            token: Some(format!("Bearer {}", self.staff)),
            body,
        }
    }

    fn of_member(&self, member: usize, name: &str, body: Value) -> Wish {
        Wish {
            method: "POST",
            path: format!("/community/api/v1/{name}"),
            token: Some(format!("Bearer {}", self.members[member].token)),
            body: Some(body),
        }
    }

    fn of_customer(&self, path: &str, more: &str) -> Wish {
        Wish {
            method: "GET",
            path: format!("/zhugeleida{path}?{}{more}", self.signature),
            token: None,
            body: None,
        }
    }

    /// Queries of all surfaces: lists, pages of them, details, flags and counts of the caller.
    fn questions(&self) -> Vec<Wish> {
        let mut wishes = vec![
            self.of_staff("GET", &format!("{TASKS}/tasks?limit=100"), None),
            self.of_staff("GET", &format!("{TASKS}/tasks?limit=3&offset=2"), None),
            self.of_staff("GET", &format!("{TASKS}/hola"), None),
            Wish {
                method: "GET",
                path: "/weidu/api/v1/cases/list?per_page=20".to_owned(),
                token: None,
                body: None,
            },
            Wish {
                method: "GET",
                path: "/obj?order=key:DESC".to_owned(),
                token: Some(self.team_token.clone()),
                body: None,
            },
        ];
        for id in 1..=8 {
            wishes.push(self.of_staff("GET", &format!("{TASKS}/task?id={id}"), None));
            wishes.push(self.of_staff("GET", &format!("/admin/state/Task/{id}"), None));
            wishes.push(self.of_staff("GET", &format!("/admin/streams/Task/{id}"), None));
            let article = json!({ "article_id": id });
            for name in ["article_detail", "article_comment_list"] {
                wishes.push(self.of_member(0, name, article.clone()));
            }
        }
        wishes.push(self.of_staff("GET", "/admin/events?aggregate=Article&limit=500", None));
        for member in 0..self.members.len() {
            for name in [
                "article_list",
                "my_article_list",
                "my_article_collect_list",
                "following_article_list",
                "my_follower",
                "my_following_users",
                "my_message_center",
                "my_user_info",
            ] {
                wishes.push(self.of_member(member, name, json!({ "limit": 100 })));
            }
            let other = json!({ "to_uid": self.members[(member + 1) % 3].uid });
            wishes.push(self.of_member(member, "user_info", other));
        }
        let (card, house) = (
            format!("&uid={}", self.uid),
            format!("&company_id={}", self.company),
        );
        let both = format!("{card}{house}");
        for (path, more) in [
            ("/xiaochengxu/mingpian/all", ""),
            ("/xiaochengxu/mingpian/create_poster", card.as_str()),
            ("/xiaochengxu/product/product_list/", card.as_str()),
            ("/xiaochengxu/case_manage/case_list", both.as_str()),
            ("/xiaochengxu/case_tag/top_search_tag_list", both.as_str()),
            (
                "/xiaochengxu/case_manage/collection_case_list_record",
                both.as_str(),
            ),
        ] {
            wishes.push(self.of_customer(path, more));
        }
        wishes
    }

    /// Something happens, or is refused: whatever the dice say.
    fn command(&mut self) -> Wish {
        let kind = self.dice.below(16);
        let task = 1 + self.dice.below(8);
        let article = 1 + self.dice.below(6);
        let member = usize::try_from(self.dice.below(3)).unwrap();
        let other = self.members[(member + 1) % 3].uid.clone();
        let about = json!({ "article_id": article });
        let say = |dice: &mut Dice| format!("话 {}", dice.below(1_000_000));
        match kind {
            0..=2 => {
                let note = say(&mut self.dice);
                let body = json!({ "type": "image", "priority": 3, "input": "in", "note": note });
                self.of_staff("POST", &format!("{TASKS}/task"), Some(body))
            }
            3 => {
                let body = json!({ "id": task, "status": 1 + self.dice.below(4) });
                self.of_staff("PUT", &format!("{TASKS}/task/status"), Some(body))
            }
            4 => {
                let body = json!({ "id": task, "note": say(&mut self.dice) });
                self.of_staff("PUT", &format!("{TASKS}/task"), Some(body))
            }
            5 => {
                let body = json!({ "ids": [task] });
                self.of_staff("DELETE", &format!("{TASKS}/task"), Some(body))
            }
            6 | 7 => {
                let body = json!({ "content": say(&mut self.dice) });
                self.of_member(member, "article_publish", body)
            }
            8 => self.of_member(member, "article_like", about),
            9 => self.of_member(member, "article_unlike", about),
            10 => self.of_member(member, "article_collect", about),
            11 => {
                let body = json!({ "article_id": article, "content": say(&mut self.dice) });
                self.of_member(member, "article_comment_publish", body)
            }
            12 => self.of_member(member, "user_follow", json!({ "to_uid": other })),
            13 => {
                let body = json!({ "to_uid": other, "content": say(&mut self.dice) });
                self.of_member(member, "send_message_to_user", body)
            }
            14 => {
                let body = json!({ "nickname": say(&mut self.dice) });
                self.of_member(member, "my_user_info_update", body)
            }
            _ => self.of_member(
                member,
                "article_del",
                json!({ "article_id_list": [article] }),
            ),
        }
    }

    async fn live(&mut self, commands: usize) {
        for _ in 0..commands {
            let reply = self.command().at(&self.service).await;
            assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        }
    }

    /// What it answers now, and where the log stands.
    async fn remember(&self) -> (i64, Vec<(StatusCode, Bytes)>) {
        let position = self.service.head().await;
        let mut answers = Vec::new();
        for wish in self.questions() {
            let reply = wish.at(&self.service).await;
            assert_eq!(reply.header("x-pending"), None, "{}", wish.path);
            answers.push((reply.status, reply.body));
        }
        assert_eq!(self.service.head().await, position, "a question wrote");
        (position, answers)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_position_answers_byte_for_byte_what_was_answered_then() {
    let seed = rand::random();
    println!("the seed is {seed}");
    let mut house = House::open(seed).await;
    let mut moments = Vec::new();
    for _ in 0..3 {
        house.live(40).await;
        moments.push(house.remember().await);
    }
    house.live(40).await;
    let (head, now) = house.remember().await;
    let questions = house.questions();
    for (position, then) in &moments {
        let node = house.service.as_of(*position).await;
        let mark = house.service.ledger.mark(*position).to_string();
        for (wish, (status, body)) in questions.iter().zip(then) {
            let reply = wish.at(&node).await;
            assert_eq!(reply.status, *status, "{}: {reply:?}", wish.path);
            assert_eq!(&reply.body, body, "{} as of {position}", wish.path);
            assert_eq!(reply.header("x-as-of"), Some(&*mark), "{}", wish.path);
            assert_eq!(reply.header("x-pending"), None, "{}", wish.path);
        }
        assert!(then.iter().zip(&now).filter(|(a, b)| a != b).count() > 5);
        for _ in 0..40 {
            let wish = house.command();
            let reply = wish.at(&node).await;
            assert_ne!(reply.json()["code"], 0, "{}: {reply:?}", wish.path);
            assert!(!reply.status.is_success() || reply.json()["code"] != 0);
            assert_ne!(reply.status, StatusCode::INTERNAL_SERVER_ERROR, "{reply:?}");
        }
        assert_eq!(house.service.head().await, head);
    }
    // The service beside them went on all the time.
    house.live(5).await;
    assert_eq!(house.remember().await.1.len(), now.len());
}

/// Asserts a refusal that is the surface's for "not now", without an invitation to come back.
#[track_caller]
fn assert_not_here(reply: &Reply, body: &Value) {
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{reply:?}");
    let found = reply.json();
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&found[name], value, "{found}");
    }
    assert_eq!(reply.header("retry-after"), None);
    assert!(reply.header("x-as-of").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_refused_in_the_words_of_each_surface_and_leave_nothing_behind() {
    let mut house = House::open(1).await;
    house.live(30).await;
    let member = &house.members[0];
    let publish = json!({ "content": "有" });
    let published = house.of_member(0, "article_publish", publish.clone());
    let article_id = published.at(&house.service).await.json()["article_id"].clone();
    // Said again, these would add nothing to the log and be answered as done.
    let like = house.of_member(0, "article_like", json!({ "article_id": article_id }));
    assert_eq!(like.at(&house.service).await.json()["code"], 0);
    let create = json!({ "type": "image", "priority": 3, "input": "in" });
    let keyed = async |door: &Door| {
        let call = door.post(&format!("{TASKS}/task")).token(&house.staff);
        let call = call.header("idempotency-key", "k-1").json(&create);
        call.send().await
    };
    assert_eq!(keyed(&house.service).await.json()["code"], 0);
    let position = house.service.head().await;
    let (files, sms) = (house.service.stored_files(), house.service.sms.count());
    let node = house.service.as_of(position).await;
    let busy = json!({ "code": 503, "msg": "服务繁忙" });

    // The back office: its commands, logging in with the right word or a wrong one, uploads.
    let tasks = house.of_staff("POST", &format!("{TASKS}/task"), Some(create.clone()));
    assert_not_here(&tasks.at(&node).await, &busy);
    assert_not_here(&keyed(&node).await, &busy);
    let delete = house.of_staff(
        "DELETE",
        &format!("{TASKS}/task"),
        Some(json!({ "ids": [1] })),
    );
    assert_not_here(&delete.at(&node).await, &busy);
    for password in [PASSWORD, "a wrong one"] {
        let login = json!({ "name": "root", "password": password });
        let login = node
            .post(&format!("{TASKS}/login"))
            .json(&login)
            .send()
            .await;
        assert_not_here(&login, &busy);
    }
    let upload = node.post(&format!("{TASKS}/upload")).token(&house.staff);
    let upload = upload.file("file", b"\x89PNG\r\n\x1a\n").send().await;
    assert_eq!(upload.status, StatusCode::SERVICE_UNAVAILABLE);

    // Staff commands, with an id that would have to be made first and without.
    let named = json!({ "error": "overloaded", "code": 503 });
    for (to, command) in [
        (
            "Tag/new",
            json!({ "CreateTag": { "company_id": house.company, "name": "标" } }),
        ),
        ("Company/new", json!({ "CreateCompany": { "name": "新" } })),
        (
            &*format!("Article/{article_id}"),
            json!({ "DeleteArticle": { "reason": "x" } }),
        ),
    ] {
        let path = format!("/admin/commands/{to}");
        let reply = house.of_staff("POST", &path, Some(command)).at(&node).await;
        assert_not_here(&reply, &named);
    }

    // The community: plain commands, those that are counted first, and codes by SMS.
    for (name, body) in [
        ("article_publish", publish),
        ("article_like", json!({ "article_id": article_id })),
        (
            "send_message_to_user",
            json!({ "to_uid": house.members[1].uid, "content": "在吗" }),
        ),
        ("send_sms_code", json!({ "phone": "13800138000" })),
        (
            "user_login",
            json!({ "phone": member.phone, "password": "a wrong one" }),
        ),
    ] {
        let reply = house.of_member(0, name, body).at(&node).await;
        assert_not_here(&reply, &busy);
    }

    // The mini-program, whose GETs record what is looked at.
    let card = format!("&uid={}", house.uid);
    for path in ["/xiaochengxu/mingpian", "/xiaochengxu/mingpian/praise"] {
        let reply = house.of_customer(path, &card).at(&node).await;
        assert_not_here(&reply, &busy);
    }
    let login = format!("{X}/login?code=demo2&source=1&user_type=2");
    assert_not_here(&node.get(&login).send().await, &busy);

    assert_eq!(house.service.head().await, position);
    assert_eq!(house.service.stored_files(), files);
    assert_eq!(house.service.sms.count(), sms);
    // Whatever a handler may try, the database takes nothing from this node.
    let write = sqlx::query("UPDATE tasks SET note = 'x'");
    let refused = write.execute(node.app.reads()).await.unwrap_err();
    let code = refused
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    assert_eq!(code.as_deref(), Some("25006"));
    assert!(node.app.ledger().next_id("task").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_calling_is_asked_of_today() {
    let house = House::open(2).await;
    let position = house.service.head().await;
    let node = house.service.as_of(position).await;
    let list = format!("{TASKS}/tasks?limit=5");
    // Somebody who came later may look at what was before …
    let late = house.service.logged_in("late").await;
    let reply = node.get(&list).token(&late).send().await;
    assert_eq!(reply.json()["code"], 0, "{reply:?}");
    // … and who has logged out since may not, though the session was open then.
    let logout = house.of_staff("POST", &format!("{TASKS}/logout"), Some(json!({})));
    assert_eq!(logout.at(&house.service).await.json()["code"], 0);
    crate::support::processes::eventually("the node hears of the end of the session", async || {
        let reply = house.of_staff("GET", &list, None).at(&node).await;
        reply.json()["code"] == 401
    })
    .await;
    // What a command did later is not waited for: it never shows here.
    let reply = node.get(&list).token(&late);
    let mark = house.service.ledger.mark(house.service.head().await);
    let began = std::time::Instant::now();
    let reply = reply.header("x-position", mark.to_string()).send().await;
    assert!(reply.header("x-pending").is_some(), "{reply:?}");
    assert!(began.elapsed() < std::time::Duration::from_secs(1));
}
