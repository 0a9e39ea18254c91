//! The event store: append, load, feed, chain, personal data, the watermark. Knows no event by name.
