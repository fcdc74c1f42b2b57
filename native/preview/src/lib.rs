//! Small pictures of frames, for whoever watches them land: Blender reads an image on the thread that
//! draws its windows, and one of 4K takes it seconds.

mod combined;

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageFormat, ImageReader, Limits, Rgba, Rgba32FImage};

/// Most pixels of a side of a frame, and most bytes that it may take in memory.
const MOST_SIDE_PIXELS: u32 = 65_536;
const MOST_BYTES: u64 = 2 << 30;

/// Why there is no preview of a frame.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// The frame cannot be read, or the preview not be written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The frame is of a format, or of a kind of it, that is not read here.
    #[error("cannot make a preview of {}: {source}", path.display())]
    Unreadable {
        /// The frame.
        path: PathBuf,
        /// What is wrong.
        source: image::ImageError,
    },
}

/// Writes a small copy of a frame into a folder, as `name.png` or, where it holds floats, `name.exr`:
/// with the same colours, so that Blender shows it as it shows the frame. Gives its path.
///
/// The picture has at most `most_pixels` on a side. Blocks for as long as the frame takes to be read.
///
/// # Errors
/// [`PreviewError::Io`], or [`PreviewError::Unreadable`] where it is no picture that is read here:
/// `OpenEXR` with DWA compression, JPEG 2000, DPX.
pub fn make(
    frame: &Path,
    folder: &Path,
    name: &str,
    most_pixels: u32,
) -> Result<PathBuf, PreviewError> {
    let io = |action, path: &Path| {
        let path = path.to_owned();
        move |source| PreviewError::Io { action, path, source }
    };
    let unreadable = |source| PreviewError::Unreadable { path: frame.to_owned(), source };
    let file = BufReader::new(File::open(frame).map_err(io("open", frame))?);
    let mut reader = ImageReader::new(file).with_guessed_format().map_err(io("read", frame))?;
    // Targa has nothing by which it could be known.
    if let (None, Ok(format)) = (reader.format(), ImageFormat::from_path(frame)) {
        reader.set_format(format);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_SIDE_PIXELS);
    limits.max_image_height = Some(MOST_SIDE_PIXELS);
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let picture = match reader.decode() {
        Ok(picture) => picture,
        Err(error) => match combined::combined(frame, MOST_SIDE_PIXELS) {
            Ok(Some(picture)) => DynamicImage::ImageRgba32F(picture),
            _ => return Err(unreadable(error)),
        },
    };
    let times = picture.width().max(picture.height()).div_ceil(most_pixels.max(1)).max(1);
    let (small, format, extension) = match picture {
        floats @ (DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_)) => {
            let small = smaller(&floats.into_rgba32f(), times);
            (DynamicImage::ImageRgba32F(small), ImageFormat::OpenExr, "exr")
        }
        bytes => {
            let (width, height) = (bytes.width().div_ceil(times), bytes.height().div_ceil(times));
            let small = bytes.thumbnail_exact(width, height).into_rgba8();
            (DynamicImage::ImageRgba8(small), ImageFormat::Png, "png")
        }
    };
    let path = folder.join(format!("{name}.{extension}"));
    // Whoever reads the last one meanwhile reads it to its end.
    let mut partial = tempfile::NamedTempFile::new_in(folder).map_err(io("write in", folder))?;
    small.write_to(&mut partial, format).map_err(unreadable)?;
    partial.persist(&path).map_err(|error| io("write", &path)(error.error))?;
    Ok(path)
}

/// Each pixel the mean of a square of so many times as many: the crate's own ways to make a picture
/// smaller are for bytes, and cut off what is brighter than white.
fn smaller(picture: &Rgba32FImage, times: u32) -> Rgba32FImage {
    let (width, height) = picture.dimensions();
    Rgba32FImage::from_fn(width.div_ceil(times), height.div_ceil(times), |x, y| {
        let (mut sum, mut count) = ([0.0_f32; 4], 0.0_f32);
        for row in (y * times..height).take(times as usize) {
            for column in (x * times..width).take(times as usize) {
                let pixel = picture.get_pixel(column, row).0;
                sum.iter_mut().zip(pixel).for_each(|(sum, channel)| *sum += channel);
                count += 1.0;
            }
        }
        Rgba(sum.map(|channel| channel / count.max(1.0)))
    })
}

#[cfg(test)]
mod tests {
    use image::RgbaImage;

    use super::*;

    #[test]
    fn a_preview_is_small_and_has_the_colours_of_the_frame() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = folder.path().join("shot_0001.png");
        RgbaImage::from_pixel(400, 200, Rgba([200, 100, 50, 255])).save(&bytes).unwrap();
        let made = make(&bytes, folder.path(), "latest", 100).unwrap();
        assert_eq!(made, folder.path().join("latest.png"));
        let small = image::open(&made).unwrap().into_rgba8();
        assert_eq!(small.dimensions(), (100, 50));
        assert_eq!(small.get_pixel(50, 25), &Rgba([200, 100, 50, 255]));
        let floats = folder.path().join("shot_0001.exr");
        Rgba32FImage::from_pixel(300, 300, Rgba([4.5, 0.25, 0.0, 1.0])).save(&floats).unwrap();
        let made = make(&floats, folder.path(), "latest", 100).unwrap();
        let small = image::open(&made).unwrap().into_rgba32f();
        assert_eq!(small.get_pixel(50, 50), &Rgba([4.5, 0.25, 0.0, 1.0]));
        assert_eq!(small.dimensions(), (100, 100));
    }

    #[test]
    fn of_a_file_with_layers_the_combined_pass_is_shown() {
        use exr::prelude::{
            AnyChannel, AnyChannels, FlatSamples, Image, Layer, LayerAttributes, Text,
            WritableImage,
        };
        let folder = tempfile::tempdir().unwrap();
        let frame = folder.path().join("shot.exr");
        let channel = |name: &str, value: f32| {
            AnyChannel::new(Text::from(name), FlatSamples::F32(vec![value; 8]))
        };
        let channels = AnyChannels::sort(
            [
                channel("ViewLayer.Combined.R", 4.0),
                channel("ViewLayer.Combined.G", 0.5),
                channel("ViewLayer.Combined.B", 0.25),
                channel("ViewLayer.Combined.A", 1.0),
                channel("ViewLayer.Depth.Z", 9.0),
            ]
            .into_iter()
            .collect(),
        );
        let attributes = LayerAttributes::default();
        let layer = Layer::new((4, 2), attributes, exr::prelude::Encoding::FAST_LOSSLESS, channels);
        Image::from_layer(layer).write().to_file(&frame).unwrap();
        let made = make(&frame, folder.path(), "latest", 2).unwrap();
        let small = image::open(made).unwrap().into_rgba32f();
        assert_eq!(
            (small.dimensions(), small.get_pixel(1, 0)),
            ((2, 1), &Rgba([4.0, 0.5, 0.25, 1.0]))
        );
    }

    #[test]
    fn what_is_small_already_is_not_made_larger() {
        let folder = tempfile::tempdir().unwrap();
        let frame = folder.path().join("shot.png");
        RgbaImage::from_pixel(8, 4, Rgba([1, 2, 3, 4])).save(&frame).unwrap();
        let made = make(&frame, folder.path(), "latest", 100).unwrap();
        assert_eq!(image::open(made).unwrap().into_rgba8().dimensions(), (8, 4));
    }

    #[test]
    fn what_is_no_picture_or_not_there_is_an_error_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let frame = folder.path().join("shot.png");
        assert!(matches!(make(&frame, folder.path(), "x", 9), Err(PreviewError::Io { .. })));
        for bytes in [b"".as_slice(), b"\x89PNG\r\n\x1a\n", b"\x76\x2f\x31\x01\x02\0\0\0garbage"] {
            std::fs::write(&frame, bytes).unwrap();
            let error = make(&frame, folder.path(), "x", 9).unwrap_err();
            assert!(error.to_string().contains("shot.png"), "{error}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left over");
    }
}
