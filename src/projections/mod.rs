//! Tables folded from events, and the only queries that read them.
