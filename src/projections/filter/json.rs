//! JSON with the place of every value, single-quoted strings let through, bounded in depth.
//!
//! One pass reads both spellings: a text that is strict JSON means here what it means there. Of a repeated name the last
//! value counts, as in `JSON.parse`. U+0000 is refused, which PostgreSQL cannot hold.

use super::{MAX_DEPTH, MAX_STRING_CHARS, error::Fault, number::Number};

/// A value and where it starts, in characters.
#[derive(Debug)]
pub(super) struct Json {
    pub(super) at: usize,
    pub(super) kind: JsonKind,
}

#[derive(Debug)]
pub(super) enum JsonKind {
    Null,
    Boolean(bool),
    Number(Number),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<Member>),
}

/// A name and its value.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) at: usize,
    pub(super) name: String,
    pub(super) value: Json,
}

/// Reads a text that is one object.
pub(super) fn parse(text: &str) -> Result<Vec<Member>, Fault> {
    let mut reader = Reader {
        chars: text.chars().collect(),
        at: 0,
    };
    let value = reader.value(1)?;
    reader.skip_blanks();
    if reader.at < reader.chars.len() {
        return Err(reader.fault("something follows the object"));
    }
    match value.kind {
        JsonKind::Object(members) => Ok(members),
        _ => Err(Fault::at(value.at, "it is not an object")),
    }
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn value(&mut self, depth: usize) -> Result<Json, Fault> {
        self.skip_blanks();
        let at = self.at;
        let kind = match self.peek() {
            Some('{' | '[') if depth > MAX_DEPTH => return Err(self.fault("it is too deep")),
            Some('{') => self.object(depth)?,
            Some('[') => self.array(depth)?,
            Some('"' | '\'') => JsonKind::Text(self.string()?),
            Some('-' | '0'..='9') => JsonKind::Number(self.number()?),
            Some('t') => self.word("true", JsonKind::Boolean(true))?,
            Some('f') => self.word("false", JsonKind::Boolean(false))?,
            Some('n') => self.word("null", JsonKind::Null)?,
            _ => return Err(self.fault("a value is expected")),
        };
        Ok(Json { at, kind })
    }

    fn object(&mut self, depth: usize) -> Result<JsonKind, Fault> {
        let mut members: Vec<Member> = Vec::new();
        self.at += 1;
        if self.next_is('}') {
            return Ok(JsonKind::Object(members));
        }
        loop {
            self.skip_blanks();
            let at = self.at;
            let Some('"' | '\'') = self.peek() else {
                return Err(self.fault("a name in quotes is expected"));
            };
            let name = self.string()?;
            if !self.next_is(':') {
                return Err(self.fault("a colon is expected"));
            }
            let value = self.value(depth + 1)?;
            members.retain(|member| member.name != name);
            members.push(Member { at, name, value });
            if self.next_is('}') {
                return Ok(JsonKind::Object(members));
            }
            if !self.next_is(',') {
                return Err(self.fault("a comma or the end of the object is expected"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<JsonKind, Fault> {
        let mut values = Vec::new();
        self.at += 1;
        if self.next_is(']') {
            return Ok(JsonKind::Array(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            if self.next_is(']') {
                return Ok(JsonKind::Array(values));
            }
            if !self.next_is(',') {
                return Err(self.fault("a comma or the end of the array is expected"));
            }
        }
    }

    fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        let quote = self.peek();
        self.at += 1;
        let mut text = String::new();
        let mut length = 0;
        loop {
            let c = match self.peek() {
                None => return Err(self.fault("a string has no end")),
                Some(c) if Some(c) == quote => break,
                Some('\\') => self.escape(quote)?,
                Some(c) if c < ' ' => return Err(self.fault("a control character in a string")),
                Some(c) => {
                    self.at += 1;
                    c
                }
            };
            if c == '\0' {
                return Err(Fault::at(start, "U+0000 in a string"));
            }
            length += 1;
            if length > MAX_STRING_CHARS {
                return Err(Fault::at(start, "a string is too long"));
            }
            text.push(c);
        }
        self.at += 1;
        Ok(text)
    }

    fn escape(&mut self, quote: Option<char>) -> Result<char, Fault> {
        let start = self.at;
        self.at += 2;
        Ok(match self.chars.get(start + 1) {
            Some(c @ ('"' | '\\' | '/')) => *c,
            Some('\'') if quote == Some('\'') => '\'',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => return self.unicode(start),
            _ => return Err(Fault::at(start, "an escape that is none")),
        })
    }

    /// Behind `\u`: four digits, or a pair of surrogates.
    fn unicode(&mut self, start: usize) -> Result<char, Fault> {
        let fault = || Fault::at(start, "an escape that is no character");
        let first = self.four_digits().ok_or_else(fault)?;
        if let Some(c) = char::from_u32(first) {
            return Ok(c);
        }
        let pair = self.chars.get(self.at..self.at + 2) == Some(&['\\', 'u']);
        self.at += 2;
        let second = self.four_digits().filter(|_| pair).ok_or_else(fault)?;
        if !(0xD800..0xDC00).contains(&first) || !(0xDC00..0xE000).contains(&second) {
            return Err(fault());
        }
        char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)).ok_or_else(fault)
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.chars.get(self.at..self.at + 4)?;
        self.at += 4;
        digits
            .iter()
            .try_fold(0, |number, c| Some(number * 16 + c.to_digit(16)?))
    }

    fn number(&mut self) -> Result<Number, Fault> {
        let start = self.at;
        let is_part = |c: &char| matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E');
        let text: String = self.chars[start..]
            .iter()
            .take_while(|c| is_part(c))
            .collect();
        self.at += text.len();
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let zero_leads = digits.len() > 1
            && digits.starts_with('0')
            && !digits[1..].starts_with(['.', 'e', 'E']);
        Number::parse(&text)
            .filter(|_| !zero_leads)
            .ok_or_else(|| Fault::at(start, "a number that is none"))
    }

    fn word(&mut self, word: &str, kind: JsonKind) -> Result<JsonKind, Fault> {
        if word
            .chars()
            .eq(self.chars[self.at..].iter().copied().take(word.len()))
        {
            self.at += word.len();
            Ok(kind)
        } else {
            Err(self.fault("a value is expected"))
        }
    }

    /// Goes past blanks, and past `c` if it is next.
    fn next_is(&mut self, c: char) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn skip_blanks(&mut self) {
        while let Some(' ' | '\t' | '\n' | '\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn fault(&self, reason: &'static str) -> Fault {
        Fault::at(self.at, reason)
    }
}
