use cqrs_es::test::TestFramework;
use rstest::rstest;

use super::*;

const AUTHOR: &str = "szasc68seig9jrhqw4eaj9gu3h";
const OTHER: &str = "esbng8qjsfn5jr355ikcr4aajr";

fn rules() -> TestFramework<Showcase> {
    TestFramework::with(())
}

fn score(hundredths: u16) -> Score {
    Score::from_hundredths(hundredths).unwrap()
}

fn publish() -> ShowcaseCommand {
    ShowcaseCommand::Publish {
        user_id: AUTHOR.to_owned(),
        industry: Industry::BrandDesign,
        score: score(9_000),
    }
}

fn published() -> ShowcaseEvent {
    ShowcaseEvent::ShowcasePublished {
        user_id: AUTHOR.to_owned(),
        industry: Industry::BrandDesign,
        score_hundredths: score(9_000),
    }
}

fn edit(user_id: Option<&str>, industry: Option<Industry>) -> ShowcaseCommand {
    ShowcaseCommand::Edit(ShowcaseEdit {
        user_id: user_id.map(str::to_owned),
        industry,
    })
}

fn scored(hundredths: u16) -> ShowcaseEvent {
    ShowcaseEvent::ShowcaseScored {
        score_hundredths: score(hundredths),
    }
}

fn file(file_id: &str) -> ShowcaseFile {
    let name = FileName::parse("fabu.jpg").unwrap();
    let new = NewFile {
        file_id: file_id.to_owned(),
        user_id: None,
        name,
        mime_type: "image/jpeg".to_owned(),
        size_bytes: 13_237,
        width_pixels: 500,
        height_pixels: 375,
        path: None,
        preview: Preview::Beside,
        day: "20210203".to_owned(),
        sha256: None,
    };
    new.of("5trb5tu7tj8kfe7gwk7qakfpac", AUTHOR)
}

fn added(file_id: &str) -> ShowcaseEvent {
    ShowcaseEvent::ShowcaseFileAdded(file(file_id))
}

fn removed(file_id: &str) -> ShowcaseEvent {
    ShowcaseEvent::ShowcaseFileRemoved {
        file_id: file_id.to_owned(),
    }
}

fn remove(file_id: &str) -> ShowcaseCommand {
    ShowcaseCommand::RemoveFile {
        file_id: file_id.to_owned(),
    }
}

#[test]
fn a_case_is_published_once() {
    rules()
        .given_no_previous_events()
        .when(publish())
        .then_expect_events(vec![published()]);
    for given in [
        vec![published()],
        vec![published(), ShowcaseEvent::ShowcaseWithdrawn {}],
    ] {
        rules()
            .given(given)
            .when(publish())
            .then_expect_error(ShowcaseError::Exists);
    }
}

#[rstest]
#[case(edit(None, Some(Industry::Game)))]
#[case(ShowcaseCommand::Score { score: score(1) })]
#[case(ShowcaseCommand::AddFile(file("a")))]
#[case(remove("a"))]
#[case(ShowcaseCommand::Withdraw)]
#[case(ShowcaseCommand::Restore)]
fn what_was_never_published_cannot_change(#[case] command: ShowcaseCommand) {
    rules()
        .given_no_previous_events()
        .when(command)
        .then_expect_error(ShowcaseError::NotFound);
}

#[test]
fn an_edit_records_what_changes_and_nothing_else() {
    let edited = |user_id: Option<&str>, industry| ShowcaseEvent::ShowcaseEdited {
        user_id: user_id.map(str::to_owned),
        industry,
    };
    rules()
        .given(vec![published()])
        .when(edit(Some(OTHER), Some(Industry::BrandDesign)))
        .then_expect_events(vec![edited(Some(OTHER), None)]);
    rules()
        .given(vec![published()])
        .when(edit(Some(AUTHOR), Some(Industry::Game)))
        .then_expect_events(vec![edited(None, Some(Industry::Game))]);
    rules()
        .given(vec![published(), edited(Some(OTHER), None)])
        .when(edit(Some(OTHER), None))
        .then_expect_events(vec![]);
    rules()
        .given(vec![published()])
        .when(edit(None, None))
        .then_expect_events(vec![]);
}

#[test]
fn a_score_is_recorded_when_it_differs() {
    let value = |hundredths| ShowcaseCommand::Score {
        score: score(hundredths),
    };
    rules()
        .given(vec![published()])
        .when(value(8_999))
        .then_expect_events(vec![scored(8_999)]);
    rules()
        .given(vec![published(), scored(8_999)])
        .when(value(8_999))
        .then_expect_events(vec![]);
}

#[test]
fn a_file_comes_once_and_goes_once() {
    rules()
        .given(vec![published()])
        .when(ShowcaseCommand::AddFile(file("a")))
        .then_expect_events(vec![added("a")]);
    rules()
        .given(vec![published(), added("a")])
        .when(ShowcaseCommand::AddFile(file("a")))
        .then_expect_error(ShowcaseError::FileExists {
            file_id: "a".to_owned(),
        });
    rules()
        .given(vec![published(), added("a")])
        .when(remove("a"))
        .then_expect_events(vec![removed("a")]);
    rules()
        .given(vec![published(), added("a"), removed("a")])
        .when(remove("a"))
        .then_expect_events(vec![]);
    rules()
        .given(vec![published(), added("a"), removed("a")])
        .when(ShowcaseCommand::AddFile(file("a")))
        .then_expect_events(vec![added("a")]);
}

#[test]
fn a_case_has_a_hundred_files_at_most() {
    let mut given = vec![published()];
    given.extend((1..FILES_MAX).map(|number| added(&number.to_string())));
    rules()
        .given(given.clone())
        .when(ShowcaseCommand::AddFile(file("last")))
        .then_expect_events(vec![added("last")]);
    given.push(added("last"));
    rules()
        .given(given.clone())
        .when(ShowcaseCommand::AddFile(file("more")))
        .then_expect_error(ShowcaseError::Full);
    given.push(removed("1"));
    rules()
        .given(given)
        .when(ShowcaseCommand::AddFile(file("more")))
        .then_expect_events(vec![added("more")]);
}

#[test]
fn withdrawing_and_restoring_are_quiet_when_it_is_already_so() {
    let withdrawn = || vec![published(), ShowcaseEvent::ShowcaseWithdrawn {}];
    rules()
        .given(vec![published()])
        .when(ShowcaseCommand::Withdraw)
        .then_expect_events(vec![ShowcaseEvent::ShowcaseWithdrawn {}]);
    rules()
        .given(withdrawn())
        .when(ShowcaseCommand::Withdraw)
        .then_expect_events(vec![]);
    rules()
        .given(withdrawn())
        .when(ShowcaseCommand::Restore)
        .then_expect_events(vec![ShowcaseEvent::ShowcaseRestored {}]);
    rules()
        .given(vec![published()])
        .when(ShowcaseCommand::Restore)
        .then_expect_events(vec![]);
}
