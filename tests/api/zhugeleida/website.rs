//! `contract/zhugeleida.md` 3.23: a company's website.

use serde_json::json;

use super::is_success;
use super::library::Library;

const WEBSITE: &str = "/xiaochengxu/website";

#[tokio::test]
async fn the_website_shows_the_pictures_that_are_set_and_the_look_is_recorded() {
    let library = Library::start().await;
    let (_, neighbour) = library.neighbour().await;
    let uid = format!("&uid={}", library.uid);
    let nothing = json!({
        "ret_data": { "cover_picture": [], "content_picture": [] }, "data_count": 0
    });
    is_success(&library.get(WEBSITE, &uid).await, "", &nothing);
    let place = |name: &str| format!("statics/zhugeleida/imgs/xiaochengxu/website/{name}.png");
    let set = json!({
        "cover_picture": [place("Website_scroll_1"), place("Website_scroll_1")],
        "content_picture": [place("Content_2"), place("Content_1"), place("Content_3"), place("Content_4")]
    });
    library
        .tell("Website", library.company, "SetWebsitePictures", set)
        .await;
    let picture = |name: &str| json!({ "picture_url": place(name) });
    let expected = json!({
        "ret_data": {
            "cover_picture": [picture("Website_scroll_1"), picture("Website_scroll_1")],
            "content_picture": [
                picture("Content_2"), picture("Content_1"), picture("Content_3"), picture("Content_4")
            ]
        },
        "data_count": 6
    });
    is_success(&library.get(WEBSITE, &uid).await, "", &expected);
    // The parameter has two spellings; a neighbour has pictures of its own.
    let uid = format!("&u_id='{}'", library.uid);
    is_success(&library.get(WEBSITE, &uid).await, "", &expected);
    let reply = library.get(WEBSITE, &format!("&uid={neighbour}")).await;
    is_success(&reply, "", &nothing);
    let visits = library
        .visits(&format!("website:{}", library.company))
        .await;
    assert_eq!(visits, ["WebsiteViewed"; 3]);
}
