//! Writes a frame from its top to its end, a block of rows at a time.

use std::io::BufWriter;
use std::path::Path;

use exr::block::UncompressedBlock;
use exr::block::writer::ChunksWriter;
use exr::error::Error;
use exr::math::Vec2;
use exr::meta::BlockDescription;
use exr::meta::attribute::{IntegerBounds, LineOrder};
use exr::meta::header::Header;

use crate::error::{FramesError, Result};

/// Writes a frame of a size, with the channels and the attributes of a slice of it; `rows` gives the
/// samples of rows, by the first of them and their number: row after row, channel after channel.
///
/// The file is there when it is whole.
pub(crate) fn write(
    path: &Path,
    (width, height): (usize, usize),
    like: &Header,
    mut rows: impl FnMut(usize, usize) -> Result<Vec<f32>>,
) -> Result<()> {
    let mut header = like.clone();
    // With the list of views Blender looks for channels by other names than they have here
    // (`render_result.cc`, 5.2).
    header.own_attributes.multi_view_names = None;
    header.layer_size = Vec2(width, height);
    header.shared_attributes.display_window = IntegerBounds::from_dimensions((width, height));
    header.own_attributes.layer_position = Vec2(0, 0);
    let compression = header.compression;
    let header =
        header.with_encoding(compression, BlockDescription::ScanLines, LineOrder::Increasing);
    let folder = path.parent().unwrap_or(Path::new("."));
    let file =
        tempfile::NamedTempFile::new_in(folder).map_err(FramesError::io("write in", folder))?;
    let mut failed = None;
    let headers = std::iter::once(header).collect();
    let written = exr::block::write(BufWriter::new(&file), headers, true, |meta, writer| {
        let blocks: Vec<_> =
            exr::block::enumerate_ordered_header_block_indices(&meta.headers).collect();
        for (number, index) in blocks {
            let samples = match rows(index.pixel_position.y(), index.pixel_size.height()) {
                Ok(samples) => samples,
                Err(error) => {
                    failed = Some(error);
                    return Err(Error::Invalid("a slice".into()));
                }
            };
            let data = samples.into_iter().flat_map(f32::to_ne_bytes).collect();
            let chunk = UncompressedBlock { index, data }.compress_to_chunk(&meta.headers)?;
            writer.write_chunk(number, chunk)?;
        }
        Ok(())
    });
    match (failed, written) {
        (Some(error), _) => Err(error),
        (None, Err(Error::Io(source))) => Err(FramesError::io("write", path)(source)),
        (None, Err(error)) => Err(FramesError::damaged(path, &error)),
        (None, Ok(())) => {
            let kept = file.persist(path).map(|_| ());
            kept.map_err(|error| FramesError::io("write", path)(error.error))
        }
    }
}
