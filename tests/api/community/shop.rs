//! Projects, tickets, carts and orders: every function field by field, and each documented error.

use std::time::Duration;

use serde_json::{Value, json};

use super::shelf::{IMAGE, Shelf, ids};
use super::{assert_answer, assert_done, assert_invalid, assert_refused, with};
use crate::support::service::{Member, Reply};

/// Tickets that cannot be bought.
#[track_caller]
fn assert_not_for_sale(reply: &Reply, tickets: &[i64]) {
    let data = json!({ "ticket_id_list": tickets });
    assert_answer(
        reply,
        &json!({ "code": 464, "msg": "票已售出或不可购买", "data": data }),
    );
}

impl Shelf {
    async fn tickets_wanted(&self, by: &Member, function: &str, tickets: &[i64]) -> Reply {
        self.function(by, function, json!({ "ticket_id_list": tickets }))
            .await
    }

    /// Places an order that must succeed; answers its id.
    pub async fn order(&self, by: &Member, tickets: &[i64]) -> i64 {
        let reply = self.tickets_wanted(by, "order_create", tickets).await;
        let order_id = reply.json()["order_id"].as_i64().unwrap();
        assert_answer(&reply, &json!({ "code": 0, "order_id": order_id }));
        order_id
    }

    pub async fn to_order(&self, by: &Member, function: &str, order_id: i64) -> Reply {
        self.function(by, function, json!({ "order_id": order_id }))
            .await
    }

    async fn on_sale(&self, by: &Member, project: i64) -> Vec<Value> {
        let reply = self
            .function(by, "ticket_list", json!({ "project_id": project }))
            .await;
        ids(&reply, "ticket_list", "ticket_id")
    }

    async fn count(&self, by: &Member, project: i64) -> Value {
        let reply = self
            .function(by, "project_detail", json!({ "project_id": project }))
            .await;
        reply.json()["project_detail"]["ticket_count"].clone()
    }
}

#[tokio::test]
async fn projects_come_with_their_master() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let master = shelf.master(json!({ "birthday": "1990-01-01" })).await;
    let other = shelf.master(json!({ "name": "达人1" })).await;
    let plain = shelf
        .project(&master, json!({ "intro": "项目简介0" }))
        .await;
    let praised = shelf.project(&other, json!({ "recommended": true })).await;
    shelf.tickets(plain, 3, 1999).await;
    assert_done(
        &shelf
            .function(&me, "master_follow", json!({ "master_id": master }))
            .await,
    );

    let list = shelf
        .function(&me, "project_list", json!({ "master_id": null }))
        .await;
    let rows = list.json()["project_list"].clone();
    let row = |id: i64, n: usize, intro: &str, master: Value| {
        json!({ "project_id": id, "name": "项目名称0", "image": IMAGE, "intro": intro,
            "created_at": rows[n]["created_at"].as_i64().unwrap(), "master": master })
    };
    let by = |id: &str, n: usize, name: &str, birthday: Value, is_follow: bool| {
        json!({ "master_id": id, "name": name, "avatar": null, "intro": "", "address": "", "birthday": birthday,
            "is_follow": is_follow, "created_at": rows[n]["master"]["created_at"].as_i64().unwrap() })
    };
    let first = row(praised, 0, "", by(&other, 0, "达人1", Value::Null, false));
    let second = row(
        plain,
        1,
        "项目简介0",
        by(&master, 1, "达人0", json!("1990-01-01"), true),
    );
    assert_answer(
        &list,
        &json!({ "code": 0, "project_list": [first, second] }),
    );
    for (wanted, found) in [(&master, json!([second])), (&"0".repeat(32), json!([]))] {
        let reply = shelf
            .function(&me, "project_list", json!({ "master_id": wanted }))
            .await;
        assert_answer(&reply, &json!({ "code": 0, "project_list": found }));
    }
    let reply = shelf
        .function(&me, "project_recommend_list", json!({}))
        .await;
    assert_answer(
        &reply,
        &json!({ "code": 0, "project_recommend_list": [first] }),
    );
    // The document's key, and the one that its sibling has.
    let reply = shelf
        .function(&me, "my_following_masters_project_list", json!({}))
        .await;
    assert_answer(
        &reply,
        &json!({ "code": 0, "project_recommend_list": [second], "my_following_masters_project_list": [second] }),
    );
    let detail = async || {
        shelf
            .function(&me, "project_detail", json!({ "project_id": plain }))
            .await
    };
    let counted = with(&second, &json!({ "ticket_count": 3 }));
    assert_answer(
        &detail().await,
        &json!({ "code": 0, "project_detail": counted }),
    );

    // A master takes its projects out of sight.
    shelf
        .put("WithdrawMaster", &format!("Master/{master}"))
        .await;
    assert_refused(&detail().await, 404);
    let reply = shelf.function(&me, "project_list", json!({})).await;
    assert_eq!(ids(&reply, "project_list", "project_id"), [praised]);
    shelf
        .put("RestoreMaster", &format!("Master/{master}"))
        .await;
    shelf
        .put("WithdrawProject", &format!("Project/{plain}"))
        .await;
    assert_refused(&detail().await, 404);
    assert_refused(
        &shelf
            .function(&me, "project_detail", json!({ "project_id": 999 }))
            .await,
        404,
    );
    assert_invalid(
        &shelf.function(&me, "project_detail", json!({})).await,
        "project_id",
    );
    assert_invalid(
        &shelf
            .function(&me, "project_list", json!({ "master_id": "x" }))
            .await,
        "master_id",
    );
}

#[tokio::test]
async fn tickets_are_listed_while_they_are_for_sale() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let master = shelf.master(json!({ "birthday": "1990-01-01" })).await;
    let project = shelf.project(&master, json!({})).await;
    let tickets = shelf.tickets(project, 3, 1999).await;
    assert_done(
        &shelf
            .function(&me, "master_follow", json!({ "master_id": master }))
            .await,
    );

    let list = shelf
        .function(
            &me,
            "ticket_list",
            json!({ "project_id": project.to_string() }),
        )
        .await;
    let at = list.json()["ticket_list"][0]["created_at"]
        .as_i64()
        .unwrap();
    let row = |id: &i64| json!({ "ticket_id": id, "name": "票名称0", "image": IMAGE, "intro": "票简介0", "price": 1999, "created_at": at });
    // Made at once, they come by their ids.
    let rows: Vec<Value> = tickets.iter().map(row).collect();
    assert_answer(&list, &json!({ "code": 0, "ticket_list": rows }));
    assert_answer(
        &shelf.function(&me, "ticket_list", json!({})).await,
        &json!({ "code": 0, "ticket_list": rows }),
    );
    let page = shelf
        .function(&me, "ticket_list", json!({ "offset": 1, "limit": 1 }))
        .await;
    assert_eq!(ids(&page, "ticket_list", "ticket_id"), [tickets[1]]);

    let detail = async |id: i64| {
        shelf
            .function(&me, "ticket_detail", json!({ "ticket_id": id }))
            .await
    };
    let ticket = with(
        &row(&tickets[0]),
        &json!({ "project_id": project, "updated_at": at }),
    );
    assert_answer(
        &detail(tickets[0]).await,
        &json!({ "code": 0, "ticket_detail": ticket, "project_ticket_count": 3 }),
    );
    let followed = shelf
        .function(
            &me,
            "my_following_masters_ticket_list",
            json!({ "limit": 1 }),
        )
        .await;
    let master_at = followed.json()["my_following_masters_ticket_list"][0]["master"]["created_at"]
        .as_i64()
        .unwrap();
    let by = json!({ "master_id": master, "name": "达人0", "avatar": null, "intro": "", "address": "",
        "birthday": "1990-01-01", "created_at": master_at });
    let ticket = with(
        &row(&tickets[0]),
        &json!({ "project_id": project, "master": by }),
    );
    assert_answer(
        &followed,
        &json!({ "code": 0, "my_following_masters_ticket_list": [ticket] }),
    );

    shelf
        .put("WithdrawTicket", &format!("Ticket/{}", tickets[0]))
        .await;
    assert_refused(&detail(tickets[0]).await, 404);
    assert_eq!(shelf.on_sale(&me, project).await, [tickets[1], tickets[2]]);
    assert_eq!(shelf.count(&me, project).await, 2);
    shelf
        .put("RestoreTicket", &format!("Ticket/{}", tickets[0]))
        .await;
    assert_eq!(shelf.count(&me, project).await, 3);

    shelf
        .put("WithdrawProject", &format!("Project/{project}"))
        .await;
    assert_refused(&detail(tickets[0]).await, 404);
    for list in ["ticket_list", "my_following_masters_ticket_list"] {
        let reply = shelf.function(&me, list, json!({})).await;
        assert_answer(&reply, &json!({ "code": 0, list: [] }));
    }
    for gone in [project, 999] {
        assert_refused(
            &shelf
                .function(&me, "ticket_list", json!({ "project_id": gone }))
                .await,
            404,
        );
    }
    assert_refused(&detail(999).await, 404);
    assert_invalid(
        &shelf
            .function(&me, "ticket_detail", json!({ "ticket_id": -1 }))
            .await,
        "ticket_id",
    );
}

#[tokio::test]
async fn a_project_whose_tickets_are_all_gone_lists_none() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let master = shelf.master(json!({})).await;
    let project = shelf.project(&master, json!({})).await;
    assert_eq!(shelf.on_sale(&me, project).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_cart_holds_tickets_and_reserves_nothing() {
    let shelf = Shelf::open().await;
    let (me, other) = (shelf.member("春风").await, shelf.member("秋水").await);
    let tickets = shelf.for_sale(3, 1999).await;
    let add = async |id: i64| {
        shelf
            .function(&me, "shopping_cart_add", json!({ "ticket_id": id }))
            .await
    };
    for id in &tickets[..2] {
        assert_done(&add(*id).await);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let info = async || shelf.function(&me, "shopping_cart_info", json!({})).await;
    let rows = info().await.json()["shopping_cart_info"].clone();
    let line = |id: i64, row: &Value| {
        json!({ "ticket_id": id, "ticket_name": "票名称0", "ticket_image": IMAGE, "ticket_intro": "票简介0", "ticket_price": 1999,
            "created_at": row["created_at"].as_i64().unwrap(), "updated_at": row["updated_at"].as_i64().unwrap() })
    };
    // Put in last, shown first.
    let lines = json!([line(tickets[1], &rows[0]), line(tickets[0], &rows[1])]);
    assert_answer(
        &info().await,
        &json!({ "code": 0, "shopping_cart_info": lines }),
    );
    assert_eq!(rows[1]["created_at"], rows[1]["updated_at"]);
    assert_done(&add(tickets[0]).await);
    let again = info().await.json()["shopping_cart_info"][1].clone();
    assert_eq!(again["created_at"], rows[1]["created_at"]);
    assert!(again["updated_at"].as_i64() > rows[1]["updated_at"].as_i64());
    assert_eq!(
        shelf.events("Cart", &me.uid).await,
        ["CartItemAdded", "CartItemAdded", "CartItemRefreshed"]
    );

    // What somebody else holds is not shown, and comes back when it is released.
    let order = shelf.order(&other, &tickets[..1]).await;
    assert_eq!(
        ids(&info().await, "shopping_cart_info", "ticket_id"),
        [tickets[1]]
    );
    assert_not_for_sale(&add(tickets[0]).await, &tickets[..1]);
    assert_done(&shelf.to_order(&other, "order_cancel", order).await);
    assert_eq!(
        ids(&info().await, "shopping_cart_info", "ticket_id"),
        [tickets[1], tickets[0]]
    );

    for _ in 0..2 {
        assert_done(
            &shelf
                .function(&me, "shopping_cart_del", json!({ "ticket_id": tickets[0] }))
                .await,
        );
    }
    assert_eq!(
        ids(&info().await, "shopping_cart_info", "ticket_id"),
        [tickets[1]]
    );
    assert_refused(&add(999).await, 404);
    assert_invalid(
        &shelf.function(&me, "shopping_cart_add", json!({})).await,
        "ticket_id",
    );
    assert_invalid(
        &shelf
            .function(&me, "shopping_cart_del", json!({ "ticket_id": "x" }))
            .await,
        "ticket_id",
    );
}

#[tokio::test]
async fn a_cart_is_full_with_a_hundred_lines() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let tickets = shelf.for_sale(101, 1).await;
    let add = async |id: &i64| {
        shelf
            .function(&me, "shopping_cart_add", json!({ "ticket_id": id }))
            .await
    };
    for id in &tickets[..100] {
        assert_done(&add(id).await);
    }
    assert_refused(&add(&tickets[100]).await, 409);
    assert_done(&add(&tickets[0]).await);
}

#[tokio::test]
async fn an_order_holds_its_tickets_until_it_is_paid_or_cancelled() {
    let shelf = Shelf::open().await;
    let (me, other) = (shelf.member("春风").await, shelf.member("秋水").await);
    let master = shelf.master(json!({})).await;
    let project = shelf.project(&master, json!({})).await;
    let cheap = shelf.tickets(project, 2, 1999).await;
    let dear = shelf.tickets(project, 1, 2001).await;
    let wanted = [dear[0], cheap[0], dear[0]];

    let order = shelf.order(&me, &wanted).await;
    assert_eq!(shelf.events("Order", order).await, ["OrderPlaced"]);
    assert_eq!(
        shelf.events("Ticket", dear[0]).await,
        ["TicketCreated", "TicketReserved"]
    );
    assert_eq!(shelf.on_sale(&me, project).await, [cheap[1]]);
    assert_eq!(shelf.count(&me, project).await, 1);
    // The price is fixed: the ticket's own cannot move while it is held.
    let dearer = json!({ "EditTicket": { "price": 1 } });
    shelf
        .refused(&format!("Ticket/{}", dear[0]), dearer, 409, "conflict")
        .await;

    let detail = async || shelf.to_order(&me, "order_detail", order).await;
    let shown = detail().await.json()["order_detail"].clone();
    let at = shown["created_at"].as_i64().unwrap();
    let expected = |status: i64, updated_at: &Value| {
        let item = |id: i64, price: i64| json!({ "ticket_id": id, "price": price, "created_at": at, "updated_at": updated_at });
        json!({ "code": 0, "order_detail": { "order_id": order, "uid": me.uid, "price": 4000, "status": status,
            "created_at": at, "updated_at": updated_at, "order_item_list": [item(cheap[0], 1999), item(dear[0], 2001)] } })
    };
    assert_answer(&detail().await, &expected(0, &json!(at)));

    // It is nobody else's.
    for function in ["order_detail", "order_pay", "order_cancel"] {
        assert_refused(&shelf.to_order(&other, function, order).await, 404);
        assert_refused(&shelf.to_order(&me, function, 999).await, 404);
        assert_invalid(&shelf.function(&me, function, json!({})).await, "order_id");
    }
    for _ in 0..2 {
        assert_done(&shelf.to_order(&me, "order_pay", order).await);
    }
    assert_eq!(
        shelf.events("Order", order).await,
        ["OrderPlaced", "OrderPaid"]
    );
    assert_eq!(
        shelf.events("Ticket", cheap[0]).await,
        ["TicketCreated", "TicketReserved", "TicketSold"]
    );
    let updated_at = detail().await.json()["order_detail"]["updated_at"].clone();
    assert!(updated_at.as_i64().unwrap() > at);
    assert_answer(&detail().await, &expected(1, &updated_at));
    assert_refused(&shelf.to_order(&me, "order_cancel", order).await, 409);

    let mine = shelf.function(&me, "my_ticket_list", json!({})).await;
    let row = |id: i64, price: i64, n: usize| {
        json!({ "ticket_id": id, "name": "票名称0", "image": IMAGE, "intro": "票简介0", "price": price,
            "created_at": mine.json()["my_ticket_list"][n]["created_at"].as_i64().unwrap() })
    };
    assert_answer(
        &mine,
        &json!({ "code": 0, "my_ticket_list": [row(cheap[0], 1999, 0), row(dear[0], 2001, 1)] }),
    );
    assert_answer(
        &shelf.function(&other, "my_ticket_list", json!({})).await,
        &json!({ "code": 0, "my_ticket_list": [] }),
    );
    // Sold tickets can be read, and ordered by nobody.
    let sold = shelf
        .function(&other, "ticket_detail", json!({ "ticket_id": dear[0] }))
        .await
        .json();
    assert_eq!(
        (
            &sold["ticket_detail"]["ticket_id"],
            &sold["project_ticket_count"]
        ),
        (&json!(dear[0]), &json!(1))
    );
    assert_not_for_sale(
        &shelf.tickets_wanted(&me, "order_create", &[dear[0]]).await,
        &[dear[0]],
    );
}

#[tokio::test]
async fn a_cancelled_order_gives_its_tickets_back() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let master = shelf.master(json!({})).await;
    let project = shelf.project(&master, json!({})).await;
    let tickets = shelf.tickets(project, 2, 1999).await;
    let order = shelf.order(&me, &tickets).await;
    for _ in 0..2 {
        assert_done(&shelf.to_order(&me, "order_cancel", order).await);
    }
    assert_eq!(
        shelf.events("Order", order).await,
        ["OrderPlaced", "OrderCancelled"]
    );
    assert_eq!(shelf.on_sale(&me, project).await, [tickets[0], tickets[1]]);
    assert_eq!(shelf.count(&me, project).await, 2);
    assert_refused(&shelf.to_order(&me, "order_pay", order).await, 409);
    let again = shelf.order(&me, &tickets[..1]).await;

    let list = async |status: Value| {
        shelf
            .function(&me, "my_order_list", json!({ "status": status }))
            .await
    };
    let all = list(Value::Null).await;
    let rows = all.json()["my_order_list"].clone();
    let row = |id: i64, price: i64, status: i64, n: usize| {
        json!({ "order_id": id, "uid": me.uid, "price": price, "status": status,
            "created_at": rows[n]["created_at"].as_i64().unwrap(), "updated_at": rows[n]["updated_at"].as_i64().unwrap() })
    };
    let (pending, cancelled) = (row(again, 1999, 0, 0), row(order, 3998, 2, 1));
    assert_answer(
        &all,
        &json!({ "code": 0, "my_order_list": [pending, cancelled] }),
    );
    for (status, found) in [
        (json!(0), json!([pending])),
        (json!("2"), json!([cancelled])),
        (json!(1), json!([])),
    ] {
        assert_answer(
            &list(status).await,
            &json!({ "code": 0, "my_order_list": found }),
        );
    }
    assert_invalid(&list(json!(3)).await, "status");
}

#[tokio::test]
async fn an_order_takes_all_its_tickets_or_none() {
    let shelf = Shelf::open().await;
    let (me, other) = (shelf.member("春风").await, shelf.member("秋水").await);
    let tickets = shelf.for_sale(4, 1999).await;
    shelf.order(&other, &tickets[..1]).await;
    shelf
        .put("WithdrawTicket", &format!("Ticket/{}", tickets[1]))
        .await;
    let hidden = {
        let master = shelf.master(json!({})).await;
        let project = shelf.project(&master, json!({})).await;
        let tickets = shelf.tickets(project, 1, 1).await;
        shelf
            .put("WithdrawMaster", &format!("Master/{master}"))
            .await;
        tickets[0]
    };
    let head = shelf.head().await;
    let create = async |ids: &[i64]| shelf.tickets_wanted(&me, "order_create", ids).await;
    assert_not_for_sale(&create(&tickets).await, &tickets[..2]);
    assert_not_for_sale(&create(&[tickets[2], hidden]).await, &[hidden]);
    // What never was is told before what cannot be bought.
    assert_refused(&create(&[tickets[0], 999]).await, 404);
    let many: Vec<i64> = (1..=51).collect();
    assert_invalid(&create(&many).await, "ticket_id_list");
    assert_invalid(&create(&[]).await, "ticket_id_list");
    assert_eq!(shelf.head().await, head, "nothing happened");
}

#[tokio::test]
async fn an_order_from_the_cart_takes_its_tickets_out_of_it() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let tickets = shelf.for_sale(3, 1999).await;
    for id in &tickets[..2] {
        assert_done(
            &shelf
                .function(&me, "shopping_cart_add", json!({ "ticket_id": id }))
                .await,
        );
    }
    let from_cart = async |ids: &[i64]| {
        shelf
            .tickets_wanted(&me, "order_create_by_shopping_cart", ids)
            .await
    };
    // One that is not in the cart is not there.
    assert_refused(&from_cart(&tickets[1..]).await, 404);
    let reply = from_cart(&tickets[..1]).await;
    let order = reply.json()["order_id"].as_i64().unwrap();
    assert_answer(&reply, &json!({ "code": 0, "order_id": order }));
    let events = shelf.events("Cart", &me.uid).await;
    assert_eq!(
        events,
        ["CartItemAdded", "CartItemAdded", "CartItemRemoved"]
    );
    let info = shelf.function(&me, "shopping_cart_info", json!({})).await;
    assert_eq!(ids(&info, "shopping_cart_info", "ticket_id"), [tickets[1]]);
    // Cancelled, it does not come back into the cart. Bought directly, a ticket stays in it.
    assert_done(&shelf.to_order(&me, "order_cancel", order).await);
    let direct = shelf.order(&me, &tickets[1..2]).await;
    assert_done(&shelf.to_order(&me, "order_cancel", direct).await);
    let info = shelf.function(&me, "shopping_cart_info", json!({})).await;
    assert_eq!(ids(&info, "shopping_cart_info", "ticket_id"), [tickets[1]]);
    // In the cart and taken by somebody else.
    shelf
        .order(&shelf.member("秋水").await, &tickets[1..2])
        .await;
    assert_not_for_sale(&from_cart(&tickets[1..2]).await, &tickets[1..2]);
    assert_invalid(&from_cart(&[]).await, "ticket_id_list");
}

#[tokio::test]
async fn a_repeated_key_places_one_order() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let tickets = shelf.for_sale(2, 1999).await;
    let place = async |ids: &[i64]| {
        let call = shelf
            .post("/community/api/v1/order_create")
            .token(&me.token);
        let call = call.header("idempotency-key", "k-1");
        call.json(&json!({ "ticket_id_list": ids })).send().await
    };
    let first = place(&tickets[..1]).await;
    assert_eq!(first.json()["code"], 0);
    assert_eq!(place(&tickets[..1]).await.json(), first.json());
    assert_refused(&place(&tickets[1..]).await, 409);
    let orders = shelf.function(&me, "my_order_list", json!({})).await;
    assert_eq!(ids(&orders, "my_order_list", "order_id").len(), 1);
}

#[tokio::test]
async fn tickets_are_shown_last_paid_first_and_found_on_pages() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let tickets = shelf.for_sale(3, 1999).await;
    let early = shelf.order(&me, &tickets[..1]).await;
    let late = shelf.order(&me, &tickets[1..]).await;
    // Placed first, paid last.
    for order in [late, early] {
        assert_done(&shelf.to_order(&me, "order_pay", order).await);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let mine = async |page: Value| {
        let reply = shelf.function(&me, "my_ticket_list", page).await;
        ids(&reply, "my_ticket_list", "ticket_id")
    };
    assert_eq!(mine(json!({})).await, [tickets[0], tickets[1], tickets[2]]);
    assert_eq!(mine(json!({ "limit": 1, "offset": 1 })).await, [tickets[1]]);
    // A project out of sight takes no bought ticket from its owner.
    let detail = json!({ "ticket_id": tickets[0] });
    let detail = shelf.function(&me, "ticket_detail", detail).await.json();
    let project = &detail["ticket_detail"]["project_id"];
    shelf
        .put("WithdrawProject", &format!("Project/{project}"))
        .await;
    assert_eq!(mine(json!({})).await.len(), 3);
}
