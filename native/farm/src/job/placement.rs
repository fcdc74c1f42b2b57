//! Where a result may go on the artist's machine. What a worker says of its files is not trusted:
//! whoever can write to the bucket could name any file below the output folder.

use std::fs;
use std::path::{Path, PathBuf};

use protocol::{Job, OutputNaming, PackPath, ResultFile};

use super::made_files::MadeFiles;
use super::result_name::ResultName;

/// Where the results of a job go on this machine.
#[derive(Debug, Clone, Default)]
pub struct OutputFolders {
    /// Where the scene's own output goes.
    pub folder: PathBuf,
    /// Where the files of File Output nodes go that write elsewhere, by their places among the
    /// results. Those that are not here go below `folder`.
    pub elsewhere: Vec<(PackPath, PathBuf)>,
    /// Where a small picture goes of an image that is not there yet; none is made where it is not
    /// set.
    pub previews: Option<PathBuf>,
}

/// The output folders of a job, and what of them may be written.
#[derive(Debug)]
pub(super) struct Placement {
    folders: OutputFolders,
    naming: OutputNaming,
    made: MadeFiles,
}

/// Where a result may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Its path on this machine.
    pub(super) path: PathBuf,
    /// Whether it is the scene's own output.
    pub(super) is_of_the_scene: bool,
}

impl Placement {
    /// That of a job whose frames go into some folders.
    pub(super) fn new(job: &Job, folders: OutputFolders) -> Self {
        let made = MadeFiles::of(&folders.folder);
        Self { folders, naming: job.output.clone(), made }
    }

    /// Where a file of a frame goes.
    ///
    /// # Errors
    /// Why it may not go there, in words.
    pub(super) fn place(&self, frame: i32, file: &ResultFile) -> Result<Place, String> {
        let (root, path, is_elsewhere) = match self.elsewhere(&file.path) {
            Some((root, path)) => (root, path, true),
            None => (self.folders.folder.as_path(), file.path.clone(), false),
        };
        let name = ResultName::of(&self.naming, frame, &path)?;
        let path = path.under(root);
        check_folders(root, &path)?;
        let is_of_the_scene = name == ResultName::OfTheScene && !is_elsewhere;
        match fs::symlink_metadata(&path) {
            Ok(there) if !there.is_file() => Err("something that is no file is there".into()),
            _ => Ok(Place { path, is_of_the_scene }),
        }
    }

    /// Whether what is at a place, and is another file, may be replaced.
    pub(super) fn may_replace(&self, place: &Place) -> bool {
        // As Blender's own render does: the scene names this file.
        if place.is_of_the_scene {
            return !self.naming.keeps_files || fs::symlink_metadata(&place.path).is_err();
        }
        fs::symlink_metadata(&place.path).map_or(true, |there| self.made.has(&place.path, &there))
    }

    /// Takes note of a file that was put.
    pub(super) fn made(&self, path: &Path) {
        self.made.remember(path);
    }

    /// The folder of a File Output node elsewhere, and a file's place in it.
    fn elsewhere(&self, path: &PackPath) -> Option<(&Path, PackPath)> {
        self.folders.elsewhere.iter().find_map(|(place, folder)| {
            let below = path.as_str().strip_prefix(place.as_str())?.strip_prefix('/')?;
            Some((folder.as_path(), PackPath::try_from(below.to_owned()).ok()?))
        })
    }
}

/// Whether the folders from an output folder down are folders, and no links to elsewhere.
fn check_folders(folder: &Path, to: &Path) -> Result<(), String> {
    let Ok(below) = to.strip_prefix(folder) else { return Ok(()) };
    let mut current = folder.to_owned();
    let count = below.components().count().saturating_sub(1);
    for part in below.components().take(count) {
        current.push(part);
        match fs::symlink_metadata(&current) {
            Err(_) => return Ok(()),
            Ok(found) if found.is_symlink() => {
                return Err(format!("{} is a link", current.display()));
            }
            Ok(found) if !found.is_dir() => {
                return Err(format!("{} is a file, not a folder", current.display()));
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn file(path: &str) -> ResultFile {
        ResultFile {
            path: PackPath::try_from(path.to_owned()).unwrap(),
            digest: "ab".repeat(32).try_into().unwrap(),
            size_bytes: 1,
        }
    }

    #[test]
    fn what_a_node_writes_elsewhere_goes_there_and_files_are_kept_where_overwrite_is_off() {
        let (folder, mattes) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let place = PackPath::try_from("mattes".to_owned()).unwrap();
        let folders = OutputFolders {
            folder: folder.path().to_owned(),
            elsewhere: vec![(place, mattes.path().to_owned())],
            previews: None,
        };
        let mut job = testing::job(24, "shot_####");
        job.output.keeps_files = true;
        let placement = Placement::new(&job, folders);
        let at = |name: &str| placement.place(7, &file(name)).unwrap();
        assert_eq!(at("mattes/a/z_0007.exr").path, mattes.path().join("a/z_0007.exr"));
        assert_eq!(at("mattes2/z_0007.exr").path, folder.path().join("mattes2/z_0007.exr"));
        assert!(!at("mattes/shot_0007.png").is_of_the_scene);
        let own = at("shot_0007.png");
        assert!(own.is_of_the_scene && placement.may_replace(&own));
        fs::write(&own.path, b"the artist's").unwrap();
        assert!(!placement.may_replace(&own));
    }

    #[test]
    fn nothing_of_the_artists_is_replaced_and_no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let folders = OutputFolders {
            folder: folder.path().to_owned(),
            elsewhere: Vec::new(),
            previews: None,
        };
        let placement = Placement::new(&testing::job(24, "shot_####"), folders);
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("textures")).unwrap();
        fs::write(at("textures/wood0007.png"), b"the artist's").unwrap();
        let may_replace = |name: &str| {
            let place = placement.place(7, &file(name)).unwrap();
            assert_eq!(place.path, at(name));
            placement.may_replace(&place)
        };
        assert!(!may_replace("textures/wood0007.png") && may_replace("new0007.png"));
        // The scene's own output is, as by Blender; and what a job has made.
        fs::write(at("shot_0007.png"), b"before").unwrap();
        assert!(may_replace("shot_0007.png"));
        fs::write(at("depth0007.exr"), b"before").unwrap();
        assert!(!may_replace("depth0007.exr"));
        placement.made(&at("depth0007.exr"));
        assert!(may_replace("depth0007.exr"));
        fs::write(at("depth0007.exr"), b"painted over").unwrap();
        assert!(!may_replace("depth0007.exr"));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(elsewhere.path(), at("link")).unwrap();
            placement.place(7, &file("link/0007.png")).unwrap_err();
            std::os::unix::fs::symlink("/etc/passwd", at("shot_0017.png")).unwrap();
            placement.place(17, &file("shot_0017.png")).unwrap_err();
        }
        fs::write(at("folder"), b"a file").unwrap();
        let refused = placement.place(7, &file("folder/0007.png")).unwrap_err();
        assert!(refused.ends_with("is a file, not a folder"), "{refused}");
    }
}
