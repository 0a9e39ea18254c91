//! Events as people and scripts see them.

use serde_json::{Value, json};

use crate::cli::show::{self, Output};
use crate::ledger::{Metadata, Recorded};

/// The most characters of a payload that a table shows.
const CELL: usize = 160;

/// What is shown.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Shown {
    /// Show what personal values say, not only whose they are.
    #[arg(long)]
    pub personal: bool,
}

impl Shown {
    /// Turns the markers of personal values into what may be shown.
    pub fn cover(self, value: &mut Value) {
        cover(value, self.personal);
    }

    /// What an event says, as far as it may be shown.
    pub fn payload(self, event: &Recorded) -> serde_json::Result<Value> {
        let mut payload = serde_json::from_str(&event.payload)?;
        self.cover(&mut payload);
        Ok(payload)
    }
}

/// Prints events: a table, or one JSON object each.
pub fn print(events: &[Recorded], output: Output, shown: Shown) -> anyhow::Result<()> {
    print_with(events, output, shown, |_| None)
}

/// The same, where each event may have a level: how many causes lie between it and what was asked for.
pub fn print_with(
    events: &[Recorded],
    output: Output,
    shown: Shown,
    level: impl Fn(&Recorded) -> Option<u32>,
) -> anyhow::Result<()> {
    let mut table = show::table([
        "position",
        "recorded (UTC)",
        "stream",
        "no.",
        "event",
        "actor",
        "cause",
        "content",
    ]);
    for event in events {
        let payload = shown.payload(event)?;
        let level = level(event);
        if output.json {
            let mut object = object(event, &payload);
            if let Some(level) = level {
                object["level"] = level.into();
            }
            show::json(&object)?;
            continue;
        }
        let metadata = event.metadata().ok();
        let indent = "  ".repeat(level.unwrap_or(0).try_into().unwrap_or(0));
        table.add_row([
            show::number(event.position),
            event
                .recorded_at
                .format("%Y-%m-%d %H:%M:%S%.3f")
                .to_string()
                .into(),
            event.stream.to_string().into(),
            show::number(event.sequence),
            format!("{indent}{}", event.event_type).into(),
            metadata.as_ref().map_or("", |m| m.actor.as_str()).into(),
            metadata.as_ref().map(cause).unwrap_or_default().into(),
            cut(content(&payload, &event.event_type)).into(),
        ]);
    }
    if !output.json && !events.is_empty() {
        show::line(&table.to_string())?;
    }
    Ok(())
}

/// What led to an event: what the service itself acted upon, else the request and the door it came through.
fn cause(metadata: &Metadata) -> String {
    match &metadata.causation {
        Some(cause) => format!("after {cause}"),
        None => format!("{} {}", metadata.surface, metadata.request_id),
    }
}

/// An event as JSON.
pub fn object(event: &Recorded, payload: &Value) -> Value {
    let metadata: Value = serde_json::from_str(&event.metadata).unwrap_or(Value::Null);
    json!({
        "position": event.position, "event_id": event.event_id, "stream": event.stream.to_string(),
        "sequence": event.sequence, "type": event.event_type, "version": event.event_version,
        "recorded_at": event.recorded_at, "metadata": metadata, "payload": payload,
    })
}

/// Payloads are `{"<type>": {…}}`: the type has a column of its own.
fn content(payload: &Value, event_type: &str) -> String {
    payload.get(event_type).unwrap_or(payload).to_string()
}

fn cut(text: String) -> String {
    match text.char_indices().nth(CELL) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// Turns the markers of personal values into what may be shown: whose it is, or what it says.
fn cover(value: &mut Value, personal: bool) {
    match value {
        Value::Object(map) => {
            if map.len() == 1
                && let Some((marker, body)) = map.iter().next()
                && matches!(marker.as_str(), "$personal" | "$erased")
            {
                let subject = body.get(0).unwrap_or(body).as_str().unwrap_or_default();
                *value = match (marker.as_str(), body.get(1)) {
                    ("$personal", Some(clear)) if personal => clear.clone(),
                    ("$erased", _) => Value::String(format!("(erased, of {subject})")),
                    _ => Value::String(format!("(personal, of {subject})")),
                };
                return;
            }
            map.values_mut().for_each(|child| cover(child, personal));
        }
        Value::Array(items) => items.iter_mut().for_each(|child| cover(child, personal)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_values_are_covered_unless_asked_for() {
        let stored = json!({ "AccountOpened": { "name": { "$personal": ["Account:backend:1", "王芳"] }, "role": 1 } });
        let mut covered = stored.clone();
        cover(&mut covered, false);
        assert_eq!(
            covered,
            json!({ "AccountOpened": { "name": "(personal, of Account:backend:1)", "role": 1 } })
        );
        let mut open = stored;
        cover(&mut open, true);
        assert_eq!(open["AccountOpened"]["name"], "王芳");
        let mut erased = json!({ "name": { "$erased": "Account:backend:1" } });
        cover(&mut erased, true);
        assert_eq!(erased["name"], "(erased, of Account:backend:1)");
    }

    #[test]
    fn long_contents_are_cut_at_a_character() {
        assert_eq!(
            cut("史".repeat(CELL + 1)),
            format!("{}…", "史".repeat(CELL))
        );
        assert_eq!(cut("史记".to_owned()), "史记");
    }
}
