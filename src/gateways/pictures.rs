//! Looking into pictures: what they are, how large, and what they look like small. What comes from outside is decoded within
//! limits, in a thread of its own, few at a time.

use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Rgb, RgbImage,
};
use tokio::sync::Semaphore;

/// Pixels of a picture, at most: a small file may unfold to any number.
pub const PIXELS_MAX: u64 = 50_000_000;
/// Memory one decoder may take, in bytes.
const DECODED_BYTES_MAX: u64 = 256 << 20;
/// Pictures decoded at once.
const AT_ONCE: usize = 2;
/// The longer edge of a preview, in pixels.
pub const PREVIEW_EDGE: u32 = 480;
/// Of the preview's JPEG, 1…100.
const PREVIEW_QUALITY: u8 = 82;

/// A kind of picture that browsers show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureType {
    /// As `image/jpeg`.
    pub mime: &'static str,
    /// As `jpg`.
    pub extension: &'static str,
    format: ImageFormat,
}

/// The type of a picture by its content; `None` for everything else.
#[must_use]
pub fn recognize(bytes: &[u8]) -> Option<PictureType> {
    let (mime, extension, format) = match infer::get(bytes)?.mime_type() {
        "image/jpeg" => ("image/jpeg", "jpg", ImageFormat::Jpeg),
        "image/png" => ("image/png", "png", ImageFormat::Png),
        "image/gif" => ("image/gif", "gif", ImageFormat::Gif),
        "image/webp" => ("image/webp", "webp", ImageFormat::WebP),
        _ => return None,
    };
    Some(PictureType {
        mime,
        extension,
        format,
    })
}

/// What was found in a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its type.
    pub mime: &'static str,
    /// As it is shown: turned as its metadata says.
    pub width: u32,
    /// As it is shown.
    pub height: u32,
    /// A JPEG of at most [`PREVIEW_EDGE`] pixels, without any metadata; of moving pictures the first frame.
    pub preview: Bytes,
}

/// Why nothing was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// It is no picture of the kinds we know.
    #[error("must be a JPEG, PNG, GIF or WebP picture")]
    Unknown,
    /// It claims to be one, and cannot be decoded.
    #[error("is a picture that cannot be read")]
    Unreadable,
    /// It would take too much memory.
    #[error("must have at most 50 million pixels")]
    TooLarge,
    /// Decoding broke off.
    #[error("decoding a picture broke off: {0}")]
    BrokeOff(String),
}

/// Looks into pictures. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pictures {
    seats: Arc<Semaphore>,
}

impl Default for Pictures {
    fn default() -> Self {
        Self {
            seats: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Pictures {
    /// Measures a picture and makes its preview.
    ///
    /// # Errors
    /// [`PictureError`].
    pub async fn look(&self, bytes: Bytes) -> Result<Picture, PictureError> {
        let broke_off = |error: &dyn std::error::Error| PictureError::BrokeOff(error.to_string());
        let seats = Arc::clone(&self.seats);
        let seat = seats.acquire_owned().await.map_err(|e| broke_off(&e))?;
        let looking = tokio::task::spawn_blocking(move || {
            // Kept by the thread: a caller that goes away does not end it.
            let _seat = seat;
            look(&bytes)
        });
        looking.await.map_err(|error| broke_off(&error))?
    }
}

fn look(bytes: &[u8]) -> Result<Picture, PictureError> {
    let PictureType { mime, format, .. } = recognize(bytes).ok_or(PictureError::Unknown)?;
    let picture = decode(bytes, format)?;
    Ok(Picture {
        mime,
        width: picture.width(),
        height: picture.height(),
        preview: preview(picture)?,
    })
}

/// As it is shown.
fn decode(bytes: &[u8], format: ImageFormat) -> Result<DynamicImage, PictureError> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(DECODED_BYTES_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS_MAX
        || decoder.total_bytes() > DECODED_BYTES_MAX
    {
        return Err(PictureError::TooLarge);
    }
    let orientation = decoder.orientation().map_err(refused)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(refused)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn refused(error: ImageError) -> PictureError {
    match error {
        ImageError::Limits(_) => PictureError::TooLarge,
        ImageError::Decoding(_)
        | ImageError::Encoding(_)
        | ImageError::Parameter(_)
        | ImageError::Unsupported(_)
        | ImageError::IoError(_) => PictureError::Unreadable,
    }
}

/// A picture that fills a square of that edge, cut at its longer sides, on white where one could see through it.
///
/// # Errors
/// [`PictureError`].
pub(super) fn square(bytes: &[u8], edge: u32) -> Result<RgbImage, PictureError> {
    let PictureType { format, .. } = recognize(bytes).ok_or(PictureError::Unknown)?;
    let picture = decode(bytes, format)?;
    let shorter = picture.width().min(picture.height());
    let (left, top) = (picture.width() - shorter, picture.height() - shorter);
    let middle = picture.crop_imm(left / 2, top / 2, shorter, shorter);
    Ok(on_white(&middle.resize_exact(
        edge,
        edge,
        FilterType::Lanczos3,
    )))
}

/// Small, on white where one could see through it.
fn preview(picture: DynamicImage) -> Result<Bytes, PictureError> {
    let flat = on_white(&shrunk(picture));
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, PREVIEW_QUALITY);
    flat.write_with_encoder(encoder).map_err(refused)?;
    Ok(jpeg.into())
}

fn on_white(picture: &DynamicImage) -> RgbImage {
    let picture = picture.to_rgba8();
    let mut flat = RgbImage::new(picture.width(), picture.height());
    for (to, from) in flat.pixels_mut().zip(picture.pixels()) {
        let [red, green, blue, alpha] = from.0;
        let on_white = |value: u8| {
            let mixed = u32::from(value) * u32::from(alpha) + 255 * (255 - u32::from(alpha));
            u8::try_from(mixed / 255).unwrap_or(u8::MAX)
        };
        *to = Rgb([red, green, blue].map(on_white));
    }
    flat
}

/// Never larger than it was. Large pictures are first thinned out roughly, which is fast, then finely.
fn shrunk(picture: DynamicImage) -> DynamicImage {
    let edge = picture.width().max(picture.height());
    if edge <= PREVIEW_EDGE {
        return picture;
    }
    let rough = 2 * PREVIEW_EDGE;
    let picture = if edge > rough {
        picture.thumbnail(rough, rough)
    } else {
        picture
    };
    picture.resize(PREVIEW_EDGE, PREVIEW_EDGE, FilterType::Lanczos3)
}

#[cfg(test)]
mod tests {
    use image::{GenericImageView, Rgba, RgbaImage};

    use super::*;

    fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// Left half red, right half blue.
    fn halves(width: u32, height: u32) -> DynamicImage {
        let half = |x, _| {
            if x < width / 2 {
                [200, 0, 0]
            } else {
                [0, 0, 200]
            }
        };
        RgbImage::from_fn(width, height, |x, y| Rgb(half(x, y))).into()
    }

    fn seen(preview: &[u8]) -> DynamicImage {
        image::load_from_memory_with_format(preview, ImageFormat::Jpeg).unwrap()
    }

    /// `Exif` with an orientation, as a camera writes it, behind the first marker.
    fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let mut tiff = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        tiff.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        let length = u16::try_from(tiff.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, &tiff, &jpeg[2..]].concat()
    }

    #[test]
    fn pictures_are_recognized_by_content() {
        let mime = |bytes: &[u8]| recognize(bytes).map(|found| (found.mime, found.extension));
        let webp = b"RIFF\x24\x00\x00\x00WEBPVP8 ";
        assert_eq!(mime(webp), Some(("image/webp", "webp")));
        assert_eq!(mime(b"GIF89a....."), Some(("image/gif", "gif")));
        assert_eq!(mime(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), None);
        assert_eq!(mime(b"BM......................"), None);
        assert_eq!(mime(b""), None);
    }

    #[test]
    fn every_kind_is_measured_and_shown_small() {
        for (format, mime) in [
            (ImageFormat::Jpeg, "image/jpeg"),
            (ImageFormat::Png, "image/png"),
            (ImageFormat::Gif, "image/gif"),
            (ImageFormat::WebP, "image/webp"),
        ] {
            let found = look(&encoded(&halves(1200, 600), format)).unwrap();
            assert_eq!((found.mime, found.width, found.height), (mime, 1200, 600));
            let small = seen(&found.preview);
            assert_eq!(small.dimensions(), (480, 240), "{mime}");
            let [red, _, blue, _] = small.get_pixel(20, 120).0;
            assert!(red > 150 && blue < 50, "{mime}");
        }
        let small = look(&encoded(&halves(30, 20), ImageFormat::Png)).unwrap();
        assert_eq!(seen(&small.preview).dimensions(), (30, 20));
        let thin = look(&encoded(&halves(2000, 2), ImageFormat::Png)).unwrap();
        assert_eq!(seen(&thin.preview).dimensions(), (480, 1));
    }

    #[test]
    fn a_photo_is_turned_as_the_camera_was_held_and_its_metadata_stays_behind() {
        let jpeg = encoded(&halves(600, 300), ImageFormat::Jpeg);
        let found = look(&turned(&jpeg, 6)).unwrap();
        assert_eq!((found.width, found.height), (300, 600));
        let small = seen(&found.preview);
        assert_eq!(small.dimensions(), (240, 480));
        let [red, _, blue, _] = small.get_pixel(120, 20).0;
        assert!(red > 150 && blue < 50);
        let exif = found.preview.windows(4).any(|bytes| bytes == b"Exif");
        assert!(!exif);
    }

    #[test]
    fn what_one_can_see_through_stands_on_white() {
        let clear = RgbaImage::from_pixel(10, 10, Rgba([0, 0, 0, 0]));
        let found = look(&encoded(&clear.into(), ImageFormat::Png)).unwrap();
        let [red, green, blue, _] = seen(&found.preview).get_pixel(5, 5).0;
        assert!(red > 250 && green > 250 && blue > 250);
    }

    #[test]
    fn a_square_is_cut_from_the_middle() {
        let picture = halves(300, 100);
        let square = square(&encoded(&picture, ImageFormat::Png), 40).unwrap();
        assert_eq!(square.dimensions(), (40, 40));
        assert_eq!(square.get_pixel(2, 20), &Rgb([200, 0, 0]));
        assert_eq!(square.get_pixel(37, 20), &Rgb([0, 0, 200]));
    }

    #[test]
    fn what_is_no_whole_picture_or_too_large_a_one_is_refused() {
        assert_eq!(look(b"a picture"), Err(PictureError::Unknown));
        let png = encoded(&halves(100, 100), ImageFormat::Png);
        for part in [8, 40, png.len() / 2] {
            assert_eq!(look(&png[..part]), Err(PictureError::Unreadable), "{part}");
        }
        // The header says so, and nothing of it is decoded.
        let mut huge = png.clone();
        huge[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
        let crc = crc32(&huge[12..29]);
        huge[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(look(&huge), Err(PictureError::TooLarge));
    }

    fn crc32(bytes: &[u8]) -> u32 {
        let step = |crc: u32, byte: &u8| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (0xedb8_8320 * (crc & 1))
            })
        };
        !bytes.iter().fold(u32::MAX, step)
    }
}
