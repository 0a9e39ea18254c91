use cqrs_es::test::TestFramework;
use rstest::rstest;

use super::*;

fn rules() -> TestFramework<Case> {
    TestFramework::with(())
}

fn profile() -> CaseProfile {
    CaseProfile {
        customer_name: "李汉杰".to_owned(),
        headimgurl: "xxx.jpg".to_owned(),
        cover_picture: "{}".to_owned(),
    }
}

fn made() -> CaseEvent {
    created(1, &profile())
}

fn tags(ids: &[i64]) -> CaseCommand {
    CaseCommand::Tag {
        tag_ids: ids.iter().copied().collect(),
    }
}

fn tagged(ids: &[i64]) -> CaseEvent {
    CaseEvent::CaseTagged {
        tag_ids: ids.to_vec(),
    }
}

const ADDED: CaseEvent = CaseEvent::DiaryAdded { diary_id: 7 };
const REMOVED: CaseEvent = CaseEvent::DiaryRemoved { diary_id: 7 };
const ADD: CaseCommand = CaseCommand::AddDiary { diary_id: 7 };
const REMOVE: CaseCommand = CaseCommand::RemoveDiary { diary_id: 7 };

#[test]
fn a_case_is_made_once() {
    let create = || CaseCommand::Create {
        company_id: 1,
        profile: profile(),
    };
    rules()
        .given_no_previous_events()
        .when(create())
        .then_expect_events(vec![made()]);
    for given in [vec![made()], vec![made(), CaseEvent::CaseDeleted {}]] {
        rules()
            .given(given)
            .when(create())
            .then_expect_error(CaseError::Exists);
    }
}

#[test]
fn an_edit_records_what_changes() {
    let edit = CaseCommand::Edit(CaseEdit {
        customer_name: Some("李汉杰".to_owned()),
        headimgurl: Some("y.jpg".to_owned()),
        cover_picture: None,
    });
    let edited = CaseEvent::CaseEdited {
        customer_name: None,
        headimgurl: Some("y.jpg".to_owned()),
        cover_picture: None,
    };
    rules()
        .given(vec![made()])
        .when(edit.clone())
        .then_expect_events(vec![edited.clone()]);
    rules()
        .given(vec![made(), edited])
        .when(edit)
        .then_expect_events(vec![]);
}

#[test]
fn the_whole_set_of_tags_is_recorded_when_it_changes() {
    rules()
        .given(vec![made()])
        .when(tags(&[3, 1]))
        .then_expect_events(vec![tagged(&[1, 3])]);
    rules()
        .given(vec![made(), tagged(&[1, 3])])
        .when(tags(&[1, 3]))
        .then_expect_events(vec![]);
    rules()
        .given(vec![made(), tagged(&[1, 3])])
        .when(tags(&[]))
        .then_expect_events(vec![tagged(&[])]);
    let many: Vec<i64> = (1..=21).collect();
    rules()
        .given(vec![made()])
        .when(tags(&many))
        .then_expect_error(CaseError::Full);
}

#[test]
fn a_case_is_shown_and_taken_from_sight() {
    let published = || CaseEvent::CasePublished {};
    let withdrawn = || CaseEvent::CaseWithdrawn {};
    rules()
        .given(vec![made()])
        .when(CaseCommand::Publish)
        .then_expect_events(vec![published()]);
    rules()
        .given(vec![made(), published()])
        .when(CaseCommand::Publish)
        .then_expect_events(vec![]);
    rules()
        .given(vec![made(), published()])
        .when(CaseCommand::Withdraw)
        .then_expect_events(vec![withdrawn()]);
    rules()
        .given(vec![made()])
        .when(CaseCommand::Withdraw)
        .then_expect_events(vec![]);
}

#[test]
fn a_case_goes_without_diaries_only() {
    rules()
        .given(vec![made()])
        .when(ADD)
        .then_expect_events(vec![ADDED]);
    rules()
        .given(vec![made(), ADDED])
        .when(ADD)
        .then_expect_events(vec![]);
    rules()
        .given(vec![made(), ADDED])
        .when(CaseCommand::Delete)
        .then_expect_error(CaseError::HasDiaries);
    rules()
        .given(vec![made(), ADDED])
        .when(REMOVE)
        .then_expect_events(vec![REMOVED]);
    rules()
        .given(vec![made(), ADDED, REMOVED])
        .when(REMOVE)
        .then_expect_events(vec![]);
    rules()
        .given(vec![made(), ADDED, REMOVED])
        .when(CaseCommand::Delete)
        .then_expect_events(vec![CaseEvent::CaseDeleted {}]);
    rules()
        .given(vec![made(), CaseEvent::CaseDeleted {}])
        .when(CaseCommand::Delete)
        .then_expect_events(vec![]);
}

#[test]
fn a_case_has_room_for_so_many_diaries() {
    let many = i64::try_from(DIARIES_MAX).unwrap();
    let diaries = (1..=many).map(|number| CaseEvent::DiaryAdded {
        diary_id: 100 + number,
    });
    let given: Vec<CaseEvent> = std::iter::once(made()).chain(diaries).collect();
    rules()
        .given(given)
        .when(ADD)
        .then_expect_error(CaseError::Full);
}

#[rstest]
#[case(CaseCommand::Edit(CaseEdit::default()))]
#[case(tags(&[1]))]
#[case(CaseCommand::Publish)]
#[case(CaseCommand::Withdraw)]
#[case(ADD)]
#[case(REMOVE)]
fn nothing_is_asked_of_a_case_that_is_not_there(#[case] command: CaseCommand) {
    for given in [vec![], vec![made(), CaseEvent::CaseDeleted {}]] {
        rules()
            .given(given)
            .when(command.clone())
            .then_expect_error(CaseError::NotFound);
    }
}
