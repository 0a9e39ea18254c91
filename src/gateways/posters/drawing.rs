//! The drawing of a poster: what stands where, as SVG, and the pictures that are laid into it.

use std::fmt::Write as _;

use fast_qr::{ECL, QRBuilder};
use image::RgbImage;
use resvg::tiny_skia::{
    FillRule, FilterQuality, Paint, PathBuilder, Pattern, Pixmap, PremultipliedColorU8, Rect,
    SpreadMode, Transform,
};
use resvg::usvg::{Options, Tree};

use super::letters::{self, FAMILY, Letters, Weight};
use super::{Poster, PosterError};
use crate::gateways::pictures;

/// Of the poster, in pixels; its height is that of what it shows.
const WIDTH: f32 = 1080.0;
const MIDDLE: f32 = WIDTH / 2.0;
/// The white sheet.
const SHEET_LEFT: f32 = 60.0;
const SHEET_WIDTH: f32 = WIDTH - 2.0 * SHEET_LEFT;
/// Text on it.
const TEXT_WIDTH: f32 = SHEET_WIDTH - 120.0;
const AVATAR_RADIUS: f32 = 132.0;
/// Of the QR code with the quiet zone that readers need, at most.
const CODE_EDGE: f32 = 440.0;
/// Modules around a QR code that stay white.
const QUIET: usize = 4;

const INK: &str = "#0f1b33";
const GREY: &str = "#5b6783";
const BLUE: &str = "#1f5eff";

/// A line of text.
#[derive(Clone, Copy)]
struct Style {
    weight: Weight,
    size: f32,
    colour: &'static str,
}

const COMPANY: Style = Style {
    weight: Weight::Bold,
    size: 54.0,
    colour: "#ffffff",
};
const GREETING: Style = Style {
    weight: Weight::Regular,
    size: 34.0,
    colour: "#d7e4ff",
};
const NAME: Style = Style {
    weight: Weight::Bold,
    size: 80.0,
    colour: INK,
};
const POSITION: Style = Style {
    weight: Weight::Regular,
    size: 42.0,
    colour: GREY,
};
const SIGN: Style = Style {
    weight: Weight::Regular,
    size: 38.0,
    colour: GREY,
};
const PHONE: Style = Style {
    weight: Weight::Bold,
    size: 50.0,
    colour: BLUE,
};
const HINT: Style = Style {
    weight: Weight::Regular,
    size: 36.0,
    colour: GREY,
};
const MONOGRAM: Style = Style {
    weight: Weight::Bold,
    size: 96.0,
    colour: BLUE,
};

/// What is drawn so far, and how far down.
struct Sheet<'l> {
    letters: &'l Letters,
    svg: String,
    y: f32,
}

impl Sheet<'_> {
    /// Lines of text in the middle, each so high.
    fn text(&mut self, text: &str, style: Style, most: usize, height: f32) {
        let font = (style.weight, style.size);
        let lines = letters::lines(text, font, TEXT_WIDTH, most);
        self.lines(&lines, style, height);
    }

    fn lines(&mut self, lines: &[String], style: Style, height: f32) {
        for line in lines {
            self.y += height;
            self.line(line, style, MIDDLE, self.y);
        }
    }

    /// What somebody says, between quotation marks also where it is cut.
    fn quote(&mut self, said: &str, style: Style, height: f32) {
        let font = (style.weight, style.size);
        let width = TEXT_WIDTH - 2.0 * style.size;
        let mut lines = letters::lines(said, font, width, 2);
        if let Some(first) = lines.first_mut() {
            first.insert(0, '“');
        }
        if let Some(last) = lines.last_mut() {
            last.push('”');
        }
        self.lines(&lines, style, height);
    }

    fn line(&mut self, line: &str, style: Style, x: f32, y: f32) {
        let Style { size, colour, .. } = style;
        let (weight, line) = (style.weight.number(), escaped(line));
        self.add(&format!(
            r#"<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{colour}" text-anchor="middle">{line}</text>"#
        ));
    }

    fn add(&mut self, svg: &str) {
        self.svg.push_str(svg);
        self.svg.push('\n');
    }
}

/// The poster as a PNG.
pub fn png(poster: &Poster, letters: &Letters) -> Result<Vec<u8>, PosterError> {
    let mut sheet = Sheet {
        letters,
        svg: String::new(),
        y: 110.0,
    };
    let company = letters.drawable(&poster.company);
    sheet.text(&company, COMPANY, 2, 70.0);
    sheet.text("您好，这是我的名片", GREETING, 1, 62.0);
    sheet.y += 76.0;
    let top = sheet.y + AVATAR_RADIUS;
    let avatar = avatar(poster, letters, &mut sheet, top);
    words(poster, &mut sheet);
    let tear = sheet.y + 70.0;
    sheet.y = tear + 50.0;
    let code = code(poster, &mut sheet.y)?;
    sheet.y += 8.0;
    sheet.text("微信扫一扫，查看我的名片", HINT, 1, 44.0);
    let bottom = sheet.y + 64.0;
    let height = bottom + 60.0;
    let svg = format!("{}{}</svg>", frame(top, tear, bottom, height), sheet.svg);
    let mut canvas = painted(&svg, letters)?;
    if let Some(avatar) = avatar {
        let circle = PathBuilder::from_circle(MIDDLE, top, AVATAR_RADIUS);
        let corner = (MIDDLE - AVATAR_RADIUS, top - AVATAR_RADIUS);
        lay(&mut canvas, &avatar, corner, circle);
    }
    if let Code::Picture(picture, corner) = &code {
        let edge = side(picture);
        let square = Rect::from_xywh(corner.0, corner.1, edge, edge);
        lay(
            &mut canvas,
            picture,
            *corner,
            square.map(PathBuilder::from_rect),
        );
    }
    if let Code::Modules(modules) = code {
        let mut black = Paint::default();
        black.set_color_rgba8(0x0f, 0x1b, 0x33, 0xff);
        black.anti_alias = false;
        for module in modules {
            canvas.fill_rect(module, &black, Transform::identity(), None);
        }
    }
    canvas
        .encode_png()
        .map_err(|error| PosterError::new(&error))
}

/// Everything under the words: sky, sheet, the line where it could be torn off.
fn frame(top: f32, tear: f32, bottom: f32, height: f32) -> String {
    let (sheet_height, right) = (bottom - top, SHEET_LEFT + SHEET_WIDTH);
    let (dash_from, dash_to) = (SHEET_LEFT + 56.0, right - 56.0);
    let ring = AVATAR_RADIUS + 12.0;
    // The notches show what is under the sheet there.
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="{FAMILY}">
<defs>
<linearGradient id="sky" x1="0" y1="0" x2="0.6" y2="1"><stop offset="0" stop-color="#123a9c"/><stop offset="0.45" stop-color="#1f5eff"/><stop offset="1" stop-color="#63a4ff"/></linearGradient>
<mask id="sheet"><rect x="{SHEET_LEFT}" y="{top}" width="{SHEET_WIDTH}" height="{sheet_height}" rx="40" fill="#fff"/><circle cx="{SHEET_LEFT}" cy="{tear}" r="26" fill="#000"/><circle cx="{right}" cy="{tear}" r="26" fill="#000"/></mask>
</defs>
<rect width="{WIDTH}" height="{height}" fill="url(#sky)"/>
<circle cx="980" cy="90" r="300" fill="#fff" fill-opacity="0.07"/>
<circle cx="80" cy="330" r="210" fill="#fff" fill-opacity="0.06"/>
<circle cx="940" cy="{height}" r="340" fill="#fff" fill-opacity="0.08"/>
<rect width="{WIDTH}" height="{height}" fill="#fff" mask="url(#sheet)"/>
<line x1="{dash_from}" y1="{tear}" x2="{dash_to}" y2="{tear}" stroke="#cfd8ea" stroke-width="4" stroke-dasharray="14 12"/>
<circle cx="{MIDDLE}" cy="{top}" r="{ring}" fill="#fff"/>
"##
    )
}

/// The picture of the one whose card it is; without one, what they are called stands in its place.
fn avatar(poster: &Poster, letters: &Letters, sheet: &mut Sheet, middle: f32) -> Option<RgbImage> {
    let picture = poster.avatar.as_deref().and_then(|bytes| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "264"
        )]
        let edge = (2.0 * AVATAR_RADIUS) as u32;
        pictures::square(bytes, edge).ok()
    });
    if picture.is_none() {
        sheet.add(&format!(
            r##"<circle cx="{MIDDLE}" cy="{middle}" r="{AVATAR_RADIUS}" fill="#e3ecff"/>"##
        ));
        let monogram = monogram(&letters.drawable(&poster.username));
        // Chinese stands on its feet a little below the line's middle.
        let feet = middle + 0.36 * MONOGRAM.size;
        sheet.line(&monogram, MONOGRAM, MIDDLE, feet);
    }
    sheet.y = middle + AVATAR_RADIUS + 24.0;
    picture
}

/// What friends would say: the last two characters of a Chinese name, the first letter of others.
fn monogram(name: &str) -> String {
    let Some(first) = name.chars().next() else {
        return String::new();
    };
    if name.chars().any(|letter| letter.is_ascii()) {
        return first.to_uppercase().to_string();
    }
    let skipped = name.chars().count().saturating_sub(2);
    name.chars().skip(skipped).collect()
}

fn words(poster: &Poster, sheet: &mut Sheet) {
    let letters = sheet.letters;
    sheet.text(&letters.drawable(&poster.username), NAME, 2, 94.0);
    sheet.text(&letters.drawable(&poster.position), POSITION, 1, 70.0);
    let sign = letters.drawable(&poster.sign);
    if !sign.is_empty() {
        sheet.y += 22.0;
        sheet.quote(&sign, SIGN, 58.0);
    }
    let phone = letters.drawable(&poster.phone);
    let font = (PHONE.weight, PHONE.size);
    let lines = letters::lines(&phone, font, TEXT_WIDTH - 160.0, 1);
    if let Some(phone) = lines.first() {
        pill(sheet, phone);
    }
}

/// A phone number that looks as if it could be pressed.
fn pill(sheet: &mut Sheet, phone: &str) {
    const HEIGHT: f32 = 104.0;
    const ICON: f32 = 48.0;
    let text = letters::width(phone, PHONE.weight, PHONE.size);
    let width = text + ICON + 22.0 + 2.0 * 52.0;
    let (left, top) = (MIDDLE - width / 2.0, sheet.y + 48.0);
    let round = HEIGHT / 2.0;
    let (icon_x, icon_y, scale) = (left + 52.0, top + (HEIGHT - ICON) / 2.0, ICON / 24.0);
    sheet.add(&format!(
        r##"<rect x="{left}" y="{top}" width="{width}" height="{HEIGHT}" rx="{round}" fill="#edf3ff"/>
<path transform="translate({icon_x} {icon_y}) scale({scale})" fill="{BLUE}" d="M6.6 10.8c1.4 2.8 3.8 5.1 6.6 6.6l2.2-2.2c.3-.3.7-.4 1-.2 1.1.4 2.3.6 3.6.6.6 0 1 .4 1 1V20c0 .6-.4 1-1 1C10.6 21 3 13.4 3 4c0-.6.4-1 1-1h3.5c.6 0 1 .4 1 1 0 1.2.2 2.4.6 3.6.1.3 0 .7-.2 1z"/>"##
    ));
    let x = icon_x + ICON + 22.0 + text / 2.0;
    sheet.line(phone, PHONE, x, top + round + 0.36 * PHONE.size);
    sheet.y = top + HEIGHT;
}

/// The QR code: one made elsewhere, or ours.
enum Code {
    /// With its upper left corner.
    Picture(RgbImage, (f32, f32)),
    /// The black ones.
    Modules(Vec<Rect>),
}

/// Moves down by its height.
fn code(poster: &Poster, y: &mut f32) -> Result<Code, PosterError> {
    let stored = poster.qr_code.as_deref().and_then(|bytes| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "440"
        )]
        let edge = CODE_EDGE as u32;
        pictures::square(bytes, edge).ok()
    });
    if let Some(picture) = stored {
        let corner = (MIDDLE - CODE_EDGE / 2.0, *y);
        *y += CODE_EDGE;
        return Ok(Code::Picture(picture, corner));
    }
    let made = QRBuilder::new(poster.link.as_bytes()).ecl(ECL::M).build();
    let made = made.map_err(|error| PosterError::new(&format!("{error:?}")))?;
    #[expect(clippy::cast_precision_loss, reason = "at most 177")]
    let number = |it: usize| it as f32;
    // Whole pixels, or readers see edges where there are none.
    let module = (CODE_EDGE / number(made.size + 2 * QUIET)).floor().max(1.0);
    let left = (MIDDLE - module * number(made.size) / 2.0).round();
    let top = (*y + module * number(QUIET)).round();
    let mut modules = Vec::new();
    for row in 0..made.size {
        for column in 0..made.size {
            if made[row][column].value() {
                let (x, y) = (left + module * number(column), top + module * number(row));
                modules.extend(Rect::from_xywh(x, y, module, module));
            }
        }
    }
    *y = top + module * number(made.size + QUIET);
    Ok(Code::Modules(modules))
}

fn painted(svg: &str, letters: &Letters) -> Result<Pixmap, PosterError> {
    let options = Options {
        font_family: FAMILY.to_owned(),
        fontdb: letters.fonts(),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options).map_err(|error| PosterError::new(&error))?;
    let size = tree.size().to_int_size();
    let canvas = Pixmap::new(size.width(), size.height());
    let mut canvas = canvas.ok_or_else(|| PosterError::new(&"it has no size"))?;
    resvg::render(&tree, Transform::identity(), &mut canvas.as_mut());
    Ok(canvas)
}

/// Lays a picture with its upper left corner somewhere, as far as the shape shows it.
fn lay(
    canvas: &mut Pixmap,
    picture: &RgbImage,
    (left, top): (f32, f32),
    shape: Option<resvg::tiny_skia::Path>,
) {
    let (Some(mut pixels), Some(shape)) = (Pixmap::new(picture.width(), picture.height()), shape)
    else {
        return;
    };
    for (to, from) in pixels.pixels_mut().iter_mut().zip(picture.pixels()) {
        let [red, green, blue] = from.0;
        *to = PremultipliedColorU8::from_rgba(red, green, blue, u8::MAX).unwrap_or(*to);
    }
    let place = Transform::from_translate(left, top);
    let quality = FilterQuality::Bilinear;
    let shader = Pattern::new(pixels.as_ref(), SpreadMode::Pad, quality, 1.0, place);
    let paint = Paint {
        shader,
        ..Paint::default()
    };
    canvas.fill_path(
        &shape,
        &paint,
        FillRule::Winding,
        Transform::identity(),
        None,
    );
}

fn side(picture: &RgbImage) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "at most 440")]
    let side = picture.width() as f32;
    side
}

/// Text as XML has it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' | '>' | '&' | '"' | '\'' => {
                // Writing to a string does not fail.
                let _ = write!(escaped, "&#{};", u32::from(letter));
            }
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_called_as_friends_call_them() {
        for (name, said) in [
            ("张聪", "张聪"),
            ("赵欣鹏", "欣鹏"),
            ("李", "李"),
            ("zhangju", "Z"),
            ("", ""),
        ] {
            assert_eq!(monogram(name), said, "{name}");
        }
    }

    #[test]
    fn nothing_said_becomes_part_of_the_drawing() {
        assert_eq!(escaped("<b>&\"'"), "&#60;b&#62;&#38;&#34;&#39;");
    }
}
