//! The Combined pass of an `OpenEXR` file with layers, which names its channels by layer and pass.

use std::path::Path;

use exr::error::Result;
use exr::meta::MetaData;
use exr::prelude::{ReadChannels, ReadLayers, ReadSpecificChannel, Vec2, read};
use image::{Rgba, Rgba32FImage};

/// What Blender calls the red of the pass that is the picture, behind the name of its view layer.
const RED: &str = ".Combined.R";

/// The picture of the first view layer; `None` where the file has no such layer.
pub(crate) fn combined(frame: &Path, most_side_pixels: u32) -> Result<Option<Rgba32FImage>> {
    let meta = MetaData::read_from_file(frame, false)?;
    let channels = meta.headers.iter().flat_map(|header| &header.channels.list);
    let mut names = channels.map(|channel| channel.name.to_string());
    let Some(pass) = names
        .find_map(|name| Some(name.strip_suffix(".R")?.to_owned()).filter(|_| name.ends_with(RED)))
    else {
        return Ok(None);
    };
    let most = most_side_pixels as usize;
    let is_too_large = |size: Vec2<usize>| size.width() > most || size.height() > most;
    if meta.headers.iter().any(|header| is_too_large(header.layer_size)) {
        return Ok(None);
    }
    let picture = read()
        .no_deep_data()
        .largest_resolution_level()
        .specific_channels()
        .required(format!("{pass}.R").as_str())
        .required(format!("{pass}.G").as_str())
        .required(format!("{pass}.B").as_str())
        .optional(format!("{pass}.A").as_str(), 1.0)
        .collect_pixels(
            |size, _| {
                let side = |pixels| u32::try_from(pixels).unwrap_or(0);
                Rgba32FImage::new(side(size.width()), side(size.height()))
            },
            |picture, at, (red, green, blue, alpha): (f32, f32, f32, f32)| {
                let side = |pixels| u32::try_from(pixels).unwrap_or(u32::MAX);
                if let Some(pixel) = picture.get_pixel_mut_checked(side(at.x()), side(at.y())) {
                    *pixel = Rgba([red, green, blue, alpha]);
                }
            },
        )
        .first_valid_layer()
        .all_attributes()
        .from_file(frame)?;
    Ok(Some(picture.layer_data.channel_data.pixels))
}
