//! Wheels of Python, unpacked as pip would into one folder: no program of theirs is run.

use std::fs::File;

use zip::ZipArchive;

use crate::error::{Result, SetupError};
use crate::layer::LayerWriter;

/// Bounds of a wheel: Blender's has some 5,000 files, of 1.3 GB.
const MOST_MEMBERS: usize = 100_000;
const MOST_MEMBER_BYTES: u64 = 4 << 30;

/// Unpacks a wheel into a folder of the layer.
///
/// # Errors
/// [`SetupError::Part`], [`SetupError::Escapes`], and those of the layer.
pub(crate) fn unpack(
    name: &str,
    wheel: File,
    root: &str,
    layer: &mut LayerWriter<'_>,
) -> Result<()> {
    let mut archive = ZipArchive::new(wheel).map_err(SetupError::part(name))?;
    if archive.len() > MOST_MEMBERS {
        return Err(SetupError::part(name)(format!("it has {} files", archive.len())));
    }
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).map_err(SetupError::part(name))?;
        let member_name = member.name().map_err(SetupError::part(name))?.into_owned();
        let Some(path) = installed_path(&member_name) else { continue };
        if member.is_dir() {
            continue;
        }
        if member.size() > MOST_MEMBER_BYTES {
            return Err(SetupError::part(name)(format!("{path} has {} bytes", member.size())));
        }
        let is_program = member.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
        let mode = if is_program { 0o755 } else { 0o644 };
        let (path, size_bytes) = (format!("{root}/{path}"), member.size());
        layer.file(&path, mode, size_bytes, &mut member)?;
    }
    Ok(())
}

/// Where a wheel's file is installed; none for programs, headers and data
/// (<https://packaging.python.org/en/latest/specifications/binary-distribution-format/>).
fn installed_path(member: &str) -> Option<&str> {
    let Some((first, rest)) = member.split_once('/') else { return Some(member) };
    if first.strip_suffix(".data").is_none() {
        return Some(member);
    }
    rest.strip_prefix("purelib/").or(rest.strip_prefix("platlib/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_imports_is_installed() {
        assert_eq!(installed_path("bpy/__init__.so"), Some("bpy/__init__.so"));
        assert_eq!(installed_path("six.py"), Some("six.py"));
        assert_eq!(installed_path("x-1.data/purelib/x.py"), Some("x.py"));
        assert_eq!(installed_path("x-1.data/platlib/x.so"), Some("x.so"));
        assert_eq!(installed_path("x-1.data/scripts/x"), None);
    }
}
