//! Random teams and random questions about them. Values come from small pools, so that questions have answers.

use chrono::{DateTime, FixedOffset};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Map, Value, json};

/// A question: the filter as a value and as the text that is sent, the order and the part of the list.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Question {
    pub filter: Value,
    pub text: String,
    pub order: Vec<(String, i8)>,
    pub skip: i64,
    pub limit: i64,
}

impl Question {
    /// The order as it is sent.
    pub fn order_text(&self) -> String {
        let terms = self
            .order
            .iter()
            .map(|(name, way)| format!("{name}:{}", if *way > 0 { "ASC" } else { "desc" }));
        terms.collect::<Vec<_>>().join(",")
    }
}

const TEXTS: [&str; 20] = [
    "",
    "children",
    "wikicivi",
    "calathus",
    "test",
    "Test",
    "TEST 2",
    "a",
    "ab",
    "aab",
    "a.b",
    "a_b-c",
    "儿研所",
    "无人阅读",
    "10",
    "2",
    "it's \"x\"",
    "one\ntwo",
    "100%_\\",
    "😀 b😀",
];
const TEXT_FIELDS: [&str; 9] = [
    "code",
    "name",
    "brief",
    "key",
    "breif",
    "creator_name",
    "id",
    "_id",
    "note",
];
const WIRE_NUMBERS: [&str; 5] = ["enabled", "invite_only", "private", "rolec", "usroc"];
const NUMBERS: [&str; 3] = ["ct", "ut", "score"];
const MISSING: [&str; 3] = ["x", "name.first", "tagsy"];
const TAGS: [&str; 6] = ["red", "green", "blue", "a", "ab", "儿"];
const STAMPS: [&str; 5] = [
    "2018-05-25T14:54:39+08:00",
    "2018-03-25T17:42:49+08:00",
    "2018-03-25T17:50:05+08:00",
    "2020-01-01T00:00:00+08:00",
    "1969-12-31T23:59:59+00:00",
];

pub struct Dice(StdRng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    fn one_of<T: Clone>(&mut self, among: &[T]) -> T {
        among.choose(&mut self.0).unwrap().clone()
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0.random_range(0..limit)
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn text(&mut self) -> &'static str {
        self.one_of(&TEXTS)
    }

    /// Some teams, with ids of their own.
    pub fn teams(&mut self, count: usize) -> Vec<Value> {
        let first = self.0.next_u32();
        (0..count)
            .map(|index| self.team(first.wrapping_add(u32::try_from(index).unwrap() * 7919)))
            .collect()
    }

    fn team(&mut self, id: u32) -> Value {
        let (created, updated) = (self.one_of(&STAMPS), self.one_of(&STAMPS));
        let created_at = DateTime::parse_from_rfc3339(created).unwrap();
        let china = FixedOffset::east_opt(8 * 3600).unwrap();
        let mut team = json!({
            "id": format!("{id:08x}"),
            "code": self.text(),
            "name": self.text(),
            "brief": self.text(),
            "avatar": "",
            "creator_id": "Dt5mvrtU",
            "creator_name": self.text(),
            "enabled": self.once_in(2),
            "invite_only": self.once_in(2),
            "private": self.once_in(3),
            "rolec": self.below(4),
            "usroc": self.below(12),
            "created_at": created,
            "updated_at": updated,
            "cstamp": created_at.with_timezone(&china).format("%Y-%m-%d %H:%M:%S").to_string(),
            "ct": created_at.timestamp(),
            "ut": DateTime::parse_from_rfc3339(updated).unwrap().timestamp(),
            "note": null, "score": null, "open": null, "seen": null, "tags": null,
        });
        if !self.once_in(3) {
            team["note"] = self.text().into();
        }
        if !self.once_in(3) {
            team["score"] = (i64::try_from(self.below(7)).unwrap() - 3).into();
        }
        if !self.once_in(3) {
            team["open"] = self.once_in(2).into();
        }
        if !self.once_in(3) {
            team["seen"] = self.one_of(&STAMPS).into();
        }
        if !self.once_in(3) {
            team["tags"] = self.tags();
        }
        team
    }

    fn tags(&mut self) -> Value {
        (0..self.below(4)).map(|_| self.one_of(&TAGS)).collect()
    }

    pub fn question(&mut self) -> Question {
        let filter = if self.once_in(12) {
            json!({"code": {"$regex": self.any_pattern()}})
        } else {
            self.query(2)
        };
        let text = self.dressed(&filter);
        let limit = self.one_of(&[1, 2, 3, 5, 20, 100]);
        Question {
            filter,
            text,
            order: (0..self.one_of(&[0, 1, 1, 2, 3]))
                .map(|_| self.term())
                .collect(),
            skip: if self.once_in(2) {
                0
            } else {
                i64::try_from(self.below(3)).unwrap() * limit
            },
            limit,
        }
        .completed()
    }

    fn term(&mut self) -> (String, i8) {
        let name = match self.below(4) {
            0 => self.one_of(&TEXT_FIELDS),
            1 => self.one_of(&WIRE_NUMBERS),
            2 => self.one_of(&NUMBERS),
            _ => self.one_of(&["cstamp", "open", "seen"]),
        };
        (name.to_owned(), self.one_of(&[1, -1]))
    }

    /// As raw JSON, single-quoted, in Base64, or as a bare pattern, where that is possible.
    fn dressed(&mut self, filter: &Value) -> String {
        let raw = filter.to_string();
        if let Some(Value::String(pattern)) = filter.pointer("/code/$regex")
            && filter.as_object().unwrap().len() == 1
            && filter["code"].as_object().unwrap().len() == 1
            && pattern.trim() == pattern
            && !pattern.is_empty()
            && !pattern.starts_with('{')
            && self.once_in(2)
        {
            return pattern.clone();
        }
        match self.below(4) {
            0 => data_encoding::BASE64
                .encode(raw.as_bytes())
                .replace('+', " "),
            1 => data_encoding::BASE64URL_NOPAD.encode(raw.as_bytes()),
            2 if !raw.contains('\'') && !raw.contains("\\\"") => raw.replace('"', "'"),
            _ => raw,
        }
    }

    fn query(&mut self, depth: usize) -> Value {
        let mut query = Map::new();
        for _ in 0..self.one_of(&[1, 1, 1, 1, 1, 1, 2, 2, 3, 0]) {
            if depth > 0 && self.once_in(3) {
                let clauses = (0..=self.below(3)).map(|_| self.query(depth - 1)).collect();
                query.insert(self.one_of(&["$and", "$or", "$nor"]).to_owned(), clauses);
            } else {
                let (name, asked) = self.condition(depth);
                query.insert(name.to_owned(), asked);
            }
        }
        Value::Object(query)
    }

    fn condition(&mut self, depth: usize) -> (&'static str, Value) {
        let name = match self.below(14) {
            0..5 => self.one_of(&TEXT_FIELDS),
            5..8 => self.one_of(&WIRE_NUMBERS),
            8..10 => self.one_of(&NUMBERS),
            10 => self.one_of(&["cstamp", "open", "seen"]),
            11..13 => "tags",
            _ => self.one_of(&MISSING),
        };
        if self.once_in(3) {
            return (name, self.operand(name));
        }
        let operators = (0..=self.below(5) / 3)
            .flat_map(|_| self.operator(name, depth))
            .collect();
        (name, Value::Object(operators))
    }

    fn operator(&mut self, name: &str, depth: usize) -> Vec<(String, Value)> {
        const COMPARING: [&str; 6] = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"];
        let pair = |operator: &str, operand: Value| vec![(operator.to_owned(), operand)];
        match self.below(16) {
            0..5 => {
                let operator = self.one_of(&COMPARING);
                let mut operand = self.operand(name);
                // Arrays are ordered in MongoDB; here they only equal (docs/filter.md).
                while operand.is_array() && !["$eq", "$ne"].contains(&operator) {
                    operand = self.operand(name);
                }
                pair(operator, operand)
            }
            5..7 => {
                let values = (0..self.below(4)).map(|_| self.operand(name)).collect();
                pair(self.one_of(&["$in", "$nin"]), values)
            }
            7..9 if depth > 0 => {
                let inner = (0..=self.below(2))
                    .flat_map(|_| self.operator(name, depth - 1))
                    .collect();
                pair("$not", Value::Object(inner))
            }
            9 => pair("$exists", self.once_in(2).into()),
            10 => pair(
                "$type",
                self.one_of(&["string", "array", "bool", "date", "number"])
                    .into(),
            ),
            11 => pair(
                "$mod",
                json!([self.one_of(&[1, 2, 3, -2]), self.one_of(&[0, 1, -1])]),
            ),
            12 if name == "tags" => pair("$size", self.below(4).into()),
            13 if name == "tags" => pair(
                "$all",
                (0..self.below(3)).map(|_| self.one_of(&TAGS)).collect(),
            ),
            14 if name == "tags" && depth > 0 => {
                let inner = (0..=self.below(2))
                    .flat_map(|_| self.operator("name", 0))
                    .collect();
                pair("$elemMatch", Value::Object(inner))
            }
            _ => {
                let mut found = pair("$regex", self.any_pattern().into());
                if self.once_in(2) {
                    found.push((
                        "$options".to_owned(),
                        self.one_of(&["", "i", "m", "s", "im"]).into(),
                    ));
                }
                found
            }
        }
    }

    fn operand(&mut self, name: &str) -> Value {
        match self.below(12) {
            0 => Value::Null,
            1 => self.once_in(2).into(),
            2 => self.one_of(&[
                json!(0),
                json!(1),
                json!(2.0),
                json!(1.5),
                json!(-0.5),
                json!(1e300),
            ]),
            _ if WIRE_NUMBERS.contains(&name) => {
                let number = self.below(5);
                if self.once_in(2) {
                    number.into()
                } else {
                    number.to_string().into()
                }
            }
            _ => match name {
                "ct" | "ut" => DateTime::parse_from_rfc3339(self.one_of(&STAMPS))
                    .unwrap()
                    .timestamp()
                    .into(),
                "score" => (i64::try_from(self.below(7)).unwrap() - 3).into(),
                "open" => self.once_in(2).into(),
                "seen" => self.one_of(&STAMPS).into(),
                "cstamp" => self
                    .one_of(&["2018-05-25 14:54:39", "2018-04", "2019", ""])
                    .into(),
                "tags" if self.once_in(3) => self.tags(),
                "tags" => self.one_of(&TAGS).into(),
                _ => self.text().into(),
            },
        }
    }

    /// A pattern of the plain sort, or a wild one.
    fn any_pattern(&mut self) -> String {
        const PLAIN: [&str; 12] = [
            "^c",
            ".s.",
            "[a-c]+b?$",
            "^.{1,4}$",
            "^\\w+$",
            "i(?:l|k)",
            "\\d",
            "T",
            "n\n",
            "儿|人",
            "^t",
            "s\\b",
        ];
        if self.once_in(2) {
            self.one_of(&PLAIN).to_owned()
        } else {
            self.pattern(2)
        }
    }

    /// A pattern that means the same in JavaScript (with the flag `u`).
    pub fn pattern(&mut self, depth: usize) -> String {
        let mut pattern = String::new();
        if depth == 2 && self.once_in(5) {
            pattern.push('^');
        }
        for _ in 0..self.one_of(&[0, 1, 1, 2, 3]) {
            let atom = match self.below(if depth > 0 { 12 } else { 9 }) {
                0..5 => self
                    .one_of(&[
                        "a", "b", "c", "e", "t", "2", "_", "-", "%", " ", "儿", "😀", "\\n",
                    ])
                    .to_owned(),
                5 => ".".to_owned(),
                6 => self
                    .one_of(&["\\d", "\\w", "\\s", "\\D", "\\W", "\\S", "\\.", "\\\\"])
                    .to_owned(),
                7 => self
                    .one_of(&[
                        "[abc]",
                        "[^a-t]",
                        "[\\d_]",
                        "[\\W2]",
                        "[儿-无]",
                        "[a\\-]",
                        "[^\\n]",
                    ])
                    .to_owned(),
                8 => {
                    // Assertions, which nothing repeats.
                    pattern.push_str(self.one_of(&["\\b", "\\B", "^", "$"]));
                    continue;
                }
                _ => format!(
                    "{}{}|{})",
                    self.one_of(&["(", "(?:"]),
                    self.pattern(depth - 1),
                    self.pattern(depth - 1)
                ),
            };
            pattern.push_str(&atom);
            pattern.push_str(self.one_of(&[
                "", "", "", "", "*", "+", "?", "{2}", "{1,}", "{0,2}", "*?", "+?",
            ]));
        }
        if depth == 2 && self.once_in(5) {
            pattern.push('$');
        }
        pattern
    }
}

impl Question {
    /// The order asked for, or the one that stands for none.
    fn completed(mut self) -> Self {
        if self.order.is_empty() {
            self.order.push(("cstamp".to_owned(), -1));
        }
        self
    }
}
