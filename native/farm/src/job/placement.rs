//! Where a result may go on the artist's machine. What a worker says of its files is not trusted:
//! whoever can write to the bucket could name any file below the output folder.

use std::fs;
use std::path::{Path, PathBuf};

use protocol::{Job, OutputNaming, PackPath, ResultFile};

use super::made_files::MadeFiles;

/// What Blender writes as a frame (`scene/blender/imbuf`, `IMB_imtype.h`, 5.2: the extensions of
/// `R_IMF_IMTYPE_*`), also where a movie comes back as frames. Names without an extension are
/// written where *File Extensions* is off.
const EXTENSIONS: &[&str] = &[
    "avif", "bmp", "cin", "dpx", "exr", "hdr", "iris", "j2c", "jp2", "jpeg", "jpg", "png", "psd",
    "rgb", "tga", "tif", "tiff", "webp",
];

/// Names that Windows keeps for devices, with whatever extension
/// (learn.microsoft.com/windows/win32/fileio/naming-a-file).
const DEVICES: &[&str] = &["aux", "con", "conin$", "conout$", "nul", "prn"];

/// The output folder of a job, and what of it may be written.
#[derive(Debug)]
pub(super) struct Placement {
    folder: PathBuf,
    template: OutputNaming,
    made: MadeFiles,
}

impl Placement {
    /// That of a job whose frames go into a folder.
    pub(super) fn new(job: &Job, folder: &Path) -> Self {
        let made = MadeFiles::of(folder);
        Self { folder: folder.to_owned(), template: job.output.clone(), made }
    }

    /// Where a file of a frame goes.
    ///
    /// # Errors
    /// Why it may not go there, in words.
    pub(super) fn place(&self, frame: i32, file: &ResultFile) -> Result<PathBuf, String> {
        check_name(&self.template, frame, &file.path)?;
        let to = file.path.under(&self.folder);
        self.check_folders(&to)?;
        match fs::symlink_metadata(&to) {
            Err(_) => Ok(to),
            Ok(there) if !there.is_file() => Err("something that is no file is there".into()),
            // As Blender's own render does: the scene names this file.
            Ok(_) if is_of_template(&self.template.template, file.path.as_str()) => Ok(to),
            Ok(there) if self.made.has(&to, &there) => Ok(to),
            Ok(_) => {
                Err("a file that no job has made is there; move it away, or choose another output \
                     folder"
                    .into())
            }
        }
    }

    /// Takes note of a file that was put.
    pub(super) fn made(&self, path: &Path) {
        self.made.remember(path);
    }

    /// Whether the folders from the output folder down are folders, and no links to elsewhere.
    fn check_folders(&self, to: &Path) -> Result<(), String> {
        let Ok(below) = to.strip_prefix(&self.folder) else { return Ok(()) };
        let mut current = self.folder.clone();
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
}

/// Whether a frame can have made a file of that name.
fn check_name(template: &OutputNaming, frame: i32, path: &PackPath) -> Result<(), String> {
    let text = path.as_str();
    let named: Vec<&str> = template.template.split('/').collect();
    for part in text.split('/') {
        let is_named = named.iter().any(|name| name.starts_with('.') && part.starts_with(name));
        if part.starts_with('.') && !is_named {
            return Err("its name is hidden, which the scene's output is not".into());
        }
        if is_of_windows(part) {
            return Err("Windows keeps its name for a device, or cannot have it".into());
        }
    }
    let name = path.file_name();
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let is_picture = extension
        .as_deref()
        .is_none_or(|extension| EXTENSIONS.contains(&extension) || is_number(extension));
    if !is_picture {
        return Err("it is no picture that Blender writes".into());
    }
    if !text.contains(&frame.unsigned_abs().to_string()) {
        return Err(format!("its name does not tell the frame, {frame}"));
    }
    Ok(())
}

fn is_of_windows(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end().to_lowercase();
    let is_port = |name: &str| {
        let number = stem.strip_prefix(name);
        number.is_some_and(|number| {
            matches!(
                number,
                "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"
            )
        })
    };
    DEVICES.contains(&stem.as_str())
        || is_port("com")
        || is_port("lpt")
        || part.ends_with([' ', '.'])
}

/// A part of an output path's template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Letter(char),
    /// A frame's number.
    Number,
    /// What a `{…}` becomes, or what Blender puts behind the name.
    Anything,
}

/// Whether a path is one that a template of an output path gives for some frame.
fn is_of_template(template: &str, path: &str) -> bool {
    let mut parts = Vec::new();
    let mut letters = template.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '#' => {
                while letters.next_if_eq(&'#').is_some() {}
                parts.push(Part::Number);
            }
            '{' => {
                letters.by_ref().take_while(|letter| *letter != '}').for_each(drop);
                parts.push(Part::Anything);
            }
            letter => parts.push(Part::Letter(letter)),
        }
    }
    let name = template.rsplit('/').next().unwrap_or(template);
    if !name.contains('#') {
        parts.push(Part::Number);
    }
    // A view's suffix and the extension.
    parts.push(Part::Anything);
    matches(&parts, path)
}

/// Whether parts give a path: which of the first parts can give which of its first letters.
fn matches(parts: &[Part], path: &str) -> bool {
    // What can follow, after the letters so far: the numbers of the parts that are done.
    let mut done = vec![false; parts.len() + 1];
    let start = |done: &mut Vec<bool>| {
        for (index, part) in parts.iter().enumerate() {
            if *part == Part::Anything && done.get(index) == Some(&true) {
                set(done, index + 1);
            }
        }
    };
    set(&mut done, 0);
    start(&mut done);
    for letter in path.chars() {
        let mut next = vec![false; parts.len() + 1];
        for (index, part) in parts.iter().enumerate() {
            let (before, after) =
                (done.get(index) == Some(&true), done.get(index + 1) == Some(&true));
            match part {
                Part::Letter(wanted) if before && *wanted == letter => set(&mut next, index + 1),
                Part::Number if letter.is_ascii_digit() && (before || after) => {
                    set(&mut next, index + 1);
                }
                Part::Number if letter == '-' && before => set(&mut next, index),
                Part::Anything if letter != '/' && (before || after) => set(&mut next, index + 1),
                _ => {}
            }
        }
        done = next;
        start(&mut done);
    }
    done.last() == Some(&true)
}

fn set(done: &mut [bool], index: usize) {
    if let Some(place) = done.get_mut(index) {
        *place = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{BlenderVersion, FrameRange, JobId, Versioned};

    fn job(template: &str) -> Job {
        Job {
            version: Job::VERSION,
            id: JobId::now(),
            name: "shot".into(),
            pack: "ab".repeat(32).parse().unwrap(),
            scene: None,
            frames: FrameRange { first: 1, last: 24, step: 1 },
            output: OutputNaming { template: template.to_owned() },
            blender_version: BlenderVersion(5, 2, 0),
            allow_scripts: false,
        }
    }

    fn file(path: &str) -> ResultFile {
        ResultFile {
            path: PackPath::try_from(path.to_owned()).unwrap(),
            digest: "ab".repeat(32).try_into().unwrap(),
            size_bytes: 1,
        }
    }

    #[test]
    fn what_a_scene_can_make_may_go_where_it_says() {
        let folder = tempfile::tempdir().unwrap();
        for (template, path) in [
            ("shot_####", "shot_0007.png"),
            ("shot_####", "shot_0007_L.exr"),
            ("shot_####", "depth/z0007.exr"),
            ("", "0007.jpg"),
            ("shot", "shot0007"),
            ("####/beauty", "0007/beauty0007.png"),
            (".hidden/####", ".hidden/0007.png"),
            ("{blend_name}_v2", "scene_v20007.webp"),
            ("take.####", "take.0007"),
        ] {
            let placed = Placement::new(&job(template), folder.path()).place(7, &file(path));
            assert_eq!(placed.as_deref(), Ok(folder.path().join(path).as_path()));
            let negative = path.replace("0007", "-0007");
            Placement::new(&job(template), folder.path()).place(-7, &file(&negative)).unwrap();
        }
    }

    #[test]
    fn what_no_scene_makes_goes_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let placement = Placement::new(&job("shot_####"), folder.path());
        let paths = [
            "shot_0007.blend",
            ".bashrc",
            ".git/config",
            ".config/autostart/0007.desktop",
            "shot_0007.sh",
            "0007.lnk",
            "con/0007.png",
            "aux.0007.png",
            "lpt1",
            "COM7",
            "0007.png.",
            "shot_0008.png",
            "0007.dll",
            "render 0007.exe",
            "shot_0007.py",
            ".0007.png",
        ];
        for path in paths {
            assert!(placement.place(7, &file(path)).is_err(), "{path}");
        }
    }

    #[test]
    fn nothing_of_the_artists_is_replaced_and_no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let placement = Placement::new(&job("shot_####"), folder.path());
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("textures")).unwrap();
        fs::write(at("textures/wood0007.png"), b"the artist's").unwrap();
        let refused = placement.place(7, &file("textures/wood0007.png")).unwrap_err();
        assert!(refused.starts_with("a file that no job has made"), "{refused}");
        // The scene's own output is, as by Blender; and what a job has made.
        fs::write(at("shot_0007.png"), b"before").unwrap();
        placement.place(7, &file("shot_0007.png")).unwrap();
        fs::write(at("depth0007.exr"), b"before").unwrap();
        placement.place(7, &file("depth0007.exr")).unwrap_err();
        placement.made(&at("depth0007.exr"));
        placement.place(7, &file("depth0007.exr")).unwrap();
        fs::write(at("depth0007.exr"), b"painted over").unwrap();
        placement.place(7, &file("depth0007.exr")).unwrap_err();
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

    #[test]
    fn a_template_that_is_hard_to_match_takes_no_time() {
        let template = "{a}{b}{c}".repeat(150);
        assert!(!is_of_template(&template, &"a/".repeat(400)));
        assert!(is_of_template(&template, "anything0007.png"));
    }
}
