//! The arrows of the house, read from the source: what each folder may import, where SQL and axum may stand.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Floors from the top, with what they may import; "down only" for those that say [`BELOW`].
const HOUSE: [(&str, u8, &[&str]); 10] = [
    ("cli", 6, BELOW),
    ("api", 5, BELOW),
    ("processes", 4, BELOW),
    // These two do not know each other, nor the world outside.
    ("commands", 3, &["events", "ledger", "settings"]),
    (
        "projections",
        3,
        &["events", "ledger", "postgres", "settings"],
    ),
    ("events", 2, &["ledger"]),
    ("ledger", 1, &["postgres", "settings"]),
    ("gateways", 1, &["settings"]),
    ("postgres", 1, &["settings"]),
    ("settings", 0, &[]),
];
const BELOW: &[&str] = &["*"];

/// Words that only stand where the folder is among those listed.
const KEPT_IN: [(&str, &[&str]); 9] = [
    ("query!(", SQL),
    ("query_as!(", SQL),
    ("query_scalar!(", SQL),
    ("query_file!(", SQL),
    ("sqlx::query", SQL),
    ("sqlx::raw_sql", SQL),
    ("axum::", &["api"]),
    ("use axum", &["api"]),
    ("utoipa_axum", &["api"]),
];
const SQL: &[&str] = &["ledger", "projections", "postgres"];

#[test]
fn arrows_point_down_only() {
    let mut wrong = Vec::new();
    for (folder, file, text) in sources() {
        for import in imports(&text) {
            if !may_import(&folder, &import) {
                wrong.push(format!(
                    "{}: {folder} may not import {import}",
                    file.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sql_and_axum_stay_where_they_belong() {
    let mut wrong = Vec::new();
    for (folder, file, text) in sources() {
        for (word, folders) in KEPT_IN {
            if text.contains(word) && !folders.contains(&folder.as_str()) {
                wrong.push(format!(
                    "{}: {word} stands in {} only",
                    file.display(),
                    folders.join(", ")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_folder_has_its_floor() {
    for (folder, file, _) in sources() {
        assert!(
            HOUSE.iter().any(|(name, ..)| *name == folder),
            "{} stands on no floor",
            file.display()
        );
    }
}

#[test]
fn imports_are_found_however_they_are_written() {
    let text = "use crate::{
            api::{self, crate_thing}, // crate::cli
            ledger::Ledger, events};
        fn f() { crate::postgres::migrate(); mycrate::x(); }
        pub(in crate::commands) struct S; use crate::gateways as g;";
    let mut found = imports(&without_comments(text));
    found.sort();
    assert_eq!(
        found,
        [
            "api", "commands", "events", "gateways", "ledger", "postgres"
        ]
    );
    assert!(!may_import("commands", "projections"));
    assert!(!may_import("ledger", "events"));
    assert!(may_import("api", "events"));
}

fn may_import(folder: &str, import: &str) -> bool {
    let floor = |name: &str| HOUSE.iter().find(|(house, ..)| *house == name);
    let (Some((_, from, allowed)), Some((_, to, _))) = (floor(folder), floor(import)) else {
        // A macro or function at the root of the crate, or a folder without a floor, which another test names.
        return true;
    };
    folder == import || allowed.contains(&import) || (*allowed == BELOW && to < from)
}

/// Folder, path and text without comments of every source file; `main.rs` and `lib.rs` stand above all.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 5, "the source is not where it was");
    files
        .into_iter()
        .filter_map(|path| {
            let inside = path.strip_prefix(&root).unwrap().to_owned();
            let folder = inside
                .components()
                .next()
                .unwrap()
                .as_os_str()
                .to_str()
                .unwrap();
            let folder = folder.strip_suffix(".rs").unwrap_or(folder).to_owned();
            let text = without_comments(&fs::read_to_string(&path).unwrap());
            (folder != "main" && folder != "lib").then_some((folder, inside, text))
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn without_comments(text: &str) -> String {
    let code = |line: &str| match line.find("//") {
        Some(at) if !line[..at].ends_with(':') => line[..at].to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// The folders named right after `crate::`, alone or in braces.
fn imports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, path) in text.match_indices("crate::") {
        if text[..at]
            .ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '$')
        {
            continue;
        }
        let rest = text[at + path.len()..].trim_start();
        match rest.strip_prefix('{') {
            Some(group) => found.extend(first_words(group)),
            None => found.extend(word(rest)),
        }
    }
    found
}

/// The first word of each part of a group, up to its closing brace.
fn first_words(group: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut depth = 0;
    let mut fresh = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && !c.is_whitespace() => {
                words.extend(word(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    words
}

fn word(text: &str) -> Option<String> {
    let word: String = text
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    (!word.is_empty()).then_some(word)
}
