//! Measuring pictures and making small ones of them.
//!
//! Whoever sends a picture decides how much work it is, so there are limits, and no more previews at once than cores.

use std::io::Cursor;
use std::sync::LazyLock;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, Rgb, RgbImage};
use tokio::sync::Semaphore;

/// Pixels on a side, at most.
const SIDE_MAX: u32 = 16_384;
/// What one picture may take in memory, in bytes: 32 million pixels with transparency.
const ALLOC_MAX: u64 = 128 << 20;
/// Of a preview, 1…100.
const QUALITY: u8 = 82;

static SEATS: LazyLock<Semaphore> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Semaphore::new(cores)
});

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// It is damaged, too large, or no picture that we read.
    #[error("the picture cannot be read: {0}")]
    Unreadable(#[from] image::ImageError),
    /// The work was cut off.
    #[error("making a preview broke off")]
    BrokeOff,
}

/// Width and height as it is shown; `None` when it is no picture that we read. Reads no further than the head of the file.
#[must_use]
pub fn measure(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut decoder = decoder(bytes).ok()?;
    let turned = decoder.orientation().map(|orientation| {
        use image::metadata::Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        [Rotate90, Rotate270, Rotate90FlipH, Rotate270FlipH].contains(&orientation)
    });
    let (width, height) = decoder.dimensions();
    Some(match turned {
        Ok(true) => (height, width),
        Ok(false) | Err(_) => (width, height),
    })
}

/// A JPEG of the picture, upright, without metadata, no side longer than `max_side`.
///
/// # Errors
/// [`PictureError`].
pub async fn preview(bytes: Bytes, max_side: u32) -> Result<Bytes, PictureError> {
    let _seat = SEATS.acquire().await.map_err(|_| PictureError::BrokeOff)?;
    let work = tokio::task::spawn_blocking(move || make(&bytes, max_side));
    Ok(work.await.map_err(|_| PictureError::BrokeOff)??)
}

fn decoder(bytes: &[u8]) -> image::ImageResult<impl ImageDecoder + '_> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(ALLOC_MAX);
    reader.limits(limits);
    reader.into_decoder()
}

fn make(bytes: &[u8], max_side: u32) -> image::ImageResult<Bytes> {
    let mut decoder = decoder(bytes)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(ALLOC_MAX);
    limits.reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation();
    let mut picture = DynamicImage::from_decoder(decoder)?;
    if picture.width().max(picture.height()) > max_side {
        picture = picture.resize(max_side, max_side, FilterType::Triangle);
    }
    if let Ok(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    let mut jpeg = Vec::new();
    on_white(&picture).write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, QUALITY))?;
    Ok(jpeg.into())
}

/// JPEG knows no transparency: what can be seen through shows white.
fn on_white(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let picture = picture.to_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [colors @ .., alpha] = picture.get_pixel(x, y).0;
        let alpha = u32::from(alpha);
        let mixed = colors.map(|color| (u32::from(color) * alpha + 255 * (255 - alpha)) / 255);
        Rgb(mixed.map(|color| u8::try_from(color).unwrap_or(u8::MAX)))
    })
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgba, RgbaImage};

    use super::*;

    fn png(width: u32, height: u32, color: [u8; 4]) -> Bytes {
        let mut bytes = Cursor::new(Vec::new());
        let picture = RgbaImage::from_pixel(width, height, Rgba(color));
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner().into()
    }

    #[tokio::test]
    async fn a_preview_is_a_small_jpeg_of_the_same_shape() {
        let bytes = png(400, 100, [200, 0, 0, 255]);
        assert_eq!(measure(&bytes), Some((400, 100)));
        let small = preview(bytes.clone(), 80).await.unwrap();
        assert_eq!(image::guess_format(&small).unwrap(), ImageFormat::Jpeg);
        assert_eq!(measure(&small), Some((80, 20)));
        // What is small stays as large as it is.
        let same = preview(bytes, 1000).await.unwrap();
        assert_eq!(measure(&same), Some((400, 100)));
    }

    #[tokio::test]
    async fn what_can_be_seen_through_is_white() {
        let small = preview(png(8, 8, [0, 0, 0, 0]), 8).await.unwrap();
        let seen = image::load_from_memory(&small).unwrap().to_rgb8();
        assert!(seen.get_pixel(4, 4).0.iter().all(|color| *color > 250));
    }

    #[tokio::test]
    async fn a_photo_that_lies_on_its_side_is_set_upright() {
        let mut jpeg = Vec::new();
        let picture = RgbImage::from_pixel(40, 20, Rgb([9, 9, 9]));
        picture
            .write_with_encoder(JpegEncoder::new(&mut jpeg))
            .unwrap();
        // An EXIF block that says: turn by 90 degrees.
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
        exif.extend_from_slice(b"\0\x06\0\0\0\0\0\0");
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let turned: Vec<u8> = [&jpeg[..2], b"\xff\xe1", &length, &exif, &jpeg[2..]].concat();
        assert_eq!(measure(&turned), Some((20, 40)));
        let small = preview(turned.into(), 100).await.unwrap();
        assert_eq!(measure(&small), Some((20, 40)));
        assert!(!small.windows(4).any(|four| four == b"Exif"));
    }

    #[tokio::test]
    async fn damaged_and_huge_pictures_have_no_preview() {
        assert_eq!(measure(b"GIF8"), None);
        let whole = png(64, 64, [1, 2, 3, 255]);
        let cut = whole.slice(..whole.len() / 2);
        assert!(preview(cut, 8).await.is_err());
        // A head that claims more than we hold.
        let mut huge = whole.to_vec();
        huge[16..24].copy_from_slice(&[0, 0, 0x40, 0, 0, 0, 0x40, 0]);
        assert!(preview(huge.into(), 8).await.is_err());
    }
}
