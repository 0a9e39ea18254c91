//! HTTP: parse, dispatch one command or one query, answer.
