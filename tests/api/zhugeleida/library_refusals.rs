//! What every endpoint about a company's things refuses: who did not sign or may not, whose card or company is not there.

use serde_json::json;

use super::is_refusal;
use super::library::Library;
use crate::support::service::Reply;

const X: &str = "/xiaochengxu";

/// GETs on the pages of an enterprise user; PRODUCT stands for one on the shelf.
const OF_A_CARD: [(&str, &str); 4] = [
    (
        "/xiaochengxu/product/product_single/",
        "&product_id=PRODUCT",
    ),
    ("/xiaochengxu/product/product_list/", ""),
    (
        "/xiaochengxu/mallManage/forward_product/",
        "&product_id=PRODUCT",
    ),
    ("/xiaochengxu/website", ""),
];

/// GETs that name the company.
const OF_A_COMPANY: [&str; 8] = [
    "/xiaochengxu/case_manage/case_list",
    "/xiaochengxu/case_manage/browse_case_list_record",
    "/xiaochengxu/case_manage/collection_case_list_record",
    "/xiaochengxu/case_tag/case_list",
    "/xiaochengxu/case_tag/history_case_list",
    "/xiaochengxu/case_tag/top_search_tag_list",
    "/admin/diary_manage/diary_list",
    "/xiaochengxu/diary_manage/diary_list",
];

#[tokio::test]
async fn the_pages_of_an_enterprise_user_need_one_with_a_card_in_use() {
    let library = Library::start().await;
    let product = library.product("门票").await;
    let disabled = library.house.card(library.company, json!({})).await;
    library
        .tell("Card", disabled, "DisableCard", json!({}))
        .await;
    for (path, more) in OF_A_CARD {
        let more = more.replace("PRODUCT", &product.to_string());
        let get = async |uid: &str| library.get(path, &format!("{more}{uid}")).await;
        assert_eq!(
            get(&format!("&uid={}", library.uid)).await.json()["code"],
            200
        );
        is_refusal(&get("").await, 301, "数据类型验证失败");
        is_refusal(&get("&uid=").await, 301, "数据类型验证失败");
        is_refusal(&get("&uid=abc").await, 301, "数据类型验证失败");
        is_refusal(&get("&uid=999").await, 302, "对应ID不存在");
        is_refusal(&get(&format!("&uid={disabled}")).await, 306, "账户未启用");
    }
}

#[tokio::test]
async fn what_is_a_companys_needs_one() {
    let library = Library::start().await;
    for path in OF_A_COMPANY {
        let get = async |more: &str| library.get(path, more).await;
        let own = format!("&company_id={}", library.company);
        assert_eq!(get(&own).await.json()["code"], 200, "{path}");
        is_refusal(&get("").await, 301, "数据类型验证失败");
        is_refusal(&get("&company_id=abc").await, 301, "数据类型验证失败");
        is_refusal(&get("&company_id=999").await, 302, "对应ID不存在");
    }
}

/// Every endpoint of these pages, asked by whoever `signature` says.
async fn every_endpoint(library: &Library, signature: &str, is: impl Fn(&Reply)) {
    let case = library.case("a").await;
    let diary = library.diary(case, "2019-01-28 13:50:00").await;
    let product = library.product("门票").await;
    let (uid, company) = (library.uid, library.company);
    let same =
        format!("{signature}&uid={uid}&company_id={company}&product_id={product}&case_id={case}");
    let head = library.house.service.head().await;
    let gets = OF_A_CARD.iter().map(|(path, _)| *path).chain(OF_A_COMPANY);
    for path in gets {
        is(&library
            .house
            .get(&format!("/zhugeleida{path}?{same}"))
            .send()
            .await);
    }
    let path = format!("/zhugeleida{X}/diary_manage/diary_id_review_list/{diary}?{same}");
    is(&library.house.get(&path).send().await);
    for path in [
        "/case_manage/collection_case".to_owned(),
        format!("/diary_manage/review_diary/{diary}"),
        format!("/diary_manage/praise_diary/{diary}"),
    ] {
        let call = library
            .house
            .service
            .post(&format!("/zhugeleida{X}{path}?{same}"));
        is(&call.json(&json!({ "content": "好" })).send().await);
    }
    assert_eq!(library.house.service.head().await, head);
}

#[tokio::test]
async fn nobody_comes_in_without_a_signature_of_their_own() {
    let library = Library::start().await;
    let other = library.house.customer("o").await;
    let theirs = library.house.signature(&other);
    let stolen = theirs.replace(
        &format!("user_id={}", other.id),
        &format!("user_id={}", library.customer.id),
    );
    for signature in [String::new(), stolen] {
        every_endpoint(&library, &signature, |reply| {
            is_refusal(reply, 404, "非法请求");
        })
        .await;
    }
}

#[tokio::test]
async fn a_disabled_customer_stays_outside() {
    let library = Library::start().await;
    let signature = library.house.signature(&library.customer);
    library
        .tell(
            "Customer",
            library.customer.id,
            "DisableCustomer",
            json!({}),
        )
        .await;
    every_endpoint(&library, &signature, |reply| {
        is_refusal(reply, 306, "账户未启用");
    })
    .await;
}

#[tokio::test]
async fn each_endpoint_has_its_method() {
    let library = Library::start().await;
    for (path, _) in OF_A_CARD {
        is_refusal(&library.post(path, "").send().await, 402, "请求方式异常");
    }
    for path in OF_A_COMPANY {
        is_refusal(&library.post(path, "").send().await, 402, "请求方式异常");
    }
    for path in [
        "/case_manage/collection_case",
        "/diary_manage/review_diary/1",
        "/diary_manage/praise_diary/1",
    ] {
        let reply = library.get(&format!("{X}{path}"), "").await;
        is_refusal(&reply, 402, "请求方式异常");
    }
}
