//! What is in a slice: its size and its channels, grouped to passes.

use std::collections::BTreeMap;

use exr::meta::header::Header;

use crate::pass::Pass;

/// Most pixels on a side (Blender's own limit, `rna_scene.cc`, 5.2).
pub(crate) const MOST_SIDE_PIXELS: usize = 65_536;

/// Most channels of a slice: 64 view layers of 40 passes, each of three or four channels.
pub(crate) const MOST_CHANNELS: usize = 8192;

/// A pass, by the places of its channels among those of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PassChannels {
    /// The view layer and the view, which passes that belong together share.
    pub(crate) family: (String, String),
    /// What it is called, without the two.
    pub(crate) name: String,
    /// How slices of samples are put together.
    pub(crate) pass: Pass,
    /// Its channels, in the order of their names in the pass: R, G, B, A or X, Y, Z, W.
    pub(crate) channels: Vec<usize>,
}

/// The passes of a slice, the views of which are known.
pub(crate) fn passes(header: &Header, views: &[String]) -> Vec<PassChannels> {
    let mut found = BTreeMap::<(String, String, String), Vec<(usize, usize)>>::new();
    for (place, channel) in header.channels.list.iter().enumerate() {
        let name = channel.name.to_string();
        let (pass, component) = name.rsplit_once('.').unwrap_or((&name, ""));
        let (pass, view) = match pass.rsplit_once('.') {
            Some((rest, view)) if views.iter().any(|known| known == view) => (rest, view),
            _ => (pass, ""),
        };
        let (layer, pass) = pass.rsplit_once('.').unwrap_or(("", pass));
        let order = "RGBAXYZWrgbaUV".find(component).unwrap_or(usize::MAX);
        let key = (layer.to_owned(), view.to_owned(), pass.to_owned());
        found.entry(key).or_default().push((order, place));
    }
    found
        .into_iter()
        .map(|((layer, view, name), mut channels)| {
            channels.sort_unstable();
            let channels = channels.into_iter().map(|(_, place)| place).collect();
            PassChannels { family: (layer, view), pass: Pass::of(&name), name, channels }
        })
        .collect()
}
