//! What of the parts no render touches: `infra/image/leave_out_of_*.txt`, patterns of the shell.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::error::{Result, SetupError};

/// The same files say it to the Dockerfile.
const OF_SYSTEM: &str = include_str!("../../infra/image/leave_out_of_system.txt");
const OF_BLENDER: &str = include_str!("../../infra/image/leave_out_of_blender.txt");

/// Paths that are left out, with all that is below them.
#[derive(Debug)]
pub(crate) struct LeftOut(GlobSet);

impl LeftOut {
    /// Nothing.
    pub(crate) fn none() -> Self {
        Self(GlobSet::empty())
    }

    /// What is left out of Debian's packages.
    pub(crate) fn of_system() -> Result<Self> {
        Self::below("", OF_SYSTEM)
    }

    /// What is left out of the folder of a Blender's Python packages.
    pub(crate) fn of_blender(root: &str) -> Result<Self> {
        Self::below(&format!("{root}/"), OF_BLENDER)
    }

    fn below(root: &str, patterns: &str) -> Result<Self> {
        let wrong = |error: globset::Error| SetupError::List { reason: error.to_string() };
        let mut set = GlobSetBuilder::new();
        for pattern in patterns.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let pattern = format!("{root}{pattern}");
            let glob = GlobBuilder::new(&pattern).literal_separator(true).build().map_err(wrong)?;
            set.add(glob);
        }
        Ok(Self(set.build().map_err(wrong)?))
    }

    /// Whether a path or a folder above it is left out.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let above = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        above.chain([path]).any(|path| self.0.is_match(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_renders_stays() {
        let root = "usr/local/lib/python3.13/dist-packages";
        let left_out = LeftOut::of_blender(root).unwrap();
        for (path, is_left_out) in [
            ("bpy/__init__.so", false),
            ("bpy/5.2/scripts/addons_core/cycles/__init__.py", false),
            ("bpy/5.2/scripts/addons_core/__init__.py", false),
            ("bpy/5.2/scripts/addons_core/io_scene_gltf2/__init__.py", true),
            ("bpy/5.2/scripts/addons_core/copy_global_transform/x.py", true),
            ("bpy/5.2/scripts/addons_core/cycles/lib/kernel_sm_75.cubin.zst", true),
            ("bpy/5.2/datafiles/colormanagement/config.ocio", false),
            ("bpy/5.2/datafiles/locale/de.mo", true),
            ("bpy/lib/libOpenImageDenoise_device_cuda.so.2.3", true),
            ("bpy/lib/libOpenImageDenoise_device_cpu.so.2.3", false),
            ("numpy/linalg/tests/test_linalg.py", true),
            ("numpy/linalg/linalg.py", false),
        ] {
            assert_eq!(left_out.holds(&format!("{root}/{path}")), is_left_out, "{path}");
        }
        assert!(LeftOut::of_system().unwrap().holds("usr/share/doc/libc6/copyright"));
    }
}
