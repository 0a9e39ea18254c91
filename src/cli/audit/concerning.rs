//! `shiji audit export --person <Aggregate:id>`: what the log holds concerning somebody, for them.

use serde_json::{Value, json};

use crate::cli::show;
use crate::cli::{Exit, store};
use crate::commands::person::Person;
use crate::ledger::{AppendLimits, Recorded};
use crate::postgres::Database;
use crate::settings::StoreSettings;

/// Events read at once.
const PAGE: i64 = 1_000;

/// Prints one JSON object a line: every event they made, that stands on their stream or holds values of theirs. Theirs are
/// opened; other people's are not. Somebody of whom there is nothing is a finding.
pub async fn run(
    database: &Database,
    settings: &StoreSettings,
    person: &Person,
) -> anyhow::Result<Exit> {
    let keys = store::keys(settings)?;
    let ledger = store::ledger(database, keys, AppendLimits::default(), 1, 2).await?;
    let (stream, actor) = (person.stream(), person.actor());
    let subject = stream.to_string();
    let mut after = 0;
    let mut any = false;
    loop {
        let page = ledger
            .concerning(&stream, actor.as_deref(), after, PAGE)
            .await?;
        let Some(last) = page.last() else { break };
        after = last.position;
        any = true;
        for event in &page {
            show::json(&line(event, &subject)?)?;
        }
    }
    store::part(&ledger).await;
    Ok(if any { Exit::Fine } else { Exit::Finding })
}

fn line(event: &Recorded, subject: &str) -> anyhow::Result<Value> {
    let mut payload: Value = serde_json::from_str(&event.payload)?;
    open(&mut payload, subject);
    let actor = event.metadata().map(|m| m.actor).unwrap_or_default();
    Ok(json!({
        "position": event.position, "recorded_at": event.recorded_at, "stream": event.stream.to_string(),
        "sequence": event.sequence, "type": event.event_type, "actor": actor, "payload": payload,
    }))
}

/// Puts what the person's own values say in the place of their markers, and whose they are in the place of others'.
fn open(value: &mut Value, subject: &str) {
    match value {
        Value::Object(map) => {
            if map.len() == 1
                && let Some((marker, body)) = map.iter().next()
                && matches!(marker.as_str(), "$personal" | "$erased")
            {
                let owner = body.get(0).unwrap_or(body).as_str().unwrap_or_default();
                *value = match body.get(1) {
                    Some(clear) if owner == subject => clear.clone(),
                    Some(_) => Value::String(format!("(personal, of {owner})")),
                    None => Value::String(format!("(erased, of {owner})")),
                };
                return;
            }
            for (name, child) in map.iter_mut() {
                // A secret of the door rather than something known of the person.
                if name == "password_hash" {
                    *child = Value::String("(withheld)".to_owned());
                } else {
                    open(child, subject);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|child| open(child, subject)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_their_own_values_are_opened() {
        let mut payload = json!({ "X": {
            "name": { "$personal": ["Customer:1", "王芳"] },
            "other": [{ "$personal": ["Customer:2", "李雷"] }],
            "gone": { "$erased": "Customer:1" },
            "password_hash": { "$personal": ["Customer:1", "$argon2id$"] },
            "number": 7,
        } });
        open(&mut payload, "Customer:1");
        let expected = json!({ "X": {
            "name": "王芳", "other": ["(personal, of Customer:2)"], "gone": "(erased, of Customer:1)",
            "password_hash": "(withheld)", "number": 7,
        } });
        assert_eq!(payload, expected);
    }
}
