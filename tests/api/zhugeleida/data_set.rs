//! The data set of `shiji demo`, as one of its visitors finds it.

use serde_json::json;
use shiji::cli::demo::mini_program;

use super::House;
use super::library::Library;

#[tokio::test]
async fn a_visitor_of_the_data_set_finds_a_library_to_look_around_in() {
    let house = House::start().await;
    let desk = house.service.app.desk();
    let sent = mini_program::fill(desk).await.unwrap();
    assert_eq!(sent.cards, 6);
    // A second run has nothing to send.
    let again = mini_program::fill(desk).await.unwrap();
    assert_eq!(again, mini_program::Sent::default());
    let customer = house.customer("demo1").await;
    let (uid, company): (i64, i64) =
        sqlx::query_as("SELECT uid, company_id FROM cards ORDER BY uid LIMIT 1")
            .fetch_one(house.service.app.reads())
            .await
            .unwrap();
    let library = Library {
        house,
        company,
        uid,
        customer,
    };
    let (cases, total) = library.list("/xiaochengxu/case_manage/case_list", "").await;
    assert_eq!((cases.len(), total), (2, 2));
    let names: Vec<_> = cases.iter().map(|case| &case["customer_name"]).collect();
    let example = json!("李汉杰-就是我，不一样的暗火");
    assert!(names.contains(&&example), "{names:?}");
    let (diaries, _) = library.list("/admin/diary_manage/diary_list", "").await;
    assert_eq!(diaries.len(), 5);
    for field in ["read_count", "comment_count", "up_count"] {
        let count: i64 = diaries
            .iter()
            .map(|diary| diary[field].as_i64().unwrap())
            .sum();
        assert!(count > 0, "{field}");
    }
    // This one opened a case, collected it, and looked for a tag.
    for path in [
        "/xiaochengxu/case_manage/browse_case_list_record",
        "/xiaochengxu/case_manage/collection_case_list_record",
        "/xiaochengxu/case_tag/history_case_list",
    ] {
        assert_eq!(library.list(path, "").await.1, 1, "{path}");
    }
    let of = format!("&uid={uid}");
    let products = library.get("/xiaochengxu/product/product_list/", &of).await;
    assert_eq!(products.json()["data"]["data_count"], 3);
    let website = library.get("/xiaochengxu/website", &of).await;
    assert_eq!(website.json()["data"]["data_count"], 6);
}
