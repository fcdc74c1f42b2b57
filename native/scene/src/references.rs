//! Files that are named in the text of other files: layers of USD, and what OSL includes.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::blend_path::{BlendPath, native};

/// Most bytes of one file that are searched.
const MOST_BYTES: u64 = 256 << 20;

/// Most files that one leads to.
const MOST_FILES: usize = 10_000;

/// The files that a file leads to by relative paths in its text, and those that they lead to: layers
/// and assets of USD as text (`.usda`), headers of OSL. Binary USD (`.usdc`) is not searched.
///
/// Absolute paths are left out: they cannot be rewritten there.
pub(crate) fn referenced(file: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut seen = HashSet::from([file.to_owned()]);
    let mut waiting = vec![file.to_owned()];
    while let Some(current) = waiting.pop() {
        let folder = current.parent().unwrap_or(&current).to_owned();
        for name in names_in(&current) {
            let path = BlendPath::new([b"//", name.as_slice()].concat()).resolve(&folder);
            if found.len() < MOST_FILES && seen.insert(path.clone()) && path.is_file() {
                waiting.push(path.clone());
                found.push(path);
            }
        }
    }
    found
}

fn names_in(file: &Path) -> Vec<Vec<u8>> {
    let extension = file.extension().map(std::ffi::OsStr::to_ascii_lowercase).unwrap_or_default();
    let (is_usd, is_osl) = match extension.to_str() {
        Some("usd" | "usda") => (true, false),
        Some("osl" | "h") => (false, true),
        _ => return Vec::new(),
    };
    let mut text = Vec::new();
    let read = File::open(file).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut text));
    if read.is_err() || (is_usd && !text.starts_with(b"#usda")) {
        return Vec::new();
    }
    let names: Vec<&[u8]> = if is_osl {
        text.split(|byte| *byte == b'\n').filter_map(included).collect()
    } else {
        // `@path@`: what stands between the first and the second, the third and the fourth, …
        text.split(|byte| *byte == b'@').skip(1).step_by(2).collect()
    };
    let is_relative = |name: &&&[u8]| {
        !name.is_empty() && name.len() < 4096 && !native(name.to_vec()).is_absolute()
    };
    names.iter().filter(is_relative).map(|name| name.to_vec()).collect()
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
        assert_eq!(referenced(&top), [layer, wood]);
        let shader = write("s.osl", "#include \"stdosl.h\"\n # include \"inc.h\"\nshader s() {}");
        let header = write("inc.h", "#include \"s.osl\"");
        assert_eq!(referenced(&shader), [header]);
        assert_eq!(referenced(&write("b.usd", "PXR-USDC@x@")), Vec::<PathBuf>::new());
    }
}
