//! Every event type in every version that was ever stored has a sample, and each still reads.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use shiji::events::{catalogue, decode};
use shiji::ledger::{DecodeError, Recorded};

use super::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events")
}

fn recorded(aggregate: &str, event_type: &str, version: u32, payload: &str) -> Recorded {
    Recorded {
        position: 1,
        event_id: Uuid::nil(),
        stream: StreamId::dynamic(aggregate, "1"),
        sequence: 1,
        event_type: event_type.to_owned(),
        event_version: version.to_string(),
        payload: payload.trim().to_owned(),
        metadata: metadata().to_json(),
        recorded_at: noon(),
    }
}

#[test]
fn every_event_type_has_a_sample_of_every_version_and_it_still_reads() {
    let mut known = BTreeSet::new();
    for (aggregate, types) in catalogue() {
        for (event_type, present) in types {
            for version in 1..=*present {
                let name = format!("{aggregate}/{event_type}.v{version}.json");
                let sample =
                    std::fs::read_to_string(folder().join(&name)).unwrap_or_else(|error| {
                        panic!("tests/fixtures/events/{name} is missing: {error}")
                    });
                let event = decode(&recorded(aggregate, event_type, version, &sample));
                assert!(event.is_ok(), "{name}: {event:?}");
                known.insert(name);
            }
            // What a newer build stores is unknown here, not malformed.
            let newer = decode(&recorded(aggregate, event_type, present + 1, "{}"));
            assert_like!(
                newer,
                Err(DecodeError::Unknown { .. }),
                "{aggregate} {event_type}"
            );
        }
    }
    let mut there = BTreeSet::new();
    for aggregate in std::fs::read_dir(folder()).unwrap().flatten() {
        for sample in std::fs::read_dir(aggregate.path()).unwrap().flatten() {
            let names = [aggregate.file_name(), sample.file_name()];
            let names: Vec<_> = names.iter().map(|name| name.to_string_lossy()).collect();
            there.insert(names.join("/"));
        }
    }
    assert_eq!(
        there, known,
        "a sample is of an event that this build no longer knows"
    );
}

#[test]
fn an_aggregate_that_nobody_knows_is_unknown() {
    let found = decode(&recorded("Nobody", "Noted", 1, "{}"));
    assert_like!(found, Err(DecodeError::Unknown { .. }));
}
