//! Paying through a gateway, a real one behind HTTP and one that tests hold in their hands.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use shiji::commands::Desk;
use shiji::commands::order::CancelOrder;
use shiji::gateways::{Charge, Charged, HttpPayments, PaymentError, PaymentGateway};
use tokio::net::TcpListener;
use tokio::sync::{Barrier, Mutex};

use super::shelf::Shelf;
use super::{assert_done, assert_refused};
use crate::support::service::Door;

/// What a gateway behind HTTP was asked, and what it answers to charges.
#[derive(Clone, Default)]
struct Till {
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    answer: Arc<Mutex<(u16, Value)>>,
}

impl Till {
    /// Opens it; answers its address.
    async fn open(&self) -> String {
        let charges = async |State(till): State<Till>, Json(body): Json<Value>| {
            till.asked.lock().await.push(("charge".to_owned(), body));
            let (status, answer) = till.answer.lock().await.clone();
            (StatusCode::from_u16(status).unwrap(), Json(answer))
        };
        let refunds = async |State(till): State<Till>, Json(body): Json<Value>| {
            till.asked.lock().await.push(("refund".to_owned(), body));
            StatusCode::NO_CONTENT
        };
        let routes = Router::new()
            .route("/pay/charges", post(charges))
            .route("/pay/refunds", post(refunds))
            .with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("http://{address}/pay")
    }

    async fn answers(&self, status: u16, answer: Value) {
        *self.answer.lock().await = (status, answer);
    }
}

#[tokio::test]
async fn an_order_is_paid_through_a_gateway_behind_http() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let tickets = shelf.for_sale(2, 1999).await;
    let till = Till::default();
    let gateway = HttpPayments::new(till.open().await).unwrap();
    let door = shelf.paying_through(Arc::new(gateway));
    let order = shelf.order(&me, &tickets).await;
    let pay = async || {
        door.function(&me, "order_pay", json!({ "order_id": order }))
            .await
    };

    // Declined, the order waits on. What cannot be understood may have been taken: asking again is safe.
    till.answers(200, json!({ "status": "declined" })).await;
    assert_refused(&pay().await, 409);
    for (status, answer) in [
        (500, json!({})),
        (302, json!({ "status": "approved", "reference": "p" })),
        (200, json!({ "status": "perhaps" })),
        (200, json!({ "status": "approved", "reference": "" })),
        (
            200,
            json!({ "status": "approved", "reference": "x".repeat(129) }),
        ),
    ] {
        till.answers(status, answer.clone()).await;
        let reply = pay().await;
        assert_eq!(reply.status, 503, "{answer}");
        assert_eq!(reply.header("retry-after"), Some("1"));
        assert_eq!(reply.json(), json!({ "code": 503, "msg": "服务繁忙" }));
    }
    assert_eq!(shelf.events("Order", order).await, ["OrderPlaced"]);
    till.answers(200, json!({ "status": "approved", "reference": "p-1" }))
        .await;
    assert_done(&pay().await);
    let asked = till.asked.lock().await.clone();
    let key = format!("{}-{order}", shelf.ledger.id());
    let charge = json!({ "key": key, "order_id": order, "uid": me.uid, "amount_fen": 3998 });
    assert!(
        asked
            .iter()
            .all(|(what, body)| what == "charge" && *body == charge),
        "{asked:?}"
    );
    // Paid, the gateway is not asked again.
    assert_done(&pay().await);
    assert_eq!(till.asked.lock().await.len(), asked.len());
    let paid = shelf
        .since(0)
        .await
        .into_iter()
        .find(|e| e.event_type == "OrderPaid")
        .unwrap();
    let expected = json!({ "OrderPaid": { "uid": me.uid, "price_fen": 3998, "reference": "p-1" } });
    assert_eq!(
        serde_json::from_str::<Value>(&paid.payload).unwrap(),
        expected
    );
}

#[tokio::test]
async fn nobody_is_charged_where_the_log_is_shown_as_it_was() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let tickets = shelf.for_sale(1, 500).await;
    let order = shelf.order(&me, &tickets).await;
    let node = shelf.as_of(shelf.head().await).await;
    let till = Till::default();
    till.answers(200, json!({ "status": "approved", "reference": "p-1" }))
        .await;
    let gateway = HttpPayments::new(till.open().await).unwrap();
    let door = node.paying_through(Arc::new(gateway));
    let pay = json!({ "order_id": order });
    let reply = door.function(&me, "order_pay", pay).await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert_eq!(reply.json(), json!({ "code": 503, "msg": "服务繁忙" }));
    assert!(till.asked.lock().await.is_empty());
    assert_eq!(shelf.events("Order", order).await, ["OrderPlaced"]);
}

#[tokio::test]
async fn money_is_given_back_over_http() {
    let till = Till::default();
    let gateway = HttpPayments::new(till.open().await).unwrap();
    let charge = Charge {
        key: "k-7".to_owned(),
        order_id: 7,
        uid: "0f".to_owned(),
        amount_fen: 1999,
    };
    gateway.refund(&charge, "p-1").await.unwrap();
    let refund = json!({ "key": "k-7", "reference": "p-1", "amount_fen": 1999 });
    assert_eq!(*till.asked.lock().await, [("refund".to_owned(), refund)]);
    let nowhere = HttpPayments::new("http://user:secret@127.0.0.1:1").unwrap();
    let failure = nowhere.charge(&charge).await.unwrap_err().to_string();
    assert!(!failure.contains("secret"), "{failure}");
}

/// Approves, counting what it took and gave back; the order may be cancelled while the money is on its way.
struct Slow {
    desk: Desk,
    cancels: Option<shiji::commands::Request>,
    taken: AtomicI64,
    given_back: AtomicI64,
}

impl Slow {
    fn new(shelf: &Shelf, cancels: bool) -> Arc<Self> {
        Arc::new(Self {
            desk: shelf.app.desk().clone(),
            cancels: cancels.then(|| shelf.system()),
            taken: AtomicI64::new(0),
            given_back: AtomicI64::new(0),
        })
    }

    fn balance(&self) -> (i64, i64) {
        let read = |amount: &AtomicI64| amount.load(Ordering::SeqCst);
        (read(&self.taken), read(&self.given_back))
    }
}

#[async_trait]
impl PaymentGateway for Slow {
    async fn charge(&self, charge: &Charge) -> Result<Charged, PaymentError> {
        self.taken.fetch_add(charge.amount_fen, Ordering::SeqCst);
        if let Some(request) = &self.cancels {
            let cancel = CancelOrder {
                order_id: charge.order_id,
                uid: None,
                reason: None,
            };
            self.desk.run(request, &cancel).await.unwrap();
        }
        let reference = format!("slow-{}", charge.order_id);
        Ok(Charged::Approved { reference })
    }

    async fn refund(&self, charge: &Charge, reference: &str) -> Result<(), PaymentError> {
        assert_eq!(reference, format!("slow-{}", charge.order_id));
        self.given_back
            .fetch_add(charge.amount_fen, Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn money_for_an_order_that_was_cancelled_meanwhile_goes_back() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let tickets = shelf.for_sale(1, 1999).await;
    let slow = Slow::new(&shelf, true);
    let door = shelf.paying_through(slow.clone());
    let order = shelf.order(&me, &tickets).await;
    let pay = async || {
        door.function(&me, "order_pay", json!({ "order_id": order }))
            .await
    };
    assert_refused(&pay().await, 409);
    assert_eq!(slow.balance(), (1999, 1999));
    assert_eq!(
        shelf.events("Order", order).await,
        ["OrderPlaced", "OrderCancelled"]
    );
    // The ticket is free, and the order's second try takes nothing.
    shelf.order(&me, &tickets).await;
    assert_refused(&pay().await, 409);
    assert_eq!(slow.balance(), (1999, 1999));
}

#[tokio::test]
async fn a_key_that_was_used_takes_no_money() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let tickets = shelf.for_sale(2, 1999).await;
    let slow = Slow::new(&shelf, false);
    let door: Door = shelf.paying_through(slow.clone());
    let (one, two) = (
        shelf.order(&me, &tickets[..1]).await,
        shelf.order(&me, &tickets[1..]).await,
    );
    let pay = async |order: i64| {
        let call = door.post("/community/api/v1/order_pay").token(&me.token);
        let call = call.header("idempotency-key", "pay-1");
        call.json(&json!({ "order_id": order })).send().await
    };
    assert_done(&pay(one).await);
    assert_eq!(pay(one).await.json(), json!({ "code": 0 }));
    assert_refused(&pay(two).await, 409);
    assert_eq!(slow.balance(), (1999, 0));
    assert_eq!(shelf.events("Order", two).await, ["OrderPlaced"]);
}

/// Approves two charges once both are there, counting what goes back.
struct Together {
    both: Barrier,
    given_back: AtomicI64,
}

#[async_trait]
impl PaymentGateway for Together {
    async fn charge(&self, charge: &Charge) -> Result<Charged, PaymentError> {
        self.both.wait().await;
        let reference = format!("together-{}", charge.order_id);
        Ok(Charged::Approved { reference })
    }

    async fn refund(&self, charge: &Charge, _: &str) -> Result<(), PaymentError> {
        self.given_back
            .fetch_add(charge.amount_fen, Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn a_payment_that_another_request_has_recorded_stays() {
    let shelf = Shelf::open().await;
    let me = shelf.member("春风").await;
    let tickets = shelf.for_sale(1, 1999).await;
    let together = Arc::new(Together {
        both: Barrier::new(2),
        given_back: AtomicI64::new(0),
    });
    let door = shelf.paying_through(together.clone());
    let order = shelf.order(&me, &tickets).await;
    // One key over two requests that are not the same: the slower one is refused after its money was taken.
    let pay = async |order: Value| {
        let call = door.post("/community/api/v1/order_pay").token(&me.token);
        let call = call.header("idempotency-key", "pay-2");
        let reply = call.json(&json!({ "order_id": order })).send().await;
        reply.json()["code"].as_u64().unwrap()
    };
    let (one, two) = tokio::join!(pay(json!(order)), pay(json!(order.to_string())));
    assert_eq!([one.min(two), one.max(two)], [0, 409]);
    assert_eq!(
        shelf.events("Order", order).await,
        ["OrderPlaced", "OrderPaid"]
    );
    assert_eq!(together.given_back.load(Ordering::SeqCst), 0);
}
