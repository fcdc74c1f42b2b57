//! Files that are named in other files: layers and assets of USD, and what OSL includes.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::blend_path::{BlendPath, native};
use crate::usd_crate;

/// Most bytes of one file that are searched.
const MOST_BYTES: u64 = 256 << 20;

/// Most files that one leads to.
const MOST_FILES: usize = 10_000;

/// What USD can name: layers, caches, pictures.
const EXTENSIONS: [&str; 19] = [
    "abc", "bmp", "exr", "hdr", "jpeg", "jpg", "mtlx", "png", "tga", "tif", "tiff", "tx", "udim",
    "usd", "usda", "usdc", "usdz", "vdb", "webp",
];

/// The files that a file leads to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct References {
    /// By relative paths, those that they lead to in turn among them.
    pub(crate) relative: Vec<PathBuf>,
    /// By absolute paths, which lead nowhere on another machine and cannot be rewritten there.
    pub(crate) absolute: Vec<PathBuf>,
}

/// The files that are there and that a file leads to: layers and assets of USD, as text (`.usda`) or
/// binary (`.usdc`), and headers of OSL.
pub(crate) fn referenced(file: &Path) -> References {
    let mut found = References::default();
    let mut seen = HashSet::from([file.to_owned()]);
    let mut waiting = vec![file.to_owned()];
    while let Some(current) = waiting.pop() {
        let folder = current.parent().unwrap_or(&current).to_owned();
        for name in names_in(&current) {
            let count = found.relative.len() + found.absolute.len();
            let is_absolute = native(name.clone()).is_absolute();
            let path = if is_absolute {
                native(name)
            } else {
                BlendPath::new([b"//", name.as_slice()].concat()).resolve(&folder)
            };
            if count >= MOST_FILES || !path.is_file() || !seen.insert(path.clone()) {
                continue;
            }
            if is_absolute {
                found.absolute.push(path);
            } else {
                waiting.push(path.clone());
                found.relative.push(path);
            }
        }
    }
    found
}

fn names_in(file: &Path) -> Vec<Vec<u8>> {
    let extension = file.extension().map(std::ffi::OsStr::to_ascii_lowercase).unwrap_or_default();
    let (is_usd, is_osl) = match extension.to_str() {
        Some("usd" | "usda" | "usdc") => (true, false),
        Some("osl" | "h") => (false, true),
        _ => return Vec::new(),
    };
    let mut text = Vec::new();
    let read = File::open(file).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut text));
    if read.is_err() {
        return Vec::new();
    }
    let mut names: Vec<Vec<u8>> = if is_osl {
        let included = text.split(|byte| *byte == b'\n').filter_map(included);
        // What a shader opens itself: `texture("/…")`. Relative names lead nowhere in it.
        let strings = text.split(|byte| *byte == b'"').skip(1).step_by(2);
        let opened = strings.filter(|name| native(name.to_vec()).is_absolute());
        included.chain(opened).map(<[u8]>::to_vec).collect()
    } else if is_usd && text.starts_with(usd_crate::MAGIC) {
        // Any string may be a path: those count that look like one, where such a file is there.
        let tokens = usd_crate::tokens(&text).unwrap_or_default();
        tokens.into_iter().filter(|token| may_be_an_asset(token)).collect()
    } else if text.starts_with(b"#usda") {
        // `@path@`: what stands between the first and the second, the third and the fourth, …
        text.split(|byte| *byte == b'@').skip(1).step_by(2).map(<[u8]>::to_vec).collect()
    } else {
        Vec::new()
    };
    names.retain(|name| !name.is_empty() && name.len() < 4096);
    names
}

fn may_be_an_asset(name: &[u8]) -> bool {
    let extension = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let extension = extension.to_ascii_lowercase();
    EXTENSIONS.iter().any(|known| known.as_bytes() == extension)
}

/// The name in `#include "name"`.
fn included(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii().strip_prefix(b"#")?.trim_ascii().strip_prefix(b"include")?;
    line.trim_ascii().strip_prefix(b"\"")?.split(|byte| *byte == b'"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_of_layers_and_headers_of_headers_are_found_once() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path
        };
        let top = write("top.usda", "#usda 1.0\n(subLayers = [@./sub/a.usda@, @/abs.usda@])");
        let layer = write("sub/a.usda", "#usda 1.0\nasset f = @../wood.png@ @../top.usda@");
        let wood = write("wood.png", "@top.usda@");
        assert_eq!(referenced(&top).relative, [layer.clone(), wood.clone()]);
        let shader = write("s.osl", "#include \"stdosl.h\"\n # include \"inc.h\"\nshader s() {}");
        let header = write("inc.h", "#include \"s.osl\"");
        let text = format!("shader s() {{ color c = texture({:?}, u, v); }}", wood.display());
        assert_eq!(referenced(&write("t.osl", &text)).absolute, std::slice::from_ref(&wood));
        assert_eq!(referenced(&shader).relative, [header]);
        assert_eq!(referenced(&write("b.usd", "PXR-USDC@x@")), References::default());
        let text = format!("#usda 1.0\n(subLayers = [@{}@, @/gone.usda@])", layer.display());
        let found = referenced(&write("absolute.usda", &text));
        assert_eq!((found.relative, found.absolute), (Vec::new(), vec![layer]));
    }
}
