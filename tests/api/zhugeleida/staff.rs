//! The staff commands behind this surface (`contract/zhugeleida.md` 4).

use serde_json::{Value, json};
use shiji::api::zhugeleida::card_token;

use super::House;

pub async fn refused(house: &House, to: &str, command: Value, code: i64, error: &str) -> Value {
    let reply = house.send(to, command.clone()).await.json();
    assert_eq!(
        (&reply["code"], &reply["error"]),
        (&json!(code), &json!(error)),
        "{to} {command}: {reply}"
    );
    reply["data"].clone()
}

/// The data of a command that is done, whole.
pub async fn is_done(house: &House, to: &str, command: Value, version: i64, events: &[&str]) {
    let (aggregate, id) = to.split_once('/').unwrap();
    let expected =
        json!({ "aggregate": aggregate, "id": id, "version": version, "events": events });
    assert_eq!(house.done(to, command).await, expected);
}

#[tokio::test]
async fn a_company_is_created_and_renamed() {
    let house = House::start().await;
    let id = house.company(" 北京打铁的信息科技 ").await;
    let to = format!("Company/{id}");
    let rename = || json!({ "RenameCompany": { "name": "合众康桥" } });
    is_done(&house, &to, rename(), 2, &["CompanyRenamed"]).await;
    is_done(&house, &to, rename(), 2, &[]).await;
    let data = refused(
        &house,
        "Company/new",
        json!({ "CreateCompany": { "name": " " } }),
        303,
        "validation",
    )
    .await;
    assert!(data["name"].is_array());
    let long = json!({ "CreateCompany": { "name": "x".repeat(65) } });
    refused(&house, "Company/new", long, 303, "validation").await;
    refused(&house, "Company/999", rename(), 302, "not_found").await;
    refused(
        &house,
        &to,
        json!({ "CreateCompany": { "name": "x" } }),
        409,
        "conflict",
    )
    .await;
}

#[tokio::test]
async fn a_card_is_created_with_a_token_edited_and_taken_out_of_use() {
    let house = House::start().await;
    let company_id = house.company("x").await;
    let create =
        json!({ "CreateCard": { "company_id": company_id, "username": "张聪", "sign": "s" } });
    let data = house.done("Card/new", create).await;
    let uid: i64 = data["id"].as_str().unwrap().parse().unwrap();
    let keys = house.service.ledger.keys();
    let expected = json!({
        "aggregate": "Card", "id": uid.to_string(), "version": 1, "events": ["CardCreated"],
        "token": card_token(keys, uid, 0)
    });
    assert_eq!(data, expected);
    let to = format!("Card/{uid}");
    let edit = || json!({ "EditCard": { "position": "总监", "sign": "" } });
    is_done(&house, &to, edit(), 2, &["CardEdited"]).await;
    is_done(&house, &to, edit(), 2, &[]).await;
    let photo = house
        .done(&to, json!({ "AddCardPhoto": { "photo_url": "p.jpg" } }))
        .await;
    assert_eq!(
        (&photo["photo_id"], &photo["events"]),
        (&json!(1), &json!(["CardPhotoAdded"]))
    );
    let remove = || json!({ "RemoveCardPhoto": { "photo_id": 1 } });
    is_done(&house, &to, remove(), 4, &["CardPhotoRemoved"]).await;
    refused(&house, &to, remove(), 302, "not_found").await;
    is_done(
        &house,
        &to,
        json!({ "DisableCard": {} }),
        5,
        &["CardDisabled"],
    )
    .await;
    is_done(&house, &to, json!({ "DisableCard": {} }), 5, &[]).await;
    is_done(
        &house,
        &to,
        json!({ "EnableCard": {} }),
        6,
        &["CardEnabled"],
    )
    .await;
    let rotated = house.done(&to, json!({ "RotateCardToken": {} })).await;
    assert_eq!(
        (&rotated["token"], &rotated["version"]),
        (&json!(card_token(keys, uid, 1)), &json!(7))
    );
}

#[tokio::test]
async fn a_card_has_bounds_a_company_and_at_most_twenty_photos() {
    let house = House::start().await;
    let company_id = house.company("x").await;
    for (field, value) in [
        ("username", json!("")),
        ("username", json!("语".repeat(33))),
        ("avatar", json!("x".repeat(513))),
        ("mingpian_avatar", json!("x".repeat(513))),
        ("address", json!("x".repeat(201))),
        ("position", json!("x".repeat(65))),
        ("email", json!("x".repeat(129))),
        ("wechat", json!("x".repeat(65))),
        ("mingpian_phone", json!("x".repeat(33))),
        ("sign", json!("x".repeat(201))),
        ("qr_code_url", json!("x".repeat(513))),
        ("poster_url", json!("a\0")),
        ("company_id", json!("1")),
        ("uid", json!(1)),
    ] {
        let mut fields = json!({ "company_id": company_id, "username": "x" });
        fields[field] = value;
        let data = refused(
            &house,
            "Card/new",
            json!({ "CreateCard": fields }),
            303,
            "validation",
        )
        .await;
        assert!(data[field].is_array(), "{field}: {data}");
    }
    let nowhere = json!({ "CreateCard": { "company_id": 999, "username": "x" } });
    refused(&house, "Card/new", nowhere, 302, "not_found").await;
    let uid = house.card(company_id, json!({})).await;
    let to = format!("Card/{uid}");
    let other = json!({ "EditCard": { "company_id": 2 } });
    refused(&house, &to, other, 303, "validation").await;
    let add = || json!({ "AddCardPhoto": { "photo_url": "p.jpg" } });
    for _ in 0..20 {
        house.done(&to, add()).await;
    }
    refused(&house, &to, add(), 409, "conflict").await;
    refused(
        &house,
        &to,
        json!({ "AddCardPhoto": { "photo_url": "" } }),
        303,
        "validation",
    )
    .await;
    refused(
        &house,
        "Card/999",
        json!({ "DisableCard": {} }),
        302,
        "not_found",
    )
    .await;
}

#[tokio::test]
async fn a_customer_is_bound_disabled_and_gets_another_token() {
    let house = House::start().await;
    let (parent, customer) = (house.customer("p").await, house.customer("c").await);
    let uid = house.some_card().await;
    let to = format!("Customer/{}", customer.id);
    let bind = |pid: i64, source: i64| json!({ "BindCustomer": { "uid": uid, "pid": pid, "source": source, "user_type": 2 } });
    is_done(&house, &to, bind(parent.id, 1), 3, &["CustomerBound"]).await;
    is_done(&house, &to, bind(customer.id, 1), 3, &[]).await;
    refused(&house, &to, bind(parent.id, 3), 303, "validation").await;
    refused(&house, &to, bind(999_999, 1), 302, "not_found").await;
    is_done(
        &house,
        &to,
        json!({ "DisableCustomer": {} }),
        4,
        &["CustomerDisabled"],
    )
    .await;
    is_done(&house, &to, json!({ "DisableCustomer": {} }), 4, &[]).await;
    is_done(
        &house,
        &to,
        json!({ "EnableCustomer": {} }),
        5,
        &["CustomerEnabled"],
    )
    .await;
    // The token is the customer's to fetch.
    is_done(
        &house,
        &to,
        json!({ "RotateCustomerToken": {} }),
        6,
        &["CustomerTokenRotated"],
    )
    .await;
    refused(
        &house,
        "Customer/999",
        json!({ "EnableCustomer": {} }),
        302,
        "not_found",
    )
    .await;
    refused(
        &house,
        "Customer/new",
        json!({ "EnableCustomer": {} }),
        302,
        "not_found",
    )
    .await;
}

#[tokio::test]
async fn only_who_holds_the_bit_may() {
    let house = House::start().await;
    let customer = house.customer("c").await;
    let uid = house.some_card().await;
    house.service.staff("other", 0, !32 & ((1 << 53) - 1)).await;
    let other = house.service.log_in("other").await;
    for (to, command) in [
        (
            "Company/new".to_owned(),
            json!({ "CreateCompany": { "name": "x" } }),
        ),
        (
            "Card/new".to_owned(),
            json!({ "CreateCard": { "company_id": 1, "username": "x" } }),
        ),
        (format!("Card/{uid}"), json!({ "RotateCardToken": {} })),
        (
            format!("Customer/{}", customer.id),
            json!({ "DisableCustomer": {} }),
        ),
    ] {
        let call = house.service.post(&format!("/admin/commands/{to}"));
        let reply = call.token(&other).json(&command).send().await.json();
        assert_eq!(
            (&reply["code"], &reply["error"]),
            (&json!(403), &json!("forbidden")),
            "{to}"
        );
    }
}

#[tokio::test]
async fn a_repeated_key_gives_the_first_card_and_token_again() {
    let house = House::start().await;
    let company_id = house.company("x").await;
    let create = json!({ "CreateCard": { "company_id": company_id, "username": "张聪" } });
    let send = async || {
        let call = house
            .service
            .post("/admin/commands/Card/new")
            .token(&house.clerk);
        call.header("idempotency-key", "k")
            .json(&create)
            .send()
            .await
            .json()
    };
    let first = send().await;
    assert_eq!(first["code"], 0);
    assert_eq!(send().await, first);
}
