//! The picture that comes together of the previews of slices.

use std::io::Cursor;
use std::path::Path;

use exr::prelude::{ReadChannels, ReadLayers, read};

use crate::error::{FramesError, Result};
use crate::preview::{MOST_PREVIEW_PIXELS, Pixel, encode, half};

/// A picture that is put together of previews of slices, as they come.
#[derive(Debug, Default)]
pub struct PreviewCanvas {
    size: (usize, usize),
    pixels: Vec<Pixel>,
}

impl PreviewCanvas {
    /// Paints the preview of a slice where it belongs. What was painted before stays elsewhere.
    ///
    /// # Errors
    /// What is wrong with it, in a few words: it comes from a bucket, and may be anything.
    pub fn paint(&mut self, preview: &[u8]) -> std::result::Result<(), String> {
        let words = |error: exr::error::Error| error.to_string();
        let meta = exr::meta::MetaData::read_from_buffered(Cursor::new(preview), false);
        let meta = meta.map_err(words)?;
        let [header] = meta.headers.as_slice() else { return Err("several parts".into()) };
        let whole = header.shared_attributes.display_window.size;
        let (size, at) = (header.layer_size, header.own_attributes.layer_position);
        let whole = (whole.width(), whole.height());
        let at = (usize::try_from(at.x()), usize::try_from(at.y()));
        let (Ok(left), Ok(top)) = at else { return Err("it lies outside of the picture".into()) };
        let sides = 1..=MOST_PREVIEW_PIXELS;
        let is_inside = left.saturating_add(size.width()) <= whole.0
            && top.saturating_add(size.height()) <= whole.1;
        if !sides.contains(&whole.0) || !sides.contains(&whole.1) || !is_inside {
            return Err(format!("{size:?} pixels of a picture of {whole:?}"));
        }
        if self.pixels.is_empty() {
            self.size = whole;
            self.pixels = vec![half([0.0; 4]); whole.0 * whole.1];
        }
        if self.size != whole {
            return Err(format!("of a picture of {whole:?} pixels, not {:?}", self.size));
        }
        let picture = read()
            .no_deep_data()
            .largest_resolution_level()
            .rgba_channels(
                |size, _| (size.width(), vec![half([0.0; 4]); size.area()]),
                |(width, pixels), at, pixel: Pixel| {
                    if let Some(into) = pixels.get_mut(at.y() * *width + at.x()) {
                        *into = pixel;
                    }
                },
            )
            .first_valid_layer()
            .all_attributes()
            .non_parallel()
            .from_buffered(Cursor::new(preview))
            .map_err(words)?;
        let (width, pixels) = picture.layer_data.channel_data.pixels;
        for (number, line) in pixels.chunks_exact(width.max(1)).enumerate() {
            let begin = (top + number) * self.size.0 + left;
            if let Some(into) = self.pixels.get_mut(begin..begin + width) {
                into.copy_from_slice(line);
            }
        }
        Ok(())
    }

    /// Writes the picture as it is by now: what has not come is transparent. The file is there when
    /// it is whole.
    ///
    /// # Errors
    /// [`FramesError::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let bytes = encode(&self.pixels, self.size, (0, 0), self.size)
            .map_err(|error| FramesError::damaged(path, &error))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let file =
            tempfile::NamedTempFile::new_in(folder).map_err(FramesError::io("write in", folder))?;
        std::fs::write(file.path(), bytes).map_err(FramesError::io("write", path))?;
        let kept = file.persist(path).map(|_| ());
        kept.map_err(|error| FramesError::io("write", path)(error.error))
    }
}

#[cfg(test)]
mod tests {
    use exr::prelude::{
        AnyChannel, AnyChannels, Blocks, Compression, Encoding, FlatSamples, Image, Layer,
        LayerAttributes, LineOrder, Text, WritableImage, f16, read_first_rgba_layer_from_file,
    };

    use crate::grid::PlannedTile;
    use crate::preview::preview_of_tile;
    use std::path::PathBuf;

    use super::*;

    /// A slice of a size, whose red is that of the pixel's column.
    fn slice(folder: &Path, (width, height): (usize, usize), first_column: usize) -> PathBuf {
        let path = folder.join(format!("{first_column}.exr"));
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let column = |at: usize| (first_column + at % width) as f32;
        let channel = |name: &str, value: &dyn Fn(usize) -> f32| {
            let samples = (0..width * height).map(value).collect();
            AnyChannel::new(Text::from(name), FlatSamples::F32(samples))
        };
        let channels = AnyChannels::sort(
            [
                channel("ViewLayer.Combined.R", &column),
                channel("ViewLayer.Combined.G", &|_| 0.5),
                channel("ViewLayer.Combined.B", &|_| 1e9),
                channel("ViewLayer.Combined.A", &|_| 1.0),
                channel("ViewLayer.Depth.Z", &|_| 7.0),
            ]
            .into_iter()
            .collect(),
        );
        let rows = Encoding {
            compression: Compression::ZIP16,
            blocks: Blocks::ScanLines,
            line_order: LineOrder::Increasing,
        };
        let layer = Layer::new((width, height), LayerAttributes::default(), rows, channels);
        Image::from_layer(layer).write().to_file(&path).unwrap();
        path
    }

    fn tile(left: usize, width: usize, margin: usize) -> PlannedTile {
        PlannedTile {
            position: (left, 0),
            size: (width, 4),
            rendered_position: (left - margin, 0),
            rendered_size: (width + margin, 4),
        }
    }

    /// The picture of a canvas: its size, and its pixels, row after row.
    fn seen(canvas: &PreviewCanvas, folder: &Path) -> ((usize, usize), Vec<Pixel>) {
        let path = folder.join("seen.exr");
        canvas.write(&path).unwrap();
        let picture = read_first_rgba_layer_from_file(
            path,
            |size, _| (size, vec![half([0.0; 4]); size.area()]),
            |(size, pixels), at, pixel: Pixel| pixels[at.y() * size.width() + at.x()] = pixel,
        );
        let (size, pixels) = picture.unwrap().layer_data.channel_data.pixels;
        ((size.width(), size.height()), pixels)
    }

    #[test]
    fn previews_of_tiles_make_a_small_picture_in_whatever_order_they_come() {
        let folder = tempfile::tempdir().unwrap();
        let frame = (3200, 4);
        let left = slice(folder.path(), (1600, 4), 0);
        // Rendered with a margin, which is not shown.
        let right = slice(folder.path(), (1608, 4), 1592);
        let left = preview_of_tile(&left, &tile(0, 1600, 0), frame).unwrap();
        let right = preview_of_tile(&right, &tile(1600, 1600, 8), frame).unwrap();
        assert!(left.len() < 40_000, "{}", left.len());
        let mut canvas = PreviewCanvas::default();
        canvas.paint(&right).unwrap();
        let (size, pixels) = seen(&canvas, folder.path());
        assert_eq!(size, (1600, 2));
        assert_eq!(pixels[0], half([0.0; 4]), "what has not come is transparent");
        assert_eq!(pixels[800], half([1600.5, 0.5, f16::MAX.to_f32(), 1.0]));
        canvas.paint(&left).unwrap();
        let (_, pixels) = seen(&canvas, folder.path());
        assert_eq!(pixels[1].0, f16::from_f32(2.5));
        assert_eq!(pixels[800].0, f16::from_f32(1600.5));
    }

    #[test]
    fn what_is_no_preview_changes_nothing_and_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut canvas = PreviewCanvas::default();
        let small = slice(folder.path(), (8, 4), 0);
        let small = preview_of_tile(&small, &tile(0, 8, 0), (8, 4)).unwrap();
        canvas.paint(&small).unwrap();
        let outside = encode(&[half([0.0; 4]); 4], (2, 2), (7, 0), (8, 4)).unwrap();
        let other = encode(&[half([0.0; 4]); 4], (2, 2), (0, 0), (9, 4)).unwrap();
        let huge = encode(&[half([0.0; 4]); 4], (2, 2), (0, 0), (1601, 4)).unwrap();
        for bytes in [&outside, &other, &huge, &small[..small.len() / 2].to_vec(), &Vec::new()] {
            assert!(canvas.paint(bytes).is_err());
        }
        assert_eq!(seen(&canvas, folder.path()).1[3].0, f16::from_f32(3.0));
    }

    #[test]
    fn a_slice_without_a_picture_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.exr");
        std::fs::write(&path, b"no picture").unwrap();
        let error = preview_of_tile(&path, &tile(0, 8, 0), (8, 4)).unwrap_err();
        assert!(error.to_string().contains("none.exr"));
    }
}
