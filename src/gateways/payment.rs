//! Whoever takes the money for orders: an HTTP gateway, or a stand-in that approves at once.
//!
//! A charge carries a key made from its order, and the same key is one charge: whoever is not sure whether a charge went
//! through sends it again. The HTTP form is two calls:
//!
//! | call | body | answer |
//! |---|---|---|
//! | `POST {url}/charges` | `key`, `order_id`, `uid`, `amount_fen` | 200 `{"status":"approved","reference":…}` or `{"status":"declined"}` |
//! | `POST {url}/refunds` | `key`, `reference`, `amount_fen` | any 2xx |

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// How long the gateway may take to be reached.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long one call may take altogether.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Characters of a reference, at most: what an event may hold.
const REFERENCE_CHARS: usize = 128;

/// Money for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Charge {
    /// Names the charge for good: sent twice, it is taken once.
    pub key: String,
    /// For which order.
    pub order_id: i64,
    /// From which member.
    pub uid: String,
    /// How much, in fen.
    pub amount_fen: i64,
}

/// What became of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charged {
    /// The money is taken.
    Approved {
        /// What the gateway calls the payment.
        reference: String,
    },
    /// It is not, and will not be.
    Declined,
}

/// Why nobody knows what became of a charge. Sending it again is safe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the payment gateway failed: {0}")]
pub struct PaymentError(String);

/// Takes and gives back money.
#[async_trait]
pub trait PaymentGateway: Send + Sync {
    /// Takes the money, once for each key.
    ///
    /// # Errors
    /// [`PaymentError`]: it may be taken or not.
    async fn charge(&self, charge: &Charge) -> Result<Charged, PaymentError>;

    /// Gives it back, once for each key.
    ///
    /// # Errors
    /// [`PaymentError`]: it may be given back or not.
    async fn refund(&self, charge: &Charge, reference: &str) -> Result<(), PaymentError>;
}

/// Approves every charge at once and takes nothing. For whoever has no gateway.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApprovesAll;

#[async_trait]
impl PaymentGateway for ApprovesAll {
    async fn charge(&self, charge: &Charge) -> Result<Charged, PaymentError> {
        Ok(Charged::Approved {
            reference: charge.key.clone(),
        })
    }

    async fn refund(&self, _charge: &Charge, _reference: &str) -> Result<(), PaymentError> {
        Ok(())
    }
}

/// A gateway behind HTTP.
#[derive(Debug, Clone)]
pub struct HttpPayments {
    client: reqwest::Client,
    url: String,
}

/// What a charge is answered.
#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Answer {
    Approved { reference: String },
    Declined,
}

#[derive(Serialize)]
struct Refund<'a> {
    key: &'a str,
    reference: &'a str,
    amount_fen: i64,
}

impl HttpPayments {
    /// Talks to the gateway at an address without a slash at its end.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn new(url: impl Into<String>) -> Result<Self, PaymentError> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            // An answer from elsewhere is no answer.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let url = url.into();
        Ok(Self { client, url })
    }

    async fn post(
        &self,
        what: &str,
        body: &impl Serialize,
    ) -> Result<reqwest::Response, PaymentError> {
        let address = format!("{}/{what}", self.url);
        let response = self.client.post(address).json(body).send().await?;
        if !response.status().is_success() {
            let status = response.status();
            return Err(PaymentError(format!("it answered {status}")));
        }
        Ok(response)
    }
}

#[async_trait]
impl PaymentGateway for HttpPayments {
    async fn charge(&self, charge: &Charge) -> Result<Charged, PaymentError> {
        match self.post("charges", charge).await?.json().await? {
            Answer::Approved { reference }
                if (1..=REFERENCE_CHARS).contains(&reference.chars().count()) =>
            {
                Ok(Charged::Approved { reference })
            }
            Answer::Approved { .. } => Err(PaymentError(
                "its reference is empty or too long".to_owned(),
            )),
            Answer::Declined => Ok(Charged::Declined),
        }
    }

    async fn refund(&self, charge: &Charge, reference: &str) -> Result<(), PaymentError> {
        let refund = Refund {
            key: &charge.key,
            reference,
            amount_fen: charge.amount_fen,
        };
        self.post("refunds", &refund).await?;
        Ok(())
    }
}

impl From<reqwest::Error> for PaymentError {
    fn from(error: reqwest::Error) -> Self {
        // The address may hold a password.
        Self(error.without_url().to_string())
    }
}
