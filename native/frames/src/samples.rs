//! A frame of samples: each slice has the whole picture, of a part of the samples.

use std::path::{Path, PathBuf};

use exr::meta::header::Header;

use crate::error::{FramesError, Result};
use crate::layout::passes;
use crate::slice::SliceReader;
use crate::sums::{Sums, steps};
use crate::writer;

/// A slice of samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleSlice {
    /// The slice: an `OpenEXR` file of one part, with the colour of each light pass.
    pub path: PathBuf,
    /// The first of its samples.
    pub first_sample: u32,
    /// How many it has.
    pub samples: u32,
}

/// Puts slices of samples together to the frame of all samples, and writes it.
///
/// `views` are the names of the views of a stereo frame. Whatever order the slices are given in, the
/// sums are made in that of their samples. One block of rows of one slice is in memory, and the sums.
///
/// # Errors
/// [`FramesError::Plan`] where the slices do not follow on each other from sample 0,
/// [`FramesError::Misfit`] or [`FramesError::Damaged`] where one is not what it should be,
/// [`FramesError::Io`].
pub fn merge_samples(slices: &[SampleSlice], views: &[String], frame: &Path) -> Result<()> {
    let mut slices = slices.to_vec();
    slices.sort_by_key(|slice| slice.first_sample);
    let total = check_plan(&slices)?;
    let mut readers =
        slices.iter().map(|slice| SliceReader::open(&slice.path)).collect::<Result<Vec<_>>>()?;
    let Some(first) = readers.first() else {
        return Err(FramesError::Plan { reason: "there are none".into() });
    };
    let like = first.header().clone();
    for reader in &readers {
        check_alike(reader, &like)?;
    }
    let (width, height) = (like.layer_size.width(), like.layer_size.height());
    let steps = steps(&passes(&like, views)).map_err(|reason| FramesError::Misfit {
        path: first.path().to_owned(),
        expected: "the colour of each light pass".into(),
        got: reason,
    })?;
    writer::write(frame, (width, height), &like, |first_row, count| {
        let mut sums = Sums::new(&steps, width, like.channels.list.len(), count);
        for (number, (reader, slice)) in readers.iter_mut().zip(&slices).enumerate() {
            let rows = reader.next_rows()?;
            let rows = rows.filter(|rows| (rows.first, rows.count) == (first_row, count));
            let rows = rows.ok_or_else(|| FramesError::Misfit {
                path: reader.path().to_owned(),
                expected: format!("{count} rows from {first_row} in a block"),
                got: "others".into(),
            })?;
            sums.add(&rows.samples, f64::from(slice.samples), number == 0);
        }
        Ok(sums.finish(f64::from(total)))
    })
}

fn check_alike(reader: &SliceReader, like: &Header) -> Result<()> {
    let of = |header: &Header| {
        let size = header.layer_size;
        format!(
            "{} × {} pixels, {} channels, {:?}",
            size.width(),
            size.height(),
            header.channels.list.len(),
            header.compression
        )
    };
    let header = reader.header();
    if of(header) == of(like) && header.channels == like.channels {
        return Ok(());
    }
    let path = reader.path().to_owned();
    Err(FramesError::Misfit { path, expected: of(like), got: of(header) })
}

/// How many samples there are; each has to be in one slice.
fn check_plan(slices: &[SampleSlice]) -> Result<u32> {
    let mut next = 0_u32;
    for slice in slices {
        if slice.first_sample != next || slice.samples == 0 {
            let reason = format!(
                "expected samples from {next} on, got {} from {}",
                slice.samples, slice.first_sample
            );
            return Err(FramesError::Plan { reason });
        }
        next = next.saturating_add(slice.samples);
    }
    Ok(next)
}
