//! Reading articles: feeds, one's own, what one collected, one of them whole (`contract/community.md` 3.3, 3.8, 3.10, 3.20, 3.48, 3.49).

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use utoipa::{IntoParams, ToSchema};

use crate::api::App;
use crate::api::community::call::MemberCall;
use crate::api::community::catalogue::PageParams;
use crate::api::community::comments::{self as under, CommentData};
use crate::api::community::envelope::{self, Answer};
use crate::api::community::{Problem, SURFACE};
use crate::events::party::TargetKind;
use crate::projections::articles::{self, ArticleDetail, ArticleItem};
use crate::projections::comments;
use crate::projections::reactions::{self, Reactor};
use crate::projections::together::{Question, part_of};

/// Articles of a feed, unless the caller says how many.
const FEED: i64 = 20;
/// Rows of other lists, unless the caller says how many; also comments shown with an article.
const LIST: i64 = 100;

/// Which part of a feed.
#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[schema(as = community::FeedQuery)]
#[expect(
    dead_code,
    reason = "it documents the parameters, which are read leniently"
)]
pub struct FeedQuery {
    /// Articles wanted; more than 100 count as 100.
    #[param(minimum = 1, default = 20)]
    #[schema(minimum = 1, default = 20)]
    limit: Option<i64>,
    /// Articles to pass over.
    #[param(minimum = 0, default = 0)]
    #[schema(minimum = 0, default = 0)]
    offset: Option<i64>,
}

/// Who wrote something.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::AuthorBrief)]
pub struct AuthorBrief {
    #[schema(example = "7c9e6679742540de944be07fc1f90ae7")]
    uid: String,
    #[schema(example = "nick-18685555555")]
    nickname: String,
    avatar: Option<String>,
}

impl From<Reactor> for AuthorBrief {
    fn from(reactor: Reactor) -> Self {
        Self {
            uid: reactor.uid,
            nickname: reactor.nickname,
            avatar: reactor.avatar,
        }
    }
}

/// An article of the caller's.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MyArticle)]
pub struct MyArticleData {
    #[schema(example = 61)]
    article_id: i64,
    /// Who wrote it.
    uid: String,
    content: String,
    /// Media names.
    images: Vec<String>,
    /// Milliseconds since the epoch.
    #[schema(example = 1_701_061_051_887_i64)]
    created_at: i64,
    like_count: i64,
    collect_count: i64,
    comment_count: i64,
    /// The caller likes it.
    is_like: bool,
    /// The caller collected it.
    is_collect: bool,
}

/// An article of a feed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::Article)]
pub struct ArticleData {
    #[serde(flatten)]
    article: MyArticleData,
    author: AuthorBrief,
}

/// An article the caller collected.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::CollectedArticle)]
pub struct CollectedData {
    #[schema(example = 61)]
    article_id: i64,
    content: String,
    /// Media names.
    images: Vec<String>,
    /// When it was published, milliseconds since the epoch.
    #[schema(example = 1_701_061_051_887_i64)]
    created_at: i64,
    like_count: i64,
    collect_count: i64,
    comment_count: i64,
}

impl From<ArticleItem> for MyArticleData {
    fn from(article: ArticleItem) -> Self {
        Self {
            article_id: article.id,
            uid: article.author,
            content: article.content,
            images: article.images,
            created_at: article.created_at.timestamp_millis(),
            like_count: article.like_count,
            collect_count: article.collect_count,
            comment_count: article.comment_count,
            is_like: article.is_like,
            is_collect: article.is_collect,
        }
    }
}

impl From<ArticleItem> for ArticleData {
    fn from(mut article: ArticleItem) -> Self {
        let author = AuthorBrief {
            uid: article.author.clone(),
            nickname: std::mem::take(&mut article.nickname),
            avatar: article.avatar.take(),
        };
        Self {
            article: article.into(),
            author,
        }
    }
}

impl From<ArticleItem> for CollectedData {
    fn from(article: ArticleItem) -> Self {
        Self {
            article_id: article.id,
            content: article.content,
            images: article.images,
            created_at: article.created_at.timestamp_millis(),
            like_count: article.like_count,
            collect_count: article.collect_count,
            comment_count: article.comment_count,
        }
    }
}

fn all<T: From<U>, U>(rows: Vec<U>) -> Vec<T> {
    rows.into_iter().map(T::from).collect()
}

/// A page of the feed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::ArticleList)]
pub struct ArticleList {
    article_list: Vec<ArticleData>,
}

/// Article feed (读文章列表,在首页秀场里展示)
///
/// Everybody's articles, newest first.
#[utoipa::path(
    method(get, post), path = "/community/api/v1/article_list", tag = SURFACE, operation_id = "community_article_list",
    params(FeedQuery), request_body = FeedQuery,
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<ArticleList>)),
)]
pub async fn feed(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let page = call.fields.page(FEED)?;
    let stamp = call.as_of(&app).await?;
    let page = (page.offset, page.limit);
    let found = app.crowds().feeds.ask(page, call.member.uid.clone()).await;
    let (found, place) = found.map_err(|error| Problem::query(&app, error))?;
    let article_list = all(found.of(place));
    Ok(envelope::found(stamp, ArticleList { article_list }))
}

/// A page of the feed of whom the caller follows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::FollowingArticleList)]
pub struct FollowingArticleList {
    following_article_list: Vec<ArticleData>,
}

/// Feed of the users I follow (读我关注的人的文章列表,在首页关注里展示)
///
/// Newest first; the caller's own are not among them.
#[utoipa::path(
    method(get, post), path = "/community/api/v1/following_article_list", tag = SURFACE,
    operation_id = "community_following_article_list",
    params(FeedQuery), request_body = FeedQuery,
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<FollowingArticleList>)),
)]
pub async fn following(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let page = call.fields.page(FEED)?;
    let stamp = call.as_of(&app).await?;
    let found = articles::of_followed(app.reads(), &call.member.uid, page.offset, page.limit).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let following_article_list = all(found);
    let list = FollowingArticleList {
        following_article_list,
    };
    Ok(envelope::found(stamp, list))
}

/// A page of the caller's articles.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MyArticleList)]
pub struct MyArticleList {
    my_article_list: Vec<MyArticleData>,
}

/// My articles (读我的文章列表,在我的笔记里展示)
///
/// Newest first.
#[utoipa::path(
    method(get, post), path = "/community/api/v1/my_article_list", tag = SURFACE, operation_id = "community_my_article_list",
    params(FeedQuery), request_body = FeedQuery,
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<MyArticleList>)),
)]
pub async fn mine(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let page = call.fields.page(FEED)?;
    let stamp = call.as_of(&app).await?;
    let found = articles::of_reader(app.reads(), &call.member.uid, page.offset, page.limit).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let my_article_list = all(found);
    Ok(envelope::found(stamp, MyArticleList { my_article_list }))
}

/// A page of what the caller collected.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::CollectedArticleList)]
pub struct CollectedList {
    my_article_collect_list: Vec<CollectedData>,
}

/// Articles I collected (我收藏的文章列表)
///
/// The last collected first; deleted ones are left out.
#[utoipa::path(
    method(get, post), path = "/community/api/v1/my_article_collect_list", tag = SURFACE,
    operation_id = "community_my_article_collect_list",
    params(PageParams), request_body = PageParams,
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<CollectedList>)),
)]
pub async fn collected(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let page = call.fields.page(LIST)?;
    let stamp = call.as_of(&app).await?;
    let found = articles::collected(app.reads(), &call.member.uid, page.offset, page.limit).await;
    let found = found.map_err(|error| Problem::query(&app, error))?;
    let my_article_collect_list = all(found);
    let list = CollectedList {
        my_article_collect_list,
    };
    Ok(envelope::found(stamp, list))
}

/// Which article.
#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[schema(as = community::ArticleQuery)]
#[expect(
    dead_code,
    reason = "it documents the parameters, which are read leniently"
)]
pub struct ArticleQuery {
    /// Article id.
    #[param(minimum = 1, example = 61)]
    #[schema(minimum = 1, example = 61)]
    article_id: i64,
}

/// Who wrote an article, as the caller sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::ArticleAuthor)]
pub struct ArticleAuthor {
    uid: String,
    nickname: String,
    avatar: Option<String>,
    /// 0 unknown, 1 male, 2 female.
    gender: i16,
    /// Dialling code.
    #[schema(example = "86")]
    country: String,
    province: Option<String>,
    city: Option<String>,
    /// Milliseconds since the epoch.
    birthday: Option<i64>,
    intro: Option<String>,
    /// When the author came, milliseconds since the epoch.
    created_at: i64,
    /// The caller follows the author.
    is_follow: bool,
}

/// An article whole.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::ArticleDetail)]
pub struct ArticleDetailData {
    #[schema(example = 61)]
    article_id: i64,
    content: String,
    /// Media names.
    images: Vec<String>,
    /// Milliseconds since the epoch.
    #[schema(example = 1_701_061_051_887_i64)]
    created_at: i64,
    /// The newest 100.
    like_user_list: Vec<AuthorBrief>,
    /// The newest 100.
    collect_user_list: Vec<AuthorBrief>,
    /// The newest 100.
    comment_list: Vec<CommentData>,
    author: ArticleAuthor,
    /// The caller likes it.
    is_like: bool,
    /// The caller collected it.
    is_collect: bool,
}

/// The article asked for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::ArticleDetailAnswer)]
pub struct DetailAnswer {
    article_detail: ArticleDetailData,
}

/// Article detail with comments, likes and collects (读文章详情)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/article_detail", tag = SURFACE, operation_id = "community_article_detail",
    params(ArticleQuery), request_body = ArticleQuery,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 423", body = Answer<DetailAnswer>)),
)]
pub async fn detail(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let id = call.fields.id("article_id")?.required()?;
    let stamp = call.as_of(&app).await?;
    let asked = app.crowds().articles.ask((), (call.member.uid, id));
    let (found, place) = asked.await.map_err(|error| Problem::query(&app, error))?;
    let found = found.get(place).and_then(Clone::clone);
    let article = found.ok_or_else(Problem::not_found)?;
    let article_detail = whole(article);
    Ok(envelope::found(stamp, DetailAnswer { article_detail }))
}

/// An article with what is said under it and who reacted to it.
#[derive(Clone)]
pub struct WholeArticle {
    article: ArticleDetail,
    said: Vec<comments::CommentItem>,
    reacted: Vec<Reactor>,
}

/// Articles, each asked for by a reader.
pub struct WholeArticles;

impl Question for WholeArticles {
    type Key = ();
    type Asker = (String, i64);
    type Answer = Vec<Option<WholeArticle>>;

    async fn ask(reads: &PgPool, (): &(), askers: &[(String, i64)]) -> sqlx::Result<Self::Answer> {
        let (readers, ids): (Vec<String>, Vec<i64>) = askers.iter().cloned().unzip();
        let targets: Vec<String> = ids.iter().map(i64::to_string).collect();
        let kind = TargetKind::Article.word();
        let (details, said, reacted) = tokio::try_join!(
            articles::details(reads, &readers, &ids),
            comments::pages(reads, &readers, (kind, &targets), 0, LIST),
            reactions::likes_and_collects(reads, kind, &targets),
        )?;
        let mut said: Vec<_> = said
            .into_iter()
            .map(|said| said.map(|said| (None, said, vec![])))
            .collect();
        for article in details {
            if let Some(Some((known, ..))) = part_of(article.asker, &mut said) {
                *known = Some(article);
            }
        }
        for reactor in reacted {
            if let Some(Some((.., reacted))) = part_of(reactor.asker, &mut said) {
                reacted.push(reactor);
            }
        }
        // Deleted between two of the looks is deleted.
        let whole = said.into_iter().map(|part| {
            let (article, said, reacted) = part?;
            article.map(|article| WholeArticle {
                article,
                said,
                reacted,
            })
        });
        Ok(whole.collect())
    }
}

fn whole(
    WholeArticle {
        article,
        said,
        reacted,
    }: WholeArticle,
) -> ArticleDetailData {
    let (likes, collects): (Vec<_>, Vec<_>) = reacted
        .into_iter()
        .partition(|reactor| reactor.kind == "like");
    ArticleDetailData {
        article_id: article.id,
        content: article.content,
        images: article.images,
        created_at: article.created_at.timestamp_millis(),
        like_user_list: all(likes),
        collect_user_list: all(collects),
        comment_list: all(said),
        author: ArticleAuthor {
            uid: article.author,
            nickname: article.nickname,
            avatar: article.avatar,
            gender: article.gender,
            country: article.country,
            province: article.province,
            city: article.city,
            birthday: article.birthday_ms,
            intro: article.intro,
            created_at: article.joined_at.timestamp_millis(),
            is_follow: article.is_follow,
        },
        is_like: article.is_like,
        is_collect: article.is_collect,
    }
}

/// Which part of an article's comments.
#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[schema(as = community::ArticleCommentsQuery)]
#[expect(
    dead_code,
    reason = "it documents the parameters, which are read leniently"
)]
pub struct CommentsQuery {
    /// Article id.
    #[param(minimum = 1, example = 61)]
    #[schema(minimum = 1, example = 61)]
    article_id: i64,
    /// Comments wanted; more than 100 count as 100.
    #[param(minimum = 1, default = 100)]
    #[schema(minimum = 1, default = 100)]
    limit: Option<i64>,
    /// Comments to pass over.
    #[param(minimum = 0, default = 0)]
    #[schema(minimum = 0, default = 0)]
    offset: Option<i64>,
}

/// A page of an article's comments.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::ArticleCommentList)]
pub struct CommentList {
    article_comment_list: Vec<CommentData>,
}

/// List article comments (读文章评论列表)
///
/// Comments and answers together, newest first.
#[utoipa::path(
    method(get, post), path = "/community/api/v1/article_comment_list", tag = SURFACE,
    operation_id = "community_article_comment_list",
    params(CommentsQuery), request_body = CommentsQuery,
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 423", body = Answer<CommentList>)),
)]
pub async fn comment_list(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let id = call.fields.id("article_id")?.required()?;
    let page = call.fields.page(LIST)?;
    let stamp = call.as_of(&app).await?;
    let found = under::found(&app, &call, TargetKind::Article, id, page).await?;
    let article_comment_list = all(found);
    let list = CommentList {
        article_comment_list,
    };
    Ok(envelope::found(stamp, list))
}
