//! Small pictures of slices, for whoever watches a frame come together: of each its place in the
//! picture, and its colours as they are before they are displayed.

use std::io::Cursor;
use std::path::Path;

use exr::math::Vec2;
use exr::meta::attribute::IntegerBounds;
use exr::prelude::{
    Encoding, Image, ImageAttributes, Layer, LayerAttributes, SpecificChannels, WritableImage, f16,
};

use crate::error::{FramesError, Result};
use crate::grid::PlannedTile;
use crate::slice::SliceReader;

/// Most pixels of a side of a preview.
pub const MOST_PREVIEW_PIXELS: usize = 1600;

/// Most bytes of the preview of a slice: all of it in half floats, and what a file has beside them.
pub const MOST_PREVIEW_BYTES: u64 = 24 << 20;

/// What Blender calls the red of the pass that is the picture, behind the name of its view layer.
const RED: &str = ".Combined.R";

/// Red, green, blue and alpha.
pub(crate) type Pixel = (f16, f16, f16, f16);

/// Makes the preview of a slice that is a tile of a frame of a size in pixels: the Combined pass of
/// its first view layer, as an `OpenEXR` file of half floats.
///
/// # Errors
/// [`FramesError::Misfit`] where it has no such pass, [`FramesError::Damaged`], [`FramesError::Io`].
pub fn preview_of_tile(slice: &Path, tile: &PlannedTile, frame: (usize, usize)) -> Result<Vec<u8>> {
    let mut reader = SliceReader::open(slice)?;
    let channels = combined_channels(&reader)?;
    let width = reader.header().layer_size.width();
    let channel_count = reader.header().channels.list.len();
    let times = frame.0.max(frame.1).div_ceil(MOST_PREVIEW_PIXELS).max(1);
    let (left, top) = (tile.position.0 / times, tile.position.1 / times);
    let right = (tile.position.0 + tile.size.0).div_ceil(times);
    let bottom = (tile.position.1 + tile.size.1).div_ceil(times);
    let size = (right.saturating_sub(left), bottom.saturating_sub(top));
    let mut sums = vec![([0.0_f32; 4], 0.0_f32); size.0 * size.1];
    let margin = tile.margin();
    while let Some(rows) = reader.next_rows()? {
        for (number, line) in rows.samples.chunks_exact(channel_count * width).enumerate() {
            let inside = (rows.first + number).checked_sub(margin.1);
            let Some(inside) = inside.filter(|row| *row < tile.size.1) else { continue };
            let row = (tile.position.1 + inside) / times - top;
            for column in 0..tile.size.0 {
                let at = row * size.0 + (tile.position.0 + column) / times - left;
                let Some((sum, count)) = sums.get_mut(at) else { continue };
                for (sum, channel) in sum.iter_mut().zip(channels) {
                    let sample = channel * width + margin.0 + column;
                    *sum += line.get(sample).copied().unwrap_or_default();
                }
                *count += 1.0;
            }
        }
    }
    let pixels: Vec<Pixel> = sums
        .into_iter()
        .map(|(sum, count)| half(sum.map(|channel| channel / count.max(1.0))))
        .collect();
    let whole = (frame.0.div_ceil(times), frame.1.div_ceil(times));
    encode(&pixels, size, (left, top), whole).map_err(|error| FramesError::damaged(slice, &error))
}

/// The places of red, green, blue and alpha of the picture among the channels.
fn combined_channels(reader: &SliceReader) -> Result<[usize; 4]> {
    let names: Vec<_> =
        reader.header().channels.list.iter().map(|channel| channel.name.to_string()).collect();
    let of = |name: &str| names.iter().position(|known| known == name);
    let found = names.iter().find_map(|name| {
        let pass = name.strip_suffix(".R").filter(|_| name.ends_with(RED))?;
        Some([
            of(name)?,
            of(&format!("{pass}.G"))?,
            of(&format!("{pass}.B"))?,
            of(&format!("{pass}.A"))?,
        ])
    });
    found.ok_or_else(|| FramesError::Misfit {
        path: reader.path().to_owned(),
        expected: "a pass Combined".into(),
        got: format!("{} channels without it", names.len()),
    })
}

/// The file of a picture at its place in a larger one.
pub(crate) fn encode(
    pixels: &[Pixel],
    size: (usize, usize),
    position: (usize, usize),
    whole: (usize, usize),
) -> exr::error::Result<Vec<u8>> {
    let coordinate = |at: usize| i32::try_from(at).unwrap_or(i32::MAX);
    let position = Vec2(coordinate(position.0), coordinate(position.1));
    let attributes = LayerAttributes { layer_position: position, ..LayerAttributes::default() };
    let channels = SpecificChannels::rgba(|at: Vec2<usize>| {
        pixels.get(at.y() * size.0 + at.x()).copied().unwrap_or_default()
    });
    let layer = Layer::new(size, attributes, Encoding::SMALL_FAST_LOSSLESS, channels);
    let shared = ImageAttributes::new(IntegerBounds::from_dimensions(whole));
    let mut bytes = Cursor::new(Vec::new());
    Image::empty(shared).with_layer(layer).write().non_parallel().to_buffered(&mut bytes)?;
    Ok(bytes.into_inner())
}

/// A pixel in half floats.
pub(crate) fn half([red, green, blue, alpha]: [f32; 4]) -> Pixel {
    // What a half float cannot hold would be infinite, and Blender's view of it black.
    let channel = |value: f32| f16::from_f32(value.clamp(f16::MIN.to_f32(), f16::MAX.to_f32()));
    (channel(red), channel(green), channel(blue), channel(alpha))
}
