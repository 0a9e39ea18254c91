//! Projects (`contract/community.md` 3.52, 3.67 … 3.69).

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::App;
use crate::api::community::call::MemberCall;
use crate::api::community::catalogue::{MasterWithFollow, PAGE, PageParams, millis};
use crate::api::community::envelope::{self, Answer};
use crate::api::community::{Problem, SURFACE};
use crate::projections::tickets::{self, Project, Projects};

/// A project with its master.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = community::Project)]
pub struct ProjectView {
    project_id: i64,
    #[schema(example = "项目名称0")]
    name: String,
    /// The name of a picture.
    image: String,
    intro: String,
    /// Milliseconds since the epoch.
    created_at: i64,
    master: MasterWithFollow,
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        Self {
            project_id: project.id,
            name: project.name,
            image: project.image,
            intro: project.intro,
            created_at: millis(project.created_at),
            master: project.master.into(),
        }
    }
}

/// A project with its master and how many tickets it has.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::ProjectCounted)]
pub struct ProjectCounted {
    #[serde(flatten)]
    project: ProjectView,
    /// Its tickets for sale now.
    ticket_count: i64,
}

/// Which project.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[schema(as = community::ProjectId)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "it documents parameters, which are read leniently"
)]
pub struct ProjectId {
    /// Project id.
    #[schema(minimum = 1, example = 200)]
    #[param(minimum = 1, example = 200)]
    project_id: i64,
}

/// A project.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::ProjectDetail)]
pub struct ProjectDetail {
    project_detail: ProjectCounted,
}

/// Project detail (项目详情)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/project_detail", tag = SURFACE, operation_id = "community_project_detail",
    request_body = ProjectId, params(ProjectId),
    responses((status = 200, description = "Codes: 0, 400, 401, 404, 423", body = Answer<ProjectDetail>)),
)]
pub async fn detail(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let id = call.fields.id("project_id")?.required()?;
    let project = tickets::project(app.reads(), &call.member.uid, id).await;
    let project = project.map_err(|error| Problem::query(&app, error))?;
    let project = project.ok_or_else(Problem::not_found)?;
    let project_detail = ProjectCounted {
        ticket_count: project.ticket_count,
        project: project.into(),
    };
    Ok(envelope::found(stamp, ProjectDetail { project_detail }))
}

/// Whose projects.
#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[schema(as = community::ProjectsOf)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "it documents parameters, which are read leniently"
)]
pub struct ProjectsOf {
    /// A master; absent or null: everybody's.
    #[schema(example = "bcedd63f179848a8bdc4ab4126b8119d")]
    #[param(example = "bcedd63f179848a8bdc4ab4126b8119d")]
    master_id: Option<String>,
    /// Rows to pass over.
    #[schema(minimum = 0, default = 0)]
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// Rows wanted; more than 100 counts as 100.
    #[schema(minimum = 1, default = 100)]
    #[param(minimum = 1, default = 100)]
    limit: Option<i64>,
}

/// Projects.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::ProjectList)]
pub struct ProjectList {
    project_list: Vec<ProjectView>,
}

/// Projects, all or of one master (项目列表（分页）)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/project_list", tag = SURFACE, operation_id = "community_project_list",
    request_body = ProjectsOf, params(ProjectsOf),
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<ProjectList>)),
)]
pub async fn list(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let master_id = call.fields.hex_id("master_id")?.optional();
    let which = master_id.as_deref().map_or(Projects::All, Projects::Of);
    let project_list = projects(&app, &call, which).await?;
    Ok(envelope::found(stamp, ProjectList { project_list }))
}

async fn projects(
    app: &App,
    call: &MemberCall,
    which: Projects<'_>,
) -> Result<Vec<ProjectView>, Problem> {
    let page = call.fields.page(PAGE)?;
    let uid = &call.member.uid;
    let projects = tickets::projects(app.reads(), uid, which, page.offset, page.limit).await;
    let projects = projects.map_err(|error| Problem::query(app, error))?;
    Ok(projects.into_iter().map(ProjectView::from).collect())
}

/// Recommended projects.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::ProjectRecommendList)]
pub struct ProjectRecommendList {
    project_recommend_list: Vec<ProjectView>,
}

/// Recommended projects (系统推荐的项目列表)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/project_recommend_list", tag = SURFACE, operation_id = "community_project_recommend_list",
    request_body = PageParams, params(PageParams),
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<ProjectRecommendList>)),
)]
pub async fn recommend_list(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let project_recommend_list = projects(&app, &call, Projects::Recommended).await?;
    Ok(envelope::found(
        stamp,
        ProjectRecommendList {
            project_recommend_list,
        },
    ))
}

/// Projects of followed masters, under two names: the documented one belongs to another function.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = community::MyFollowingMastersProjectList)]
pub struct FollowingProjects {
    project_recommend_list: Vec<ProjectView>,
    my_following_masters_project_list: Vec<ProjectView>,
}

/// Projects of the masters I follow (我关注的达人的项目列表（分页）)
#[utoipa::path(
    method(get, post), path = "/community/api/v1/my_following_masters_project_list", tag = SURFACE, operation_id = "community_my_following_masters_project_list",
    request_body = PageParams, params(PageParams),
    responses((status = 200, description = "Codes: 0, 400, 401, 423", body = Answer<FollowingProjects>)),
)]
pub async fn following(State(app): State<App>, call: MemberCall) -> Result<Response, Problem> {
    let stamp = call.as_of(&app).await?;
    let page = call.fields.page(PAGE)?;
    let uid = &call.member.uid;
    let projects = tickets::followed_projects(app.reads(), uid, page.offset, page.limit).await;
    let projects = projects.map_err(|error| Problem::query(&app, error))?;
    let projects: Vec<ProjectView> = projects.into_iter().map(ProjectView::from).collect();
    let projects = FollowingProjects {
        project_recommend_list: projects.clone(),
        my_following_masters_project_list: projects,
    };
    Ok(envelope::found(stamp, projects))
}
