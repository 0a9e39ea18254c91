//! Parameters by the rules of this surface (`contract/community.md` 1.1 and 1.4).

use crate::api::wire::{Field, Invalid, Params};
use crate::commands::member::{Phone, is_hex_id};

/// Ids stay exact in JSON.
const MOST_ID: i64 = (1 << 53) - 1;
/// Rows on a page, at most.
const PAGE_MAX: i64 = 100;
/// Characters of an image's name, at most.
const IMAGE_CHARS: usize = 200;

/// The parameters of a function.
#[derive(Debug, Clone)]
pub struct Fields(Params);

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Rows to pass over.
    pub offset: i64,
    /// Rows wanted, 1…100.
    pub limit: i64,
}

/// What becomes of something that can be cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit<T> {
    /// Not mentioned: it stays.
    Keep,
    /// Null, or an empty text.
    Clear,
    /// A new value.
    Set(T),
}

impl Fields {
    /// Over what was sent.
    #[must_use]
    pub fn new(params: Params) -> Self {
        Self(params)
    }

    /// The token, if there is one. Whatever else stands in its place opens nothing.
    #[must_use]
    pub fn token(&self) -> Option<String> {
        let sent = self.0.text("token").ok().and_then(Field::optional);
        sent.filter(|token| !token.is_empty())
    }

    /// A text, trimmed, without control characters other than line break and tab.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn text(&self, field: &'static str) -> Result<Field<String>, Invalid> {
        self.0.text(field)?.check(|text| is_clean(text))
    }

    /// A list of texts, each trimmed.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn texts(&self, field: &'static str) -> Result<Field<Vec<String>>, Invalid> {
        self.0.texts(field)
    }

    /// A text exactly as sent, for passwords.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn verbatim(&self, field: &'static str) -> Result<Field<String>, Invalid> {
        self.0.verbatim(field)
    }

    /// An integer.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn int(&self, field: &'static str) -> Result<Field<i64>, Invalid> {
        self.0.int(field)
    }

    /// A bool.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn bool(&self, field: &'static str) -> Result<Field<bool>, Invalid> {
        self.0.bool(field)
    }

    /// An id that is a number.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn id(&self, field: &'static str) -> Result<Field<i64>, Invalid> {
        self.0.int(field)?.within(1..=MOST_ID)
    }

    /// 1…`most` ids that are numbers, each once, in the order sent.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn ids(&self, field: &'static str, most: usize) -> Result<Field<Vec<i64>>, Invalid> {
        self.0.ints(field)?.parse(|ids| {
            let distinct = each_once(ids);
            let sound = distinct.iter().all(|id| (1..=MOST_ID).contains(id));
            (sound && (1..=most).contains(&distinct.len())).then_some(distinct)
        })
    }

    /// `phone` under `country`, which is `86` when absent.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn phone(&self) -> Result<Field<Phone>, Invalid> {
        let country = self.0.text("country")?;
        let country = country.check(|code| Phone::is_country(code))?;
        let country = country.or("86".to_owned());
        self.0
            .text("phone")?
            .parse(|number| Phone::new(&country, &number))
    }

    /// Six digits.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn sms_code(&self) -> Result<Field<String>, Invalid> {
        let six = |code: &String| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit());
        self.0.text("code")?.check(six)
    }

    /// The id of a member, a master or a merchant.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn hex_id(&self, field: &'static str) -> Result<Field<String>, Invalid> {
        self.0.text(field)?.check(|text| is_hex_id(text))
    }

    /// The name of an image.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn image(&self, field: &'static str) -> Result<Field<String>, Invalid> {
        self.0.text(field)?.check(|name| is_image(name))
    }

    /// The names of up to `most` images.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn images(&self, field: &'static str, most: usize) -> Result<Field<Vec<String>>, Invalid> {
        let sound =
            |names: &Vec<String>| names.len() <= most && names.iter().all(|name| is_image(name));
        self.0.texts(field)?.check(sound)
    }

    /// A text that null or an empty one clears; `passes` looks at what it is set to.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn edit(
        &self,
        field: &'static str,
        passes: impl FnOnce(&str) -> bool,
    ) -> Result<Edit<String>, Invalid> {
        let sent = self.text(field)?;
        let sent = sent.check(|text| text.is_empty() || passes(text))?;
        Ok(match sent.optional() {
            Some(text) if text.is_empty() => Edit::Clear,
            Some(text) => Edit::Set(text),
            None if self.0.is_null(field) => Edit::Clear,
            None => Edit::Keep,
        })
    }

    /// An integer that null clears; `passes` looks at what it is set to.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn edit_int(
        &self,
        field: &'static str,
        passes: impl FnOnce(i64) -> bool,
    ) -> Result<Edit<i64>, Invalid> {
        let sent = self.0.int(field)?.check(|number| passes(*number))?;
        Ok(match sent.optional() {
            Some(number) => Edit::Set(number),
            None if self.0.is_null(field) => Edit::Clear,
            None => Edit::Keep,
        })
    }

    /// `offset` and `limit`; absent, the page has `default` rows.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn page(&self, default: i64) -> Result<Page, Invalid> {
        let (offset, limit) = (self.0.int("offset")?, self.0.int("limit")?);
        Ok(Page {
            offset: offset.within(0..=i64::MAX)?.or(0),
            limit: limit.within(1..=i64::MAX)?.or(default).min(PAGE_MAX),
        })
    }
}

/// No control characters but line break and tab.
fn is_clean(text: &str) -> bool {
    let harmless = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars().all(harmless)
}

/// Is it the name of an image? They are stored as they are and not looked up.
#[must_use]
pub fn is_image(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-');
    (1..=IMAGE_CHARS).contains(&name.len()) && name.bytes().all(letter) && !name.contains("..")
}

fn each_once(ids: Vec<i64>) -> Vec<i64> {
    let mut seen = std::collections::HashSet::new();
    ids.into_iter().filter(|id| seen.insert(*id)).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::api::wire::Flaw;

    fn fields(value: &Value) -> Fields {
        Fields::new(Params::from_json(value.to_string().as_bytes()).unwrap())
    }

    #[rstest]
    #[case(json!("a\nb\tc"), true)]
    #[case(json!("  \r\n中文\r\n"), true)]
    #[case(json!("a\rb"), false)]
    #[case(json!("a\u{7}b"), false)]
    #[case(json!("a\u{85}b"), false)]
    fn texts_hold_line_breaks_and_tabs_and_no_other_controls(
        #[case] sent: Value,
        #[case] good: bool,
    ) {
        assert_eq!(fields(&json!({ "t": sent })).text("t").is_ok(), good);
    }

    #[rstest]
    #[case("e4cbdd56-855a-11ee-bcb6-5785abdd6148.jpeg", true)]
    #[case("a/b_c.png", true)]
    #[case("image_id", true)]
    #[case("../a.png", false)]
    #[case("a b.png", false)]
    #[case("图.png", false)]
    #[case("", false)]
    fn images_have_plain_names(#[case] name: &str, #[case] good: bool) {
        assert_eq!(is_image(name), good);
        assert_eq!(is_image(&"a".repeat(200)), !is_image(&"a".repeat(201)));
    }

    #[test]
    fn ids_come_once_each_and_not_too_many() {
        let ids = |value: Value, most| fields(&json!({ "ids": value })).ids("ids", most);
        assert_eq!(ids(json!("3,1,3"), 2).unwrap().required(), Ok(vec![3, 1]));
        assert_eq!(ids(json!(7), 1).unwrap().required(), Ok(vec![7]));
        for bad in [
            json!([]),
            json!([1, 2, 3]),
            json!([0]),
            json!([1_i64 << 53]),
        ] {
            assert_eq!(ids(bad, 2).unwrap_err().flaw, Flaw::OutOfBounds);
        }
        let uid = "0a".repeat(16);
        let read = |uid: &str| fields(&json!({ "uid": uid })).hex_id("uid").is_ok();
        assert!(read(&uid) && !read(&uid.to_uppercase()) && !read("0a"));
    }

    #[test]
    fn null_and_nothing_clear_and_absence_keeps() {
        let given = fields(&json!({ "a": null, "b": " ", "c": "x", "n": null, "m": "5" }));
        let edit = |field| given.edit(field, |text| text == "x").unwrap();
        assert_eq!(edit("a"), Edit::Clear);
        assert_eq!(edit("b"), Edit::Clear);
        assert_eq!(edit("c"), Edit::Set("x".to_owned()));
        assert_eq!(edit("d"), Edit::Keep);
        assert!(given.edit("c", |text| text != "x").is_err());
        assert_eq!(given.edit_int("n", |_| false), Ok(Edit::Clear));
        assert_eq!(given.edit_int("m", |n| n == 5), Ok(Edit::Set(5)));
        assert_eq!(given.edit_int("d", |_| false), Ok(Edit::Keep));
    }

    #[rstest]
    #[case(json!({}), Ok((0, 20)))]
    #[case(json!({"limit": 1000, "offset": "7"}), Ok((7, 100)))]
    #[case(json!({"limit": 1}), Ok((0, 1)))]
    #[case(json!({"limit": 0}), Err("limit"))]
    #[case(json!({"offset": -1}), Err("offset"))]
    #[case(json!({"offset": "x"}), Err("offset"))]
    fn a_page_has_one_to_a_hundred_rows(
        #[case] sent: Value,
        #[case] page: Result<(i64, i64), &str>,
    ) {
        let read = fields(&sent).page(20);
        let read = read.map(|page| (page.offset, page.limit));
        assert_eq!(read.map_err(|invalid| invalid.field), page);
    }

    #[test]
    fn a_token_that_is_no_text_is_none() {
        assert_eq!(
            fields(&json!({ "token": " t " })).token().as_deref(),
            Some("t")
        );
        for none in [json!({}), json!({ "token": 7 }), json!({ "token": "" })] {
            assert_eq!(fields(&none).token(), None);
        }
    }
}
