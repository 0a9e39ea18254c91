//! The staff endpoint (contract README section 4, `backend.md` section 4).

mod accounts;
mod audit;
mod envelope;
mod persons;
mod things;
