//! The rules of one customer.

use chrono::{DateTime, TimeDelta, Utc};
use cqrs_es::test::TestFramework;

use super::*;

fn rules() -> TestFramework<Customer> {
    TestFramework::with(())
}

fn text(value: &str) -> Personal<String> {
    Personal::new("Customer:7", value.to_owned())
}

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

fn newcomer(trial: bool) -> Newcomer {
    Newcomer {
        openid: text("dev_x"),
        unionid: None,
        user_type: UserType::MiniProgram,
        source: Source::Scan,
        trial,
    }
}

fn registered(trial: bool) -> CustomerEvent {
    CustomerEvent::CustomerRegistered {
        openid: text("dev_x"),
        unionid: None,
        user_type: UserType::MiniProgram,
        source: Source::Scan,
        trial,
    }
}

fn bind(uid: i64, pid: Option<i64>) -> CustomerCommand {
    CustomerCommand::Bind(Binding {
        uid,
        pid,
        source: Source::Forward,
        user_type: UserType::MiniProgram,
    })
}

fn bound(uid: i64, pid: Option<i64>) -> CustomerEvent {
    CustomerEvent::CustomerBound {
        uid,
        pid,
        source: Source::Forward,
        user_type: UserType::MiniProgram,
    }
}

#[test]
fn a_customer_is_registered_once() {
    let register = || CustomerCommand::Register(newcomer(false));
    rules()
        .given_no_previous_events()
        .when(register())
        .then_expect_events(vec![registered(false)]);
    rules()
        .given(vec![registered(false)])
        .when(register())
        .then_expect_error(CustomerError::Exists);
    rules()
        .given_no_previous_events()
        .when(CustomerCommand::LogIn { trial: false })
        .then_expect_error(CustomerError::NotFound);
}

#[test]
fn every_login_is_recorded_and_a_real_one_ends_the_trial() {
    let log_in = |trial| CustomerCommand::LogIn { trial };
    let logged_in = |trial| CustomerEvent::CustomerLoggedIn { trial };
    rules()
        .given(vec![registered(true), logged_in(true)])
        .when(log_in(true))
        .then_expect_events(vec![logged_in(true)]);
    let mut customer = Customer::default();
    for (event, trial) in [
        (registered(true), true),
        (logged_in(true), true),
        (logged_in(false), false),
        (logged_in(true), false),
    ] {
        crate::ledger::State::apply(&mut customer, &event);
        assert_eq!(customer.registered().unwrap().trial, trial);
    }
}

#[test]
fn for_one_enterprise_user_the_first_binding_counts() {
    rules()
        .given(vec![registered(false)])
        .when(bind(1, Some(3)))
        .then_expect_events(vec![bound(1, Some(3))]);
    rules()
        .given(vec![registered(false), bound(1, Some(3))])
        .when(bind(1, Some(4)))
        .then_expect_events(vec![]);
    rules()
        .given(vec![registered(false), bound(1, Some(3))])
        .when(bind(2, None))
        .then_expect_events(vec![bound(2, None)]);
}

#[test]
fn a_profile_is_recorded_as_far_as_it_changes() {
    let profile = |username: &str| Profile {
        username: text(username),
        headimgurl: text("https://wx.qlogo.cn/0"),
        city: text(""),
        country: text("中国"),
        province: text(""),
        language: text("zh_CN"),
    };
    let whole = CustomerEvent::CustomerProfileUpdated {
        username: Some(text("奥利奥")),
        headimgurl: Some(text("https://wx.qlogo.cn/0")),
        city: Some(text("")),
        country: Some(text("中国")),
        province: Some(text("")),
        language: Some(text("zh_CN")),
    };
    let update = |username| CustomerCommand::UpdateProfile(profile(username));
    rules()
        .given(vec![registered(false)])
        .when(update("奥利奥"))
        .then_expect_events(vec![whole.clone()]);
    rules()
        .given(vec![registered(false), whole.clone()])
        .when(update("奥利奥"))
        .then_expect_events(vec![]);
    rules()
        .given(vec![registered(false), whole])
        .when(update("欧弟"))
        .then_expect_events(vec![CustomerEvent::CustomerProfileUpdated {
            username: Some(text("欧弟")),
            headimgurl: None,
            city: None,
            country: None,
            province: None,
            language: None,
        }]);
}

#[test]
fn a_form_id_is_kept_once_for_seven_days() {
    let collect = |id: &str, at| CustomerCommand::CollectFormId {
        form_id: text(id),
        at,
    };
    let collected = |id: &str, at: DateTime<Utc>| CustomerEvent::FormIdCollected {
        form_id: text(id),
        expires_at: at + TimeDelta::days(7),
    };
    rules()
        .given(vec![registered(false)])
        .when(collect("f1", noon()))
        .then_expect_events(vec![collected("f1", noon())]);
    rules()
        .given(vec![registered(false), collected("f1", noon())])
        .when(collect("f1", noon() + TimeDelta::days(1)))
        .then_expect_events(vec![]);
    let mut customer = Customer::default();
    for event in [
        registered(false),
        collected("f1", noon()),
        collected("f2", noon() + TimeDelta::days(8)),
    ] {
        crate::ledger::State::apply(&mut customer, &event);
    }
    // What has run out is forgotten, so that the state stays small.
    assert_eq!(customer.registered().unwrap().form_ids.len(), 1);
}

#[test]
fn a_number_is_handed_to_an_enterprise_user_once() {
    let capture = |uid, phone: &str| CustomerCommand::CapturePhone {
        uid,
        phone: text(phone),
        pure_phone: text(phone),
        country_code: text("86"),
    };
    let captured = |uid, phone: &str| CustomerEvent::CustomerPhoneCaptured {
        uid,
        phone: text(phone),
        pure_phone: text(phone),
        country_code: text("86"),
    };
    let given = || vec![registered(false), captured(1, "13800138000")];
    rules()
        .given(given())
        .when(capture(1, "13800138000"))
        .then_expect_events(vec![]);
    rules()
        .given(given())
        .when(capture(2, "13800138000"))
        .then_expect_events(vec![captured(2, "13800138000")]);
    rules()
        .given(given())
        .when(capture(1, "13900139000"))
        .then_expect_events(vec![captured(1, "13900139000")]);
}

#[test]
fn who_is_disabled_does_nothing_more_until_enabled() {
    let disabled = CustomerEvent::CustomerDisabled {};
    for command in [
        CustomerCommand::LogIn { trial: false },
        bind(1, None),
        CustomerCommand::CollectFormId {
            form_id: text("f"),
            at: noon(),
        },
    ] {
        rules()
            .given(vec![registered(false), disabled.clone()])
            .when(command)
            .then_expect_error(CustomerError::Disabled);
    }
    rules()
        .given(vec![registered(false)])
        .when(CustomerCommand::Disable)
        .then_expect_events(vec![disabled.clone()]);
    rules()
        .given(vec![registered(false), disabled.clone()])
        .when(CustomerCommand::Disable)
        .then_expect_events(vec![]);
    rules()
        .given(vec![registered(false), disabled])
        .when(CustomerCommand::Enable)
        .then_expect_events(vec![CustomerEvent::CustomerEnabled {}]);
    rules()
        .given(vec![registered(false)])
        .when(CustomerCommand::Enable)
        .then_expect_events(vec![]);
}

#[test]
fn who_was_forgotten_stays_so() {
    let erased = CustomerEvent::PersonErased {};
    for command in [
        CustomerCommand::Enable,
        CustomerCommand::LogIn { trial: false },
        bind(1, None),
    ] {
        rules()
            .given(vec![registered(false), erased.clone()])
            .when(command)
            .then_expect_error(CustomerError::NotFound);
    }
    let disabled = CustomerEvent::CustomerDisabled {};
    for before in [vec![registered(false)], vec![registered(false), disabled]] {
        rules()
            .given(before)
            .when(CustomerCommand::Erase)
            .then_expect_events(vec![erased.clone()]);
    }
    rules()
        .given(vec![registered(false), erased])
        .when(CustomerCommand::Erase)
        .then_expect_events(vec![]);
    rules()
        .given_no_previous_events()
        .when(CustomerCommand::Erase)
        .then_expect_error(CustomerError::NotFound);
}

#[test]
fn each_rotation_moves_the_token_on() {
    let rotated = CustomerEvent::CustomerTokenRotated {};
    rules()
        .given(vec![registered(false), rotated.clone()])
        .when(CustomerCommand::RotateToken)
        .then_expect_events(vec![rotated.clone()]);
    let mut customer = Customer::default();
    for event in [registered(false), rotated.clone(), rotated] {
        crate::ledger::State::apply(&mut customer, &event);
    }
    assert_eq!(customer.registered().unwrap().token_version, 2);
}
