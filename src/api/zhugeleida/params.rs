//! Parameters that many endpoints have in common, for the documentation.

use serde::Deserialize;
use utoipa::IntoParams;

/// Who signed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct SignedQuery {
    /// The caller.
    user_id: i64,
    /// Unix time in milliseconds, as text.
    #[param(example = "1528871213546")]
    timestamp: String,
    /// `md5_hex(timestamp + token)`.
    #[param(example = "3eb2d45dd640c392d2cfa6f9e9b70aa9")]
    rand_str: String,
}

/// On whose pages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct UidQuery {
    /// The enterprise user; `u_id` is the same.
    uid: i64,
}

/// In whose library.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct CompanyQuery {
    /// The company.
    company_id: i64,
}

/// Perhaps in whose library.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct OptionalCompanyQuery {
    /// When it is there, the diary must be this company's.
    company_id: Option<i64>,
}

/// Which part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the query, which is read leniently")]
pub struct PageQuery {
    /// Page number from 1; 0 counts as 1.
    #[param(minimum = 0, default = 1)]
    current_page: Option<i64>,
    /// Rows on a page; more than 100 count as 100.
    #[param(minimum = 1, default = 20)]
    length: Option<i64>,
}
