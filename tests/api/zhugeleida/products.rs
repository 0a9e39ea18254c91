//! `contract/zhugeleida.md` 3.19–3.21: what a company has on its shelf.

use serde_json::{Value, json};

use super::library::{Library, column, wall};
use super::{is_form_refusal, is_refusal, is_success};

const SINGLE: &str = "/xiaochengxu/product/product_single/";
const LIST: &str = "/xiaochengxu/product/product_list/";
const FORWARD: &str = "/xiaochengxu/mallManage/forward_product/";

/// Of the product in the document.
fn content() -> Value {
    let image = |name: &str| format!("statics/zhugeleida/imgs/xiaochengxu/website/{name}.png");
    json!({
        "cover_data": [
            { "type": "picture_url", "data": [image("Website_scroll_1"), image("Website_scroll_2")] }
        ],
        "article_data": [
            { "type": "title", "data": ["xx我是标题1"] },
            { "type": "picture_url", "data": [image("Content_1")] },
            { "type": "content", "data": ["我是内容1"] },
            { "type": "title", "data": ["我是标题2"] },
            { "type": "content", "data": ["我是内容1"] }
        ]
    })
}

/// The product in the document, off shelf.
async fn ticket(library: &Library) -> i64 {
    let fields = json!({
        "company_id": library.company, "name": "门票2", "price": "128", "reason": "有理想-不讲究",
        "content": content()
    });
    library.make("Product", "CreateProduct", fields).await
}

fn of(library: &Library, product_id: i64) -> String {
    format!("&uid={}&product_id={product_id}", library.uid)
}

#[tokio::test]
async fn one_product_looks_as_documented_and_the_look_is_recorded() {
    let library = Library::start().await;
    let id = ticket(&library).await;
    library
        .tell("Product", id, "PublishProduct", json!({}))
        .await;
    let at = library.at("Product", id, "ProductPublished").await;
    let mut product = json!({
        "id": id, "name": "门票2", "price": "128", "user_avatar": "statics/imgs/setAvator.jpg",
        "reason": "有理想-不讲究", "publisher_date": wall(at, "%Y-%m-%dT%H:%M:%S%.3f"), "content": content(),
        "create_date": wall(at, "%Y-%m-%d"), "status": "已发布", "status_code": 1
    });
    let data =
        |product: &Value| json!({ "ret_data": [product], "chatinfo_count": 0, "data_count": 1 });
    let reply = library.get(SINGLE, &of(&library, id)).await;
    is_success(&reply, "查询成功", &data(&product));
    // Recommended later, it stays where it first stood.
    library
        .tell("Product", id, "RecommendProduct", json!({}))
        .await;
    product["status"] = json!("推荐");
    product["status_code"] = json!(3);
    let reply = library.get(SINGLE, &of(&library, id)).await;
    is_success(&reply, "查询成功", &data(&product));
    let visits = library.visits(&format!("product:{id}")).await;
    assert_eq!(visits, ["ProductViewed", "ProductViewed"]);
}

#[tokio::test]
async fn a_product_off_the_shelf_or_of_another_company_is_none() {
    let library = Library::start().await;
    let (company, uid) = library.neighbour().await;
    let id = ticket(&library).await;
    let shown = |path: &'static str, more: String| {
        let library = &library;
        async move { library.get(path, &more).await }
    };
    for path in [SINGLE, FORWARD] {
        // Not yet on the shelf, never there, no longer on the shelf, on another one.
        is_refusal(&shown(path, of(&library, id)).await, 302, "对应ID不存在");
        is_refusal(&shown(path, of(&library, 999)).await, 302, "对应ID不存在");
        library
            .tell("Product", id, "PublishProduct", json!({}))
            .await;
        let foreign = format!("&uid={uid}&product_id={id}");
        is_refusal(&shown(path, foreign).await, 302, "对应ID不存在");
        library
            .tell("Product", id, "WithdrawProduct", json!({}))
            .await;
        is_refusal(&shown(path, of(&library, id)).await, 302, "对应ID不存在");
        let nameless = format!("&uid={}", library.uid);
        is_refusal(&shown(path, nameless).await, 301, "数据类型验证失败");
        let wrong = format!("&uid={}&product_id=x", library.uid);
        is_refusal(&shown(path, wrong).await, 301, "数据类型验证失败");
    }
    assert_eq!(
        library.visits(&format!("product:{id}")).await,
        [""; 0],
        "{company}"
    );
}

#[tokio::test]
async fn the_list_shows_what_is_on_the_shelf_newest_first() {
    let library = Library::start().await;
    let first = ticket(&library).await;
    library
        .tell("Product", first, "RecommendProduct", json!({}))
        .await;
    let second = library.product("女排联赛入场票").await;
    let third = library.product("男篮对抗赛").await;
    ticket(&library).await;
    library
        .tell("Product", third, "WithdrawProduct", json!({}))
        .await;
    let more = format!("&uid={}", library.uid);
    let data = library.get(LIST, &more).await.json()["data"].clone();
    let rows = data["ret_data"].as_array().unwrap();
    assert_eq!(
        (column(rows, "id"), &data["data_count"]),
        (vec![second, first], &json!(2))
    );
    let at = library.at("Product", first, "ProductRecommended").await;
    let cover = json!({ "cover_data": content()["cover_data"] });
    let expected = json!({
        "id": first, "publisher_date": wall(at, "%Y-%m-%dT%H:%M:%S%.3f"), "content": cover, "name": "门票2",
        "price": "128", "user_avatar": "statics/imgs/setAvator.jpg", "username": "张聪", "position": "技术经理",
        "reason": "有理想-不讲究", "create_date": wall(at, "%Y-%m-%d"), "status": "推荐", "status_code": 3
    });
    assert_eq!(rows[1], expected);
    // Back on the shelf it stands where it first stood; a neighbour has a shelf of its own.
    for command in ["WithdrawProduct", "PublishProduct"] {
        library.tell("Product", first, command, json!({})).await;
    }
    let rows = library.get(LIST, &more).await.json()["data"]["ret_data"].clone();
    assert_eq!(column(rows.as_array().unwrap(), "id"), [second, first]);
    assert_eq!(rows[1]["publisher_date"], expected["publisher_date"]);
    let (_, uid) = library.neighbour().await;
    let reply = library.get(LIST, &format!("&uid={uid}")).await;
    let none = json!({ "ret_data": [], "data_count": 0 });
    is_success(&reply, "查询成功", &none);
}

#[tokio::test]
async fn the_list_comes_in_pages_when_a_page_is_asked_for() {
    let library = Library::start().await;
    let mut ids = Vec::new();
    for number in 0..23 {
        ids.insert(0, library.product(&format!("门票{number}")).await);
    }
    let page = async |more: &str| {
        let more = format!("&uid={}{more}", library.uid);
        let data = library.get(LIST, &more).await.json()["data"].clone();
        assert_eq!(data["data_count"], 23, "{more}");
        column(data["ret_data"].as_array().unwrap(), "id")
    };
    assert_eq!(page("").await, ids);
    assert_eq!(page("&current_page=1").await, ids[..20]);
    assert_eq!(page("&current_page=0&length=5").await, ids[..5]);
    assert_eq!(page("&current_page=5&length=5").await, ids[20..]);
    assert_eq!(page("&current_page=6&length='5'").await, ids[23..]);
    assert_eq!(page("&length=1000").await, ids);
    for more in ["&length=0", "&length=-1", "&current_page=-1"] {
        let reply = library
            .get(LIST, &format!("&uid={}{more}", library.uid))
            .await;
        let field = more[1..].split_once('=').unwrap().0;
        is_form_refusal(&reply, &[(field, "is out of bounds")]);
    }
    let reply = library
        .get(LIST, &format!("&uid={}&length=x", library.uid))
        .await;
    is_refusal(&reply, 301, "数据类型验证失败");
}

#[tokio::test]
async fn every_forward_is_recorded_and_counted() {
    let library = Library::start().await;
    let id = library.product("门票").await;
    for _ in 0..2 {
        let reply = library.get(FORWARD, &of(&library, id)).await;
        is_success(&reply, "记录转发产品成功", &json!({}));
    }
    let visits = library.visits(&format!("product:{id}")).await;
    assert_eq!(visits, ["ProductForwarded", "ProductForwarded"]);
    let forwards: i64 =
        sqlx::query_scalar("SELECT forward_count FROM product_counts WHERE product_id = $1")
            .bind(id)
            .fetch_one(library.house.service.app.reads())
            .await
            .unwrap();
    assert_eq!(forwards, 2);
}
