//! What can have happened, and the state those facts add up to.
