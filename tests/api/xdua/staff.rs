//! The staff commands of this surface: what they record, and when they refuse.

use serde_json::{Value, json};
use shiji::api::identity::session_id;

use super::House;

/// The refusal a command must get.
async fn refused(house: &House, to: &str, command: Value, code: i64, error: &str) {
    let answer = house.send(to, command.clone()).await;
    assert_eq!(answer.refusal(), (code, error), "{to} {command}");
}

#[tokio::test]
async fn a_team_is_founded_described_and_taken_out_of_use() {
    let house = House::start().await;
    let creator = house.user("dua:辣椒帅").await;
    let token = house.token(&creator).await;
    let create =
        json!({"CreateTeam": {"creator_id": creator, "name": " 儿研所 ", "code": "children"}});
    let created = house.send("Team/new", create).await;
    let id = created.body["data"]["id"].as_str().unwrap().to_owned();
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    assert!(id.len() == 8 && id.chars().all(hex), "{id}");
    created.is_done("Team", &id, 1, &["NameClaimed", "TeamCreated"]);
    let to = format!("Team/{id}");
    let send = async |command: Value| house.send(&to, command).await;
    let shown = async || house.result(&token, &[]).await["list"][0].clone();
    let team = shown().await;
    assert_eq!(team["name"], "儿研所");
    let defaults = json!(["1", "0", "0", "0", "0", "", ""]);
    let fields = [
        "enabled",
        "private",
        "invite_only",
        "rolec",
        "usroc",
        "brief",
        "avatar",
    ];
    assert_eq!(
        Value::from_iter(fields.map(|field| team[field].clone())),
        defaults
    );

    let edit = json!({"EditTeam": {"brief": "b", "private": true, "name": "儿研所"}});
    send(edit.clone())
        .await
        .is_done("Team", &id, 2, &["TeamEdited"]);
    send(edit).await.is_done("Team", &id, 2, &[]);
    send(json!({"EditTeam": {}}))
        .await
        .is_done("Team", &id, 2, &[]);
    send(json!({"DisableTeam": {}}))
        .await
        .is_done("Team", &id, 3, &["TeamDisabled"]);
    send(json!({"DisableTeam": {}}))
        .await
        .is_done("Team", &id, 3, &[]);
    assert_eq!(shown().await["enabled"], "0");
    send(json!({"EnableTeam": {}}))
        .await
        .is_done("Team", &id, 4, &["TeamEnabled"]);
}

#[tokio::test]
async fn a_team_has_roles_and_members_and_goes_without_them() {
    let house = House::start().await;
    let creator = house.user("dua:辣椒帅").await;
    let member = house.user("dua:老周").await;
    let token = house.token(&creator).await;
    let id = house.team(&creator, "children", json!({})).await;
    let to = format!("Team/{id}");
    let send = async |command: Value| house.send(&to, command).await;
    let shown = async || house.result(&token, &[]).await["list"][0].clone();

    let role = house
        .done(&to, json!({"AddTeamRole": {"name": "队长"}}))
        .await;
    assert_eq!(
        (&role["role_id"], &role["events"]),
        (&json!(1), &json!(["TeamRoleAdded"]))
    );
    refused(
        &house,
        &to,
        json!({"AddTeamRole": {"name": "队长"}}),
        300,
        "name_taken",
    )
    .await;
    let assign = json!({"AssignTeamMember": {"role_id": 1, "user_id": member}});
    send(assign.clone())
        .await
        .is_done("Team", &id, 3, &["TeamMemberAssigned"]);
    send(assign).await.is_done("Team", &id, 3, &[]);
    let team = shown().await;
    assert_eq!((&team["rolec"], &team["usroc"]), (&json!("1"), &json!("1")));

    refused(
        &house,
        &to,
        json!({"RemoveTeamRole": {"role_id": 1}}),
        304,
        "has_children",
    )
    .await;
    send(json!({"DeleteTeam": {}})).await.is_refusal(
        304,
        "has_children",
        "含有子级数据,请先删除或转移子级数据",
    );
    let unassign = json!({"RemoveTeamMember": {"role_id": 1, "user_id": member}});
    send(unassign.clone())
        .await
        .is_done("Team", &id, 4, &["TeamMemberRemoved"]);
    send(unassign).await.is_done("Team", &id, 4, &[]);
    send(json!({"RemoveTeamRole": {"role_id": 1}}))
        .await
        .is_done("Team", &id, 5, &["TeamRoleRemoved"]);
    let team = shown().await;
    assert_eq!((&team["rolec"], &team["usroc"]), (&json!("0"), &json!("0")));

    send(json!({"DeleteTeam": {}}))
        .await
        .is_done("Team", &id, 6, &["TeamDeleted", "NameReleased"]);
    send(json!({"DeleteTeam": {}}))
        .await
        .is_done("Team", &id, 6, &[]);
    assert_eq!(house.result(&token, &[]).await["list"], json!([]));
    refused(&house, &to, json!({"EnableTeam": {}}), 302, "not_found").await;
}

#[tokio::test]
async fn a_code_is_unique_among_the_teams_of_its_creator() {
    let house = House::start().await;
    let (one, other) = (house.user("dua:一").await, house.user("dua:二").await);
    let first = house.team(&one, "test", json!({})).await;
    house.team(&other, "test", json!({})).await;
    house.team(&one, "Test", json!({})).await;
    let again = json!({"CreateTeam": {"creator_id": one, "name": "x", "code": "test"}});
    refused(&house, "Team/new", again.clone(), 300, "name_taken").await;

    let second = house.team(&one, "second", json!({})).await;
    let take = json!({"EditTeam": {"code": "test"}});
    refused(
        &house,
        &format!("Team/{second}"),
        take.clone(),
        300,
        "name_taken",
    )
    .await;
    house
        .send(
            &format!("Team/{first}"),
            json!({"EditTeam": {"code": "free"}}),
        )
        .await
        .is_done(
            "Team",
            &first,
            2,
            &["TeamEdited", "NameClaimed", "NameReleased"],
        );
    house.send(&format!("Team/{second}"), take).await.is_done(
        "Team",
        &second,
        2,
        &["TeamEdited", "NameClaimed", "NameReleased"],
    );
    house
        .done(&format!("Team/{second}"), json!({"DeleteTeam": {}}))
        .await;
    house.done("Team/new", again).await;
}

#[tokio::test]
async fn of_many_who_take_a_code_at_once_one_gets_it() {
    let house = House::start().await;
    let user = house.user("dua:一").await;
    let create = json!({"CreateTeam": {"creator_id": user, "name": "x", "code": "race"}});
    let racers = (0..8).map(|_| house.send("Team/new", create.clone()));
    let answers = futures::future::join_all(racers).await;
    let codes: Vec<i64> = answers
        .iter()
        .map(|a| a.body["code"].as_i64().unwrap())
        .collect();
    assert_eq!(
        codes.iter().filter(|code| **code == 0).count(),
        1,
        "{codes:?}"
    );
    assert!(
        codes.iter().all(|code| [0, 300].contains(code)),
        "{codes:?}"
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let house = House::start().await;
    let user = house.user("dua:一").await;
    let team = house.team(&user, "x", json!({})).await;
    let to = format!("Team/{team}");
    for (to, command) in [
        (
            "Team/new",
            json!({"CreateTeam": {"creator_id": "nobody00", "name": "x", "code": "x"}}),
        ),
        (
            "Team/new",
            json!({"CreateTeam": {"creator_id": "?", "name": "x", "code": "x"}}),
        ),
        ("Team/00000000", json!({"EnableTeam": {}})),
        ("Team/new", json!({"EnableTeam": {}})),
        (
            "Account/xdua:nobody00",
            json!({"RenameAccount": {"name": "x"}}),
        ),
        ("Account/xdua:?", json!({"RenameAccount": {"name": "x"}})),
        (
            "Session/new",
            json!({"OpenSession": {"realm": "xdua", "account_id": "nobody00"}}),
        ),
        (
            "Session/new",
            json!({"OpenSession": {"realm": "xdua", "account_id": "?"}}),
        ),
        (
            &to,
            json!({"AssignTeamMember": {"role_id": 1, "user_id": user}}),
        ),
        (
            &to,
            json!({"RemoveTeamMember": {"role_id": 1, "user_id": user}}),
        ),
        (&to, json!({"RemoveTeamRole": {"role_id": 1}})),
    ] {
        refused(&house, to, command, 302, "not_found").await;
    }
    house.done(&to, json!({"AddTeamRole": {"name": "r"}})).await;
    let assign = json!({"AssignTeamMember": {"role_id": 1, "user_id": "nobody00"}});
    refused(&house, &to, assign, 302, "not_found").await;
    refused(
        &house,
        "Account/nobody:new",
        json!({"OpenAccount": {"name": "x"}}),
        404,
        "unknown_aggregate",
    )
    .await;
}

#[tokio::test]
async fn bounds_are_kept() {
    let house = House::start().await;
    let user = house.user("dua:一").await;
    let team = json!({"creator_id": user, "name": "x", "code": "x"});
    let with = |field: &str, value: Value| {
        let mut fields = team.clone();
        fields[field] = value;
        json!({ "CreateTeam": fields })
    };
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("  ")),
        ("name", json!("x".repeat(65))),
        ("code", json!("")),
        ("code", json!("a b")),
        ("code", json!("键")),
        ("code", json!("x".repeat(129))),
        ("brief", json!("x".repeat(501))),
        ("avatar", json!("x".repeat(513))),
        ("avatar", json!("a\0")),
        ("private", json!("1")),
        ("owner", json!(1)),
    ] {
        let answer = house.send("Team/new", with(field, value.clone())).await;
        assert_eq!(answer.refusal(), (303, "validation"), "{field} {value}");
        assert!(answer.body["data"][field].is_array(), "{}", answer.body);
    }
    house
        .done("Team/new", with("brief", json!("语".repeat(500))))
        .await;
    for (to, command) in [
        (
            "Account/xdua:new",
            json!({"OpenAccount": {"name": "x".repeat(65)}}),
        ),
        ("Account/xdua:new", json!({"OpenAccount": {"name": ""}})),
        (
            "Session/new",
            json!({"OpenSession": {"realm": "backend", "account_id": user}}),
        ),
        (
            "Session/new",
            json!({"OpenSession": {"realm": "xdua", "account_id": user, "ttl_days": 0}}),
        ),
        (
            "Session/new",
            json!({"OpenSession": {"realm": "xdua", "account_id": user, "ttl_days": 366}}),
        ),
    ] {
        refused(&house, to, command, 303, "validation").await;
    }
}

#[tokio::test]
async fn only_who_holds_the_bit_may() {
    let house = House::start().await;
    let user = house.user("dua:一").await;
    let team = house.team(&user, "x", json!({})).await;
    let session = session_id(&house.token(&user).await);
    let clerk = house.node.staff("other", 0, !128 & ((1 << 53) - 1)).await;
    for (to, command) in [
        ("Account/xdua:new", json!({"OpenAccount": {"name": "x"}})),
        (
            &format!("Account/xdua:{user}"),
            json!({"DisableAccount": {}}),
        ),
        (
            "Session/new",
            json!({"OpenSession": {"realm": "xdua", "account_id": user}}),
        ),
        (&format!("Session/{session}"), json!({"CloseSession": {}})),
        (
            "Team/new",
            json!({"CreateTeam": {"creator_id": user, "name": "x", "code": "y"}}),
        ),
        (&format!("Team/{team}"), json!({"DeleteTeam": {}})),
    ] {
        let answer = house.node.command(&clerk, to, command).await;
        assert_eq!(answer.refusal(), (403, "forbidden"), "{to}");
    }
}

#[tokio::test]
async fn a_new_name_shows_on_every_team_at_once() {
    let house = House::start().await;
    let user = house.user("dua:旧").await;
    let id = format!("xdua:{user}");
    house.team(&user, "x", json!({})).await;
    house.team(&user, "y", json!({})).await;
    let token = house.token(&user).await;
    let rename = json!({"RenameAccount": {"name": "dua:新"}});
    let renamed = house.send(&format!("Account/{id}"), rename.clone()).await;
    renamed.is_done("Account", &id, 2, &["AccountProfileUpdated"]);
    assert_eq!(renamed.header("x-pending"), "");
    let result = house.result(&token, &[]).await;
    for team in result["list"].as_array().unwrap() {
        assert_eq!(team["creator_name"], "dua:新");
    }
    house
        .send(&format!("Account/{id}"), rename)
        .await
        .is_done("Account", &id, 2, &[]);
}

#[tokio::test]
async fn a_repeated_key_gives_the_first_token_and_the_first_ids_again() {
    let house = House::start().await;
    let user = house.user("dua:一").await;
    let head = house.node.service.head().await;
    for (key, to, command) in [
        (
            "s",
            "Session/new",
            json!({"OpenSession": {"realm": "xdua", "account_id": user}}),
        ),
        (
            "a",
            "Account/xdua:new",
            json!({"OpenAccount": {"name": "dua:二"}}),
        ),
        (
            "t",
            "Team/new",
            json!({"CreateTeam": {"creator_id": user, "name": "x", "code": "x"}}),
        ),
    ] {
        let headers = [("idempotency-key", key)];
        let send = || {
            house
                .node
                .command_with(&house.clerk, to, command.clone(), &headers)
        };
        let first = send().await;
        assert_eq!(first.body["code"], 0, "{}", first.body);
        assert_eq!(send().await.body, first.body);
        if let Some(token) = first.body["data"]["token"].as_str() {
            assert_eq!(house.obj(token, &[]).await.body["error"], 0);
            for event in house.node.service.since(head).await {
                assert!(!event.payload.contains(token), "{}", event.payload);
            }
        }
    }
}
