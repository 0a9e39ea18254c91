//! What staff may do with the catalogue, tickets and orders (`contract/community.md` section 5), and what not.

use serde_json::{Value, json};

use super::shelf::{IMAGE, Shelf};

#[tokio::test]
async fn every_thing_of_the_catalogue_is_made_edited_withdrawn_and_restored() {
    let shelf = Shelf::open().await;
    let master = shelf.master(json!({})).await;
    let merchant = shelf
        .merchant(json!({ "phone": "1", "email": "a@b", "logo": IMAGE }))
        .await;
    let things = [
        (
            "Banner",
            shelf.banner(json!({})).await.to_string(),
            json!({ "position": 3 }),
        ),
        (
            "Cloth",
            shelf.cloth(json!({})).await.to_string(),
            json!({ "price": 0, "dynasty": 99 }),
        ),
        (
            "Game",
            shelf.game(json!({})).await.to_string(),
            json!({ "recommended": false }),
        ),
        (
            "Master",
            master.clone(),
            json!({ "birthday": "1990-01-01", "avatar": IMAGE }),
        ),
        (
            "Merchant",
            merchant,
            json!({ "phone": null, "email": "c@d" }),
        ),
        (
            "Project",
            shelf.project(&master, json!({})).await.to_string(),
            json!({ "name": "新名" }),
        ),
    ];
    for (aggregate, id, edit) in things {
        let to = format!("{aggregate}/{id}");
        let steps = [
            (
                json!({ format!("Edit{aggregate}"): edit }),
                2,
                vec![format!("{aggregate}Edited")],
            ),
            (json!({ format!("Edit{aggregate}"): edit }), 2, vec![]),
            (json!({ format!("Edit{aggregate}"): {} }), 2, vec![]),
            (json!({ format!("Restore{aggregate}"): {} }), 2, vec![]),
            (
                json!({ format!("Withdraw{aggregate}"): {} }),
                3,
                vec![format!("{aggregate}Withdrawn")],
            ),
            (json!({ format!("Withdraw{aggregate}"): {} }), 3, vec![]),
            (
                json!({ format!("Restore{aggregate}"): {} }),
                4,
                vec![format!("{aggregate}Restored")],
            ),
        ];
        for (command, version, events) in steps {
            let data = shelf.done(&to, command.clone()).await;
            let expected =
                json!({ "aggregate": aggregate, "id": id, "version": version, "events": events });
            assert_eq!(data, expected, "{command}");
        }
        let nowhere = if id.len() == 32 {
            "0".repeat(32)
        } else {
            "999".to_owned()
        };
        let withdraw = json!({ format!("Withdraw{aggregate}"): {} });
        shelf
            .refused(
                &format!("{aggregate}/{nowhere}"),
                withdraw.clone(),
                302,
                "not_found",
            )
            .await;
        // Bit 4 opens it and nothing else does.
        shelf.staff(&format!("no {aggregate}"), 0, !4 & 0x1ff).await;
        let token = shelf.log_in(&format!("no {aggregate}")).await;
        let call = shelf.post(&format!("/admin/commands/{to}")).token(&token);
        assert_eq!(call.json(&withdraw).send().await.json()["code"], 403);
    }
}

#[tokio::test]
async fn what_is_out_of_bounds_is_named() {
    let shelf = Shelf::open().await;
    let master = shelf.master(json!({})).await;
    let long = |n: usize| "长".repeat(n);
    let bad_image = "must be 1 to 200 of A-Z, a-z, 0-9, ., _, / and -, without ..";
    let cases: [(&str, Value, Value); 9] = [
        (
            "Banner/new",
            json!({ "CreateBanner": { "placement": "home", "image": "../x", "url": long(513) } }),
            json!({ "image": [bad_image], "url": ["must be 0 to 512 characters, not 513"] }),
        ),
        (
            "Banner/new",
            json!({ "CreateBanner": { "placement": "roof", "image": "x" } }),
            json!({ "placement": ["unknown variant `roof`, expected one of `home`, `design_circle`, `game`, `ticket`"] }),
        ),
        (
            "Cloth/new",
            json!({ "CreateCloth": { "collection": "merchant", "name": "", "image": "x", "price": 1_000_000_001, "dynasty": 100, "designer_intro": "x" } }),
            json!({
                "merchant_id": ["is missing"],
                "name": ["must be 1 to 100 characters, not 0"],
                "price": ["must be 0 to 1000000000"],
                "dynasty": ["must be 0 to 99"],
                "designer_intro": ["belongs to cloths of the design circle"],
            }),
        ),
        (
            "Cloth/new",
            json!({ "CreateCloth": { "collection": "design", "merchant_id": master, "name": "x", "image": "x", "price": -1 } }),
            json!({ "merchant_id": ["belongs to cloths of merchants"], "price": ["must be 0 to 1000000000"] }),
        ),
        (
            "Game/new",
            json!({ "CreateGame": { "name": long(101), "image": "x", "intro": long(2001) } }),
            json!({ "name": ["must be 1 to 100 characters, not 101"], "intro": ["must be 0 to 2000 characters, not 2001"] }),
        ),
        (
            "Master/new",
            json!({ "CreateMaster": { "name": long(65), "address": long(201), "uid": "x" } }),
            json!({
                "name": ["must be 1 to 64 characters, not 65"],
                "address": ["must be 0 to 200 characters, not 201"],
                "uid": ["must be 32 lower-case hex characters"],
            }),
        ),
        (
            "Merchant/new",
            json!({ "CreateMerchant": { "name": "x", "phone": long(33), "email": long(129) } }),
            json!({ "phone": ["must be 0 to 32 characters, not 33"], "email": ["must be 0 to 128 characters, not 129"] }),
        ),
        (
            "Project/new",
            json!({ "CreateProject": { "master_id": "x", "name": "x", "image": "x" } }),
            json!({ "master_id": ["must be 32 lower-case hex characters"] }),
        ),
        (
            "Ticket/new",
            json!({ "CreateTicket": { "project_id": 1, "name": " ", "image": "", "price": 1 } }),
            json!({ "name": ["must be 1 to 100 characters, not 0"], "image": [bad_image] }),
        ),
    ];
    for (to, command, flaws) in cases {
        assert_eq!(shelf.refused(to, command, 303, "validation").await, flaws);
    }
    let game = shelf.game(json!({})).await;
    let edit = json!({ "EditGame": { "name": long(101) } });
    shelf
        .refused(&format!("Game/{game}"), edit, 303, "validation")
        .await;
}

#[tokio::test]
async fn what_names_somebody_who_is_not_there_is_refused() {
    let shelf = Shelf::open().await;
    let master = shelf.master(json!({})).await;
    let merchant = shelf.merchant(json!({})).await;
    let project = shelf.project(&master, json!({})).await;
    shelf
        .put("WithdrawMerchant", &format!("Merchant/{merchant}"))
        .await;
    shelf
        .put("WithdrawProject", &format!("Project/{project}"))
        .await;
    shelf
        .put("WithdrawMaster", &format!("Master/{master}"))
        .await;
    let nobody = "0".repeat(32);
    let cloth = |id: &str| json!({ "CreateCloth": { "collection": "merchant", "merchant_id": id, "name": "x", "image": "x", "price": 1 } });
    let of = |id: &str| json!({ "CreateProject": { "master_id": id, "name": "x", "image": "x" } });
    let ticket = |id: i64| json!({ "CreateTicket": { "project_id": id, "name": "x", "image": "x", "price": 1 } });
    for (to, command) in [
        ("Cloth/new", cloth(&merchant)),
        ("Cloth/new", cloth(&nobody)),
        ("Project/new", of(&master)),
        ("Project/new", of(&nobody)),
        ("Ticket/new", ticket(project)),
        ("Ticket/new", ticket(999)),
        (
            "Master/new",
            json!({ "CreateMaster": { "name": "x", "uid": nobody } }),
        ),
    ] {
        shelf.refused(to, command, 302, "not_found").await;
    }
    let issue = json!({ "IssueTickets": { "count": 1, "name": "x", "image": "x", "price": 1 } });
    shelf
        .refused(&format!("Project/{project}"), issue, 302, "not_found")
        .await;
}

#[tokio::test]
async fn a_member_is_one_master_at_a_time() {
    let shelf = Shelf::open().await;
    let (one, two) = (shelf.member("春风").await, shelf.member("秋水").await);
    let first = shelf.master(json!({ "uid": one.uid })).await;
    let second = shelf.master(json!({})).await;
    let link = |uid: Value| json!({ "EditMaster": { "uid": uid } });
    let taken = json!({ "CreateMaster": { "name": "x", "uid": one.uid } });
    shelf.refused("Master/new", taken, 300, "name_taken").await;
    let (to_first, to_second) = (format!("Master/{first}"), format!("Master/{second}"));
    shelf
        .refused(&to_second, link(json!(one.uid)), 300, "name_taken")
        .await;
    // Somebody else lets go of the member, and so does nobody.
    let moved = shelf.done(&to_first, link(json!(two.uid))).await;
    assert_eq!(
        moved["events"],
        json!(["MasterEdited", "NameClaimed", "NameReleased"])
    );
    shelf.done(&to_second, link(json!(one.uid))).await;
    let unlinked = shelf.done(&to_first, link(Value::Null)).await;
    assert_eq!(unlinked["events"], json!(["MasterEdited", "NameReleased"]));
    assert_eq!(
        shelf.done(&to_first, link(Value::Null)).await["events"],
        json!([])
    );
    // Absent is not null.
    let named = shelf
        .done(&to_second, json!({ "EditMaster": { "name": "新名" } }))
        .await;
    assert_eq!(named["events"], json!(["MasterEdited"]));
    shelf
        .refused(&to_first, link(json!(one.uid)), 300, "name_taken")
        .await;
}

#[tokio::test]
async fn only_a_cloth_of_the_design_circle_gets_a_designer() {
    let shelf = Shelf::open().await;
    let merchant = shelf.merchant(json!({})).await;
    let cloth = shelf
        .cloth(json!({ "collection": "merchant", "merchant_id": merchant }))
        .await;
    let edit = json!({ "EditCloth": { "designer_intro": "师从苏绣" } });
    let flaws = shelf
        .refused(&format!("Cloth/{cloth}"), edit.clone(), 303, "validation")
        .await;
    assert_eq!(
        flaws,
        json!({ "designer_intro": ["does not belong to a thing of this kind"] })
    );
    let design = shelf.cloth(json!({})).await;
    shelf.done(&format!("Cloth/{design}"), edit).await;
}

#[tokio::test]
async fn a_thousand_tickets_are_issued_at_once() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let master = shelf.master(json!({})).await;
    let project = shelf.project(&master, json!({})).await;
    // As large as they may be: more than a batch of the log takes of small jobs.
    let issue = |count: u32| json!({ "IssueTickets": { "count": count, "name": "票".repeat(100), "image": IMAGE, "intro": "简".repeat(2000), "price": 1 } });
    let to = format!("Project/{project}");
    for count in [0, 1001] {
        let flaws = shelf.refused(&to, issue(count), 303, "validation").await;
        assert_eq!(flaws, json!({ "count": ["must be 1 to 1000"] }));
    }
    let data = shelf.done(&to, issue(1000)).await;
    let ids: Vec<i64> = serde_json::from_value(data["ticket_ids"].clone()).unwrap();
    assert_eq!(ids.len(), 1000);
    assert_eq!(data["events"], json!(vec!["TicketCreated"; 1000]));
    let detail = shelf
        .function(&me, "project_detail", json!({ "project_id": project }))
        .await;
    assert_eq!(detail.json()["project_detail"]["ticket_count"], 1000);
    // A deep page, behind the hundred that are near.
    let page = json!({ "project_id": project, "offset": 950 });
    let page = shelf.function(&me, "ticket_list", page).await;
    assert_eq!(
        super::shelf::ids(&page, "ticket_list", "ticket_id"),
        ids[950..]
    );
    // A repeated key answers the same tickets.
    let again = async || {
        let call = shelf
            .post(&format!("/admin/commands/{to}"))
            .token(&shelf.log_in("clerk").await);
        let call = call.header("idempotency-key", "issue-1");
        Shelf::data(&call.json(&issue(2)).send().await)["ticket_ids"].clone()
    };
    assert_eq!(again().await, again().await);
}

#[tokio::test]
async fn a_ticket_is_withdrawn_only_from_the_market() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let tickets = shelf.for_sale(1, 1999).await;
    let to = format!("Ticket/{}", tickets[0]);
    let order = shelf.order(&me, &tickets).await;
    let withdraw = || json!({ "WithdrawTicket": {} });
    shelf.refused(&to, withdraw(), 409, "conflict").await;
    shelf
        .done(
            &to,
            json!({ "EditTicket": { "name": "新名", "price": 1999 } }),
        )
        .await;
    shelf
        .done(&format!("Order/{order}"), json!({ "CancelOrder": {} }))
        .await;
    assert_eq!(
        shelf.done(&to, withdraw()).await["events"],
        json!(["TicketWithdrawn"])
    );
    assert_eq!(shelf.done(&to, withdraw()).await["events"], json!([]));
    shelf
        .refused(
            &to,
            json!({ "EditTicket": { "price": 1 } }),
            409,
            "conflict",
        )
        .await;
    assert_eq!(
        shelf.done(&to, json!({ "RestoreTicket": {} })).await["events"],
        json!(["TicketRestored"])
    );
    shelf
        .refused("Ticket/999", withdraw(), 302, "not_found")
        .await;
}

#[tokio::test]
async fn staff_confirms_payments_and_cancels_orders() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let tickets = shelf.for_sale(2, 1999).await;
    let paid = format!("Order/{}", shelf.order(&me, &tickets[..1]).await);
    let confirm = |reference: Value| json!({ "ConfirmPayment": { "reference": reference } });
    let cancel = || json!({ "CancelOrder": { "reason": "客户来电" } });
    assert_eq!(
        shelf.done(&paid, confirm(json!("p-1"))).await["events"],
        json!(["OrderPaid", "TicketSold"])
    );
    assert_eq!(
        shelf.done(&paid, confirm(json!("p-1"))).await["events"],
        json!([])
    );
    assert_eq!(
        shelf.done(&paid, confirm(Value::Null)).await["events"],
        json!([])
    );
    // Paid twice: somebody has to give the second one back.
    shelf
        .refused(&paid, confirm(json!("p-2")), 409, "conflict")
        .await;
    shelf.refused(&paid, cancel(), 409, "conflict").await;

    let cancelled = format!("Order/{}", shelf.order(&me, &tickets[1..]).await);
    assert_eq!(
        shelf.done(&cancelled, cancel()).await["events"],
        json!(["OrderCancelled", "TicketReleased"])
    );
    assert_eq!(shelf.done(&cancelled, cancel()).await["events"], json!([]));
    shelf
        .refused(&cancelled, confirm(Value::Null), 409, "conflict")
        .await;
    shelf.refused("Order/999", cancel(), 302, "not_found").await;
    shelf
        .refused(
            &paid,
            json!({ "CancelOrder": { "reason": "长".repeat(201) } }),
            303,
            "validation",
        )
        .await;
    shelf
        .refused(
            &paid,
            json!({ "ConfirmPayment": { "reference": "x".repeat(129) } }),
            303,
            "validation",
        )
        .await;
    // Orders are looked after by bit 8, not by that of the catalogue.
    shelf.staff("keeper", 0, 4).await;
    let token = shelf.log_in("keeper").await;
    let call = shelf.post(&format!("/admin/commands/{paid}")).token(&token);
    assert_eq!(call.json(&cancel()).send().await.json()["code"], 403);
}
