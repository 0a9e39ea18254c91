//! `shiji audit head`, and how a kept head is written.

use std::str::FromStr;

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::cli::show::{self, Output};
use crate::cli::{Exit, store};
use crate::ledger::{self, Head, Link, Mark};
use crate::postgres::Database;

/// A head as it is printed and given back: `<generation>-<position>:<link>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The position.
    pub mark: Mark,
    /// Its link.
    pub link: Link,
}

impl FromStr for Kept {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const REFUSAL: &str =
            "it must be what `shiji audit head` printed: <generation>-<position>:<64 hex digits>";
        let (mark, link) = text.trim().split_once(':').ok_or(REFUSAL)?;
        let link = HEXLOWER_PERMISSIVE.decode(link.as_bytes());
        Ok(Self {
            mark: mark.parse().map_err(|_| REFUSAL)?,
            link: link
                .ok()
                .and_then(|link| link.try_into().ok())
                .ok_or(REFUSAL)?,
        })
    }
}

/// A head in one word.
pub fn word(head: &Head) -> String {
    format!("{}-{}:{}", head.generation, head.position, head.chain)
}

/// Prints the head.
pub async fn run(database: &Database, output: Output) -> anyhow::Result<Exit> {
    let head = ledger::head(&store::pool(database))
        .await
        .map_err(|error| store::explain(&error))?;
    if output.json {
        let word = word(&head);
        show::json(&serde_json::json!({
            "ledger": head.ledger, "generation": head.generation, "position": head.position,
            "chain": head.chain, "head": word,
        }))?;
    } else {
        show::line(&word(&head))?;
    }
    Ok(Exit::Fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back() {
        let head = Head {
            ledger: uuid::Uuid::nil(),
            generation: 2,
            position: 4711,
            chain: "0a".repeat(32),
        };
        let kept: Kept = word(&head).parse().unwrap();
        assert_eq!(kept.mark.to_string(), "2-4711");
        assert_eq!(kept.link, [0x0a; 32]);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "4711", "1-5", "1-5:ab", "x-5:00"] {
            assert!(text.parse::<Kept>().is_err(), "{text}");
        }
    }
}
