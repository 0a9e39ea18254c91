//! The demo data of the community, seen through its functions.

use serde_json::{Value, json};
use shiji::cli::demo::community;

use crate::support::service::Service;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_data_is_told_once_and_looks_like_a_community() {
    let service = Service::start().await;
    let sent = community::fill(service.app.desk(), 60).await.unwrap();
    assert_eq!(sent.articles, 240);
    let head = service.head().await;
    let again = community::fill(service.app.desk(), 60).await.unwrap();
    assert_eq!((again.articles, again.commands), (0, 0));
    assert_eq!(service.head().await, head);

    let guest = service.member("访客").await;
    let mut rows: Vec<Value> = Vec::new();
    for offset in [0, 100, 200] {
        let page = json!({ "limit": 100, "offset": offset });
        let page = service.function(&guest, "article_list", page).await.json();
        rows.extend(page["article_list"].as_array().unwrap().clone());
    }
    assert_eq!(rows.len(), 240);
    let count = |row: &Value, name: &str| row[name].as_i64().unwrap();
    for row in &rows {
        assert_ne!(row["author"]["nickname"], "");
        assert!(count(row, "like_count") >= count(row, "collect_count"));
    }
    let liked = |row: &&Value| count(row, "like_count") >= 50;
    assert!((1..=20).contains(&rows.iter().filter(liked).count()));
    let said: i64 = rows.iter().map(|row| count(row, "comment_count")).sum();
    assert!(said > 500, "{said}");

    // The counters say what there is.
    let most = rows.iter().max_by_key(|row| count(row, "comment_count"));
    let most = most.unwrap();
    let body = json!({ "article_id": most["article_id"] });
    let detail = service.function(&guest, "article_detail", body).await;
    let detail = detail.json()["article_detail"].clone();
    for (list, name) in [
        ("comment_list", "comment_count"),
        ("like_user_list", "like_count"),
        ("collect_user_list", "collect_count"),
    ] {
        let there = i64::try_from(detail[list].as_array().unwrap().len()).unwrap();
        assert_eq!(there, count(most, name), "{name}");
    }
    let comments = detail["comment_list"].as_array().unwrap();
    assert!(comments.iter().any(|comment| comment["reply_id"].is_i64()));
    assert!(
        comments
            .iter()
            .any(|comment| count(comment, "up_count") > 0)
    );
}
