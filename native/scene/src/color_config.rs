//! A colour configuration of the artist's own (OpenColorIO), with the tables that it names.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::blend_path::BlendPath;
use crate::cache_folder::CacheFolder;
use crate::dependency::{Dependency, DependencyKind};
use crate::error::{Result, SceneError};
use crate::expand::Expansion;

/// Most bytes of a configuration that are read; those of studios have a few hundred thousand.
const MAX_BYTES: u64 = 64 << 20;

/// Whether a setting of `OCIO` names a file of the artist's own: `ocio://default` is built in, and
/// Blender as a module names the one that it brings along.
pub(crate) fn is_of_the_artist(setting: &Path) -> bool {
    let name = setting.as_os_str();
    let is_file = !name.is_empty() && !name.as_encoded_bytes().starts_with(b"ocio:");
    is_file && !setting.ends_with("datafiles/colormanagement/config.ocio")
}

/// The configuration with every file below its search path.
///
/// # Errors
/// [`SceneError::Io`] where it is there and cannot be read.
pub(crate) fn dependency(config: &Path, scene: &Path) -> Result<Dependency> {
    let expanded = Expansion::File.files(config);
    let mut files = expanded.files;
    if !files.is_empty() {
        let folder = config.parent().unwrap_or(config);
        let text = read(config)?;
        let beside = |name: &str| BlendPath::new([b"//", name.as_bytes()].concat()).resolve(folder);
        for below in search_path(&text) {
            files.extend(Expansion::Folder(CacheFolder::Settings).files(&beside(&below)).files);
        }
        for source in sources(&text) {
            files.extend(Expansion::File.files(&beside(&source)).files);
        }
        files.sort();
        files.dedup();
    }
    let written = BlendPath::new(config.as_os_str().as_encoded_bytes().to_vec());
    Ok(Dependency::of_environment(DependencyKind::ColorConfig, written, config, scene, files))
}

fn read(config: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    File::open(config)
        .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
        .map_err(SceneError::io("read", config))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The folders in which a configuration looks for tables, as it writes them: a text with colons, a
/// list on one line, or one on several (`search_path`, OpenColorIO 2.4). Those with variables or
/// without a relative path cannot travel and are left out.
fn search_path(config: &str) -> Vec<String> {
    let mut lines = config.lines().skip_while(|line| !line.starts_with("search_path:"));
    let Some(first) = lines.next().and_then(|line| line.strip_prefix("search_path:")) else {
        return Vec::new();
    };
    let further = lines.map_while(|line| line.trim_start().strip_prefix("- "));
    std::iter::once(first)
        .flat_map(|line| line.trim().trim_matches(['[', ']']).split([',', ':']))
        .chain(further)
        .map(|folder| folder.trim().trim_matches(['"', '\'']).to_owned())
        .filter(|folder| !folder.is_empty() && !folder.starts_with('/') && !folder.contains('$'))
        .collect()
}

/// The tables that its transforms name (`src`). Without a search path they lie beside it.
fn sources(config: &str) -> Vec<String> {
    let values = config.split("src:").skip(1);
    let values = values.filter_map(|rest| rest.split([',', '}', '\n', '\r']).next());
    values
        .map(|value| value.trim().trim_matches(['"', '\'']).to_owned())
        .filter(|name| !name.is_empty() && !name.starts_with('/') && !name.contains('$'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_path_is_read_in_each_of_its_forms() {
        let folders = |text: &str| search_path(&format!("ocio_profile_version: 2\n{text}\n"));
        assert_eq!(folders("search_path: luts"), ["luts"]);
        assert_eq!(folders("search_path: \"luts:../shared\""), ["luts", "../shared"]);
        assert_eq!(folders("search_path: [luts, '/studio', more]"), ["luts", "more"]);
        assert_eq!(folders("search_path:\n  - luts\n  - $SHOT\nroles:\n  - x"), ["luts"]);
        assert_eq!(folders("roles:"), Vec::<String>::new());
    }

    #[test]
    fn a_configuration_travels_with_its_tables_and_one_that_is_gone_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.ocio");
        let missing = dependency(&config, Path::new("/shot.blend")).unwrap();
        assert!(missing.is_missing() && missing.is_required);
        std::fs::create_dir(folder.path().join("luts")).unwrap();
        std::fs::write(folder.path().join("luts/film.spi1d"), "x").unwrap();
        std::fs::write(&config, "search_path: luts").unwrap();
        let found = dependency(&config, Path::new("/shot.blend")).unwrap();
        let names: Vec<_> = found.files.into_iter().map(|file| file.path).collect();
        assert_eq!(names, [config, folder.path().join("luts/film.spi1d")]);
    }

    #[test]
    fn tables_beside_a_configuration_without_a_search_path_travel_along() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.ocio");
        std::fs::write(folder.path().join("film.spi1d"), "x").unwrap();
        std::fs::write(folder.path().join("holiday.jpg"), "x").unwrap();
        let text =
            "ocio_profile_version: 2\nfrom: !<FileTransform> {src: \"film.spi1d\", cccid: 1}\n";
        std::fs::write(&config, text).unwrap();
        let found = dependency(&config, Path::new("/shot.blend")).unwrap();
        let names: Vec<_> = found.files.into_iter().map(|file| file.path).collect();
        assert_eq!(names, [config, folder.path().join("film.spi1d")]);
    }
}
