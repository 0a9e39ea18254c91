//! The rules of one card.

use cqrs_es::test::TestFramework;

use super::*;

fn rules() -> TestFramework<Card> {
    TestFramework::with(())
}

fn text(value: &str) -> Personal<String> {
    Personal::new("Card:1", value.to_owned())
}

fn profile() -> CardProfile {
    CardProfile {
        username: text("张聪"),
        avatar: text("statics/zhugeleida/a.jpg"),
        mingpian_avatar: text(""),
        address: "北京市丰台区".to_owned(),
        position: "研发主管".to_owned(),
        email: text(""),
        wechat: text(""),
        mingpian_phone: text("13800138000"),
        sign: text(""),
        qr_code_url: String::new(),
        poster_url: String::new(),
    }
}

fn created() -> CardEvent {
    CardEvent::CardCreated {
        company_id: 1,
        profile: profile(),
    }
}

fn photo(photo_id: u32) -> CardEvent {
    CardEvent::CardPhotoAdded {
        photo_id,
        photo_url: "statics/p.jpg".to_owned(),
    }
}

fn add() -> CardCommand {
    CardCommand::AddPhoto {
        photo_url: "statics/p.jpg".to_owned(),
    }
}

#[test]
fn a_card_is_created_once() {
    let create = || CardCommand::Create {
        company_id: 1,
        profile: profile(),
    };
    rules()
        .given_no_previous_events()
        .when(create())
        .then_expect_events(vec![created()]);
    rules()
        .given(vec![created()])
        .when(create())
        .then_expect_error(CardError::Exists);
    rules()
        .given_no_previous_events()
        .when(CardCommand::Enable)
        .then_expect_error(CardError::NotFound);
}

#[test]
fn an_edit_records_what_changes() {
    let edit = CardEdit {
        username: Some(text("张聪")),
        position: Some("总监".to_owned()),
        mingpian_phone: Some(text("")),
        ..CardEdit::default()
    };
    let edited = CardEvent::CardEdited {
        username: None,
        avatar: None,
        mingpian_avatar: None,
        address: None,
        position: Some("总监".to_owned()),
        email: None,
        wechat: None,
        mingpian_phone: Some(text("")),
        sign: None,
        qr_code_url: None,
        poster_url: None,
    };
    rules()
        .given(vec![created()])
        .when(CardCommand::Edit(edit.clone()))
        .then_expect_events(vec![edited.clone()]);
    rules()
        .given(vec![created(), edited])
        .when(CardCommand::Edit(edit))
        .then_expect_events(vec![]);
}

#[test]
fn photos_are_counted_within_the_card_and_never_named_twice() {
    rules()
        .given(vec![created()])
        .when(add())
        .then_expect_events(vec![photo(1)]);
    let removed = CardEvent::CardPhotoRemoved { photo_id: 1 };
    rules()
        .given(vec![created(), photo(1), removed.clone()])
        .when(add())
        .then_expect_events(vec![photo(2)]);
    rules()
        .given(vec![created(), photo(1)])
        .when(CardCommand::RemovePhoto { photo_id: 1 })
        .then_expect_events(vec![removed.clone()]);
    rules()
        .given(vec![created(), photo(1), removed])
        .when(CardCommand::RemovePhoto { photo_id: 1 })
        .then_expect_error(CardError::NoPhoto { photo_id: 1 });
}

#[test]
fn a_card_shows_twenty_photos_and_no_more() {
    let nineteen: Vec<CardEvent> = std::iter::once(created())
        .chain((1..=19).map(photo))
        .collect();
    rules()
        .given(nineteen.clone())
        .when(add())
        .then_expect_events(vec![photo(20)]);
    let mut twenty = nineteen;
    twenty.push(photo(20));
    rules()
        .given(twenty)
        .when(add())
        .then_expect_error(CardError::Full);
}

#[test]
fn disabling_and_enabling_are_quiet_when_it_is_already_so() {
    let disabled = CardEvent::CardDisabled {};
    rules()
        .given(vec![created()])
        .when(CardCommand::Disable)
        .then_expect_events(vec![disabled.clone()]);
    rules()
        .given(vec![created(), disabled.clone()])
        .when(CardCommand::Disable)
        .then_expect_events(vec![]);
    rules()
        .given(vec![created(), disabled])
        .when(CardCommand::Enable)
        .then_expect_events(vec![CardEvent::CardEnabled {}]);
    rules()
        .given(vec![created()])
        .when(CardCommand::Enable)
        .then_expect_events(vec![]);
}

#[test]
fn who_was_forgotten_stays_so() {
    let erased = CardEvent::PersonErased {};
    for command in [
        CardCommand::Enable,
        add(),
        CardCommand::RotateToken,
        CardCommand::Edit(CardEdit::default()),
    ] {
        rules()
            .given(vec![created(), erased.clone()])
            .when(command)
            .then_expect_error(CardError::NotFound);
    }
    rules()
        .given(vec![created()])
        .when(CardCommand::Erase)
        .then_expect_events(vec![erased.clone()]);
    rules()
        .given(vec![created(), erased])
        .when(CardCommand::Erase)
        .then_expect_events(vec![]);
}
