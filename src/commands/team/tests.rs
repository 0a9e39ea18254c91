use cqrs_es::test::TestFramework;
use rstest::rstest;

use super::*;

fn rules() -> TestFramework<Team> {
    TestFramework::with(())
}

fn profile() -> TeamProfile {
    TeamProfile {
        name: "儿研所".to_owned(),
        code: "children".to_owned(),
        ..TeamProfile::default()
    }
}

fn create() -> TeamCommand {
    TeamCommand::Create {
        creator_id: "Dt5mvrtU".to_owned(),
        profile: profile(),
        enabled: true,
        since: None,
    }
}

fn founded() -> TeamEvent {
    created("Dt5mvrtU", &profile(), true, None)
}

fn role_added(role_id: u32, name: &str) -> TeamEvent {
    TeamEvent::TeamRoleAdded {
        role_id,
        name: name.to_owned(),
    }
}

fn assign() -> TeamCommand {
    TeamCommand::Assign {
        role_id: 1,
        user_id: "aaaaaaaa".to_owned(),
    }
}

fn unassign() -> TeamCommand {
    TeamCommand::Unassign {
        role_id: 1,
        user_id: "aaaaaaaa".to_owned(),
    }
}

fn assigned() -> TeamEvent {
    TeamEvent::TeamMemberAssigned {
        role_id: 1,
        user_id: "aaaaaaaa".to_owned(),
    }
}

fn unassigned() -> TeamEvent {
    TeamEvent::TeamMemberRemoved {
        role_id: 1,
        user_id: "aaaaaaaa".to_owned(),
    }
}

fn add_role(name: &str) -> TeamCommand {
    TeamCommand::AddRole {
        name: name.to_owned(),
    }
}

#[test]
fn a_team_is_created_once() {
    rules()
        .given_no_previous_events()
        .when(create())
        .then_expect_events(vec![founded()]);
    rules()
        .given(vec![founded()])
        .when(create())
        .then_expect_error(TeamError::Exists);
    rules()
        .given(vec![founded(), TeamEvent::TeamDeleted {}])
        .when(create())
        .then_expect_error(TeamError::Exists);
}

#[test]
fn an_edit_records_only_what_changes() {
    let edit = TeamEdit {
        name: Some("儿研所".to_owned()),
        brief: Some("new".to_owned()),
        private: Some(true),
        ..TeamEdit::default()
    };
    let edited = TeamEvent::TeamEdited {
        name: None,
        code: None,
        brief: Some("new".to_owned()),
        avatar: None,
        private: Some(true),
        invite_only: None,
    };
    rules()
        .given(vec![founded()])
        .when(TeamCommand::Edit(edit.clone()))
        .then_expect_events(vec![edited.clone()]);
    rules()
        .given(vec![founded(), edited])
        .when(TeamCommand::Edit(edit))
        .then_expect_events(vec![]);
}

#[test]
fn enabling_and_disabling_twice_is_quiet() {
    rules()
        .given(vec![founded()])
        .when(TeamCommand::Enable)
        .then_expect_events(vec![]);
    rules()
        .given(vec![founded()])
        .when(TeamCommand::Disable)
        .then_expect_events(vec![TeamEvent::TeamDisabled {}]);
    rules()
        .given(vec![founded(), TeamEvent::TeamDisabled {}])
        .when(TeamCommand::Disable)
        .then_expect_events(vec![]);
    rules()
        .given(vec![founded(), TeamEvent::TeamDisabled {}])
        .when(TeamCommand::Enable)
        .then_expect_events(vec![TeamEvent::TeamEnabled {}]);
}

#[test]
fn roles_have_names_of_their_own_and_ids_that_never_come_back() {
    rules()
        .given(vec![founded()])
        .when(add_role("cook"))
        .then_expect_events(vec![role_added(1, "cook")]);
    rules()
        .given(vec![founded(), role_added(1, "cook")])
        .when(add_role("cook"))
        .then_expect_error(TeamError::RoleNameTaken);
    rules()
        .given(vec![
            founded(),
            role_added(1, "cook"),
            TeamEvent::TeamRoleRemoved { role_id: 1 },
        ])
        .when(add_role("cook"))
        .then_expect_events(vec![role_added(2, "cook")]);
}

#[test]
fn a_role_is_removed_only_while_nobody_holds_it() {
    let remove = || TeamCommand::RemoveRole { role_id: 1 };
    rules()
        .given(vec![founded(), role_added(1, "cook")])
        .when(remove())
        .then_expect_events(vec![TeamEvent::TeamRoleRemoved { role_id: 1 }]);
    rules()
        .given(vec![founded(), role_added(1, "cook"), assigned()])
        .when(remove())
        .then_expect_error(TeamError::RoleHeld);
    rules()
        .given(vec![founded()])
        .when(remove())
        .then_expect_error(TeamError::NoRole { role_id: 1 });
}

#[test]
fn assigning_and_removing_twice_is_quiet() {
    let given = |more: &[TeamEvent]| {
        let mut events = vec![founded(), role_added(1, "cook")];
        events.extend_from_slice(more);
        rules().given(events)
    };
    given(&[])
        .when(assign())
        .then_expect_events(vec![assigned()]);
    given(&[assigned()])
        .when(assign())
        .then_expect_events(vec![]);
    given(&[assigned()])
        .when(unassign())
        .then_expect_events(vec![unassigned()]);
    given(&[assigned(), unassigned()])
        .when(unassign())
        .then_expect_events(vec![]);
    rules()
        .given(vec![founded()])
        .when(assign())
        .then_expect_error(TeamError::NoRole { role_id: 1 });
}

#[test]
fn a_team_goes_only_without_members_and_stays_gone() {
    rules()
        .given(vec![founded(), role_added(1, "cook")])
        .when(TeamCommand::Delete)
        .then_expect_events(vec![TeamEvent::TeamDeleted {}]);
    rules()
        .given(vec![founded(), role_added(1, "cook"), assigned()])
        .when(TeamCommand::Delete)
        .then_expect_error(TeamError::HasMembers);
    rules()
        .given(vec![founded(), TeamEvent::TeamDeleted {}])
        .when(TeamCommand::Delete)
        .then_expect_events(vec![]);
}

#[rstest]
#[case(TeamCommand::Edit(TeamEdit::default()))]
#[case(TeamCommand::Enable)]
#[case(TeamCommand::Disable)]
#[case(add_role("cook"))]
#[case(TeamCommand::RemoveRole { role_id: 1 })]
#[case(assign())]
#[case(unassign())]
fn what_is_not_there_takes_no_command(#[case] command: TeamCommand) {
    rules()
        .given_no_previous_events()
        .when(command.clone())
        .then_expect_error(TeamError::NotFound);
    rules()
        .given(vec![founded(), TeamEvent::TeamDeleted {}])
        .when(command)
        .then_expect_error(TeamError::NotFound);
    rules()
        .given_no_previous_events()
        .when(TeamCommand::Delete)
        .then_expect_error(TeamError::NotFound);
}

#[test]
fn a_team_has_only_so_many_roles() {
    let mut events = vec![founded()];
    events.extend((1..=1000).map(|id| role_added(id, &format!("role {id}"))));
    rules()
        .given(events)
        .when(add_role("one more"))
        .then_expect_error(TeamError::Full);
}
