use cqrs_es::test::TestFramework;

use super::*;

fn orders() -> TestFramework<Order> {
    TestFramework::with(())
}

fn lines(prices: &[i64]) -> Vec<OrderLine> {
    let numbered = (1_i64..).zip(prices);
    numbered
        .map(|(ticket_id, price_fen)| OrderLine {
            ticket_id,
            price_fen: *price_fen,
        })
        .collect()
}

fn place(prices: &[i64]) -> OrderCommand {
    OrderCommand::Place {
        uid: "0f".to_owned(),
        lines: lines(prices),
    }
}

fn placed() -> OrderEvent {
    OrderEvent::OrderPlaced {
        uid: "0f".to_owned(),
        lines: lines(&[1_999, 2_001]),
        price_fen: 4_000,
    }
}

fn pay(reference: Option<&str>) -> OrderCommand {
    OrderCommand::Pay {
        reference: reference.map(str::to_owned),
    }
}

fn paid(reference: Option<&str>) -> OrderEvent {
    OrderEvent::OrderPaid {
        uid: "0f".to_owned(),
        price_fen: 4_000,
        reference: reference.map(str::to_owned),
    }
}

fn cancel(reason: Option<&str>) -> OrderCommand {
    OrderCommand::Cancel {
        reason: reason.map(str::to_owned),
    }
}

fn cancelled(reason: Option<&str>) -> OrderEvent {
    OrderEvent::OrderCancelled {
        uid: "0f".to_owned(),
        reason: reason.map(str::to_owned),
    }
}

#[test]
fn the_price_of_an_order_is_the_sum_of_its_tickets() {
    orders()
        .given_no_previous_events()
        .when(place(&[1_999, 2_001]))
        .then_expect_events(vec![placed()]);
    orders()
        .given(vec![placed()])
        .when(place(&[1]))
        .then_expect_error(OrderError::Exists);
}

#[test]
fn an_order_has_one_to_fifty_tickets() {
    for prices in [vec![], vec![1; 51]] {
        orders()
            .given_no_previous_events()
            .when(place(&prices))
            .then_expect_error(OrderError::Size);
    }
    let most = place(&[1; 50]);
    assert!(Order::default().decide(&most).is_ok());
}

#[test]
fn a_pending_order_is_paid_once() {
    orders()
        .given(vec![placed()])
        .when(pay(Some("p1")))
        .then_expect_events(vec![paid(Some("p1"))]);
    for again in [pay(Some("p1")), pay(None)] {
        orders()
            .given(vec![placed(), paid(Some("p1"))])
            .when(again)
            .then_expect_events(vec![]);
    }
    orders()
        .given(vec![placed(), paid(Some("p1"))])
        .when(pay(Some("p2")))
        .then_expect_error(OrderError::PaidOtherwise);
    orders()
        .given(vec![placed(), cancelled(None)])
        .when(pay(Some("p1")))
        .then_expect_error(OrderError::Cancelled);
    orders()
        .given_no_previous_events()
        .when(pay(None))
        .then_expect_error(OrderError::NotFound);
}

#[test]
fn a_pending_order_is_given_up_once_and_a_paid_one_never() {
    orders()
        .given(vec![placed()])
        .when(cancel(Some(EXPIRED)))
        .then_expect_events(vec![cancelled(Some(EXPIRED))]);
    orders()
        .given(vec![placed(), cancelled(None)])
        .when(cancel(Some(EXPIRED)))
        .then_expect_events(vec![]);
    orders()
        .given(vec![placed(), paid(None)])
        .when(cancel(None))
        .then_expect_error(OrderError::Done);
    orders()
        .given_no_previous_events()
        .when(cancel(None))
        .then_expect_error(OrderError::NotFound);
}
