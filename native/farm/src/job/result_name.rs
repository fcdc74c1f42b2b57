//! Which names a frame's files can have. A worker says them, and a worker is not trusted.

use protocol::{OutputNaming, PackPath};

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

/// A name that a frame can have given a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResultName {
    /// That of the scene's own output.
    OfTheScene,
    /// Another one, such as that of a File Output node.
    OfANode,
}

impl ResultName {
    /// What a frame can have made under that name.
    ///
    /// # Errors
    /// Why it cannot have, in words.
    pub(super) fn of(naming: &OutputNaming, frame: i32, path: &PackPath) -> Result<Self, String> {
        let bytes = path.names();
        let text = &*String::from_utf8_lossy(&bytes);
        let named: Vec<&str> = naming.template.split('/').collect();
        for part in text.split('/') {
            let is_named = named.iter().any(|name| name.starts_with('.') && part.starts_with(name));
            if part.starts_with('.') && !is_named {
                return Err("its name is hidden, which the scene's output is not".into());
            }
            if is_of_windows(part) {
                return Err("Windows keeps its name for a device, or cannot have it".into());
            }
        }
        let template = of_frame(&naming.template, frame);
        if gives(&template, &[Part::Plain], text) {
            // The scene says that there is no extension, whatever comes behind a point in its name.
            return Ok(Self::OfTheScene);
        }
        let name = text.rsplit('/').next().unwrap_or(text);
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let is_picture = extension.as_deref().is_none_or(|extension| {
            EXTENSIONS.contains(&extension) || extension.ends_with(&number(frame, DIGITS))
        });
        if !is_picture {
            return Err("it is no picture that Blender writes".into());
        }
        if gives(&template, &[Part::Anything], text) {
            return Ok(Self::OfTheScene);
        }
        if !tells(text, frame) {
            return Err(format!("its name does not tell the frame, {frame}"));
        }
        Ok(Self::OfANode)
    }
}

/// How many digits a frame's number has at least where a name does not say it (`BKE_image.hh`,
/// `BKE_image_path_from_imformat`, Blender 5.2).
const DIGITS: usize = 4;

/// A frame's number as Blender writes it.
fn number(frame: i32, digits: usize) -> String {
    let sign = if frame < 0 { "-" } else { "" };
    format!("{sign}{:0digits$}", frame.unsigned_abs())
}

/// Whether a path has a number that can be the frame's: a name may end with digits of its own.
fn tells(path: &str, frame: i32) -> bool {
    let frame = frame.unsigned_abs().to_string();
    path.split(|letter: char| !letter.is_ascii_digit()).any(|digits| digits.ends_with(&frame))
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

/// A part of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Letter(char),
    /// What a `{…}` becomes, or what Blender puts behind the name.
    Anything,
    /// The same without a point: a view's suffix.
    Plain,
}

/// What an output path's template gives for a frame.
fn of_frame(template: &str, frame: i32) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut letters = template.chars().peekable();
    let put = |text: String, parts: &mut Vec<Part>| parts.extend(text.chars().map(Part::Letter));
    while let Some(letter) = letters.next() {
        match letter {
            '#' => {
                let mut digits = 1;
                while letters.next_if_eq(&'#').is_some() {
                    digits += 1;
                }
                put(number(frame, digits), &mut parts);
            }
            '{' if letters.next_if_eq(&'{').is_some() => parts.push(Part::Letter('{')),
            '}' if letters.next_if_eq(&'}').is_some() => parts.push(Part::Letter('}')),
            '{' => {
                letters.by_ref().take_while(|letter| *letter != '}').for_each(drop);
                parts.push(Part::Anything);
            }
            letter => parts.push(Part::Letter(letter)),
        }
    }
    let name = template.rsplit('/').next().unwrap_or(template);
    if !name.contains('#') {
        put(number(frame, DIGITS), &mut parts);
    }
    parts
}

/// Whether parts, with others behind them, give a path: which of the first parts can give which of its
/// first letters.
fn gives(parts: &[Part], behind: &[Part], path: &str) -> bool {
    let parts: Vec<Part> = parts.iter().chain(behind).copied().collect();
    // What can follow, after the letters so far: the numbers of the parts that are done.
    let mut done = vec![false; parts.len() + 1];
    let start = |done: &mut Vec<bool>| {
        for (index, part) in parts.iter().enumerate() {
            let may_be_empty = matches!(part, Part::Anything | Part::Plain);
            if may_be_empty && done.get(index) == Some(&true) {
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
            let goes_on = match part {
                Part::Letter(wanted) => before && *wanted == letter,
                Part::Anything => letter != '/' && (before || after),
                Part::Plain => letter != '/' && letter != '.' && (before || after),
            };
            if goes_on {
                set(&mut next, index + 1);
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

    fn name(template: &str, frame: i32, path: &str) -> Result<ResultName, String> {
        let naming = OutputNaming::new(template.to_owned());
        ResultName::of(&naming, frame, &PackPath::try_from(path.to_owned()).unwrap())
    }

    #[test]
    fn what_a_scene_can_make_may_go_where_it_says() {
        use ResultName::{OfANode, OfTheScene};
        for (template, path, of) in [
            ("shot_####", "shot_0007.png", OfTheScene),
            ("shot_####", "shot_0007_L.exr", OfTheScene),
            ("shot_####", "depth/z0007.exr", OfANode),
            ("shot_####", "depth20007.exr", OfANode),
            ("", "0007.jpg", OfTheScene),
            ("shot", "shot0007", OfTheScene),
            ("####/beauty", "0007/beauty0007.png", OfTheScene),
            (".hidden/####", ".hidden/0007.png", OfTheScene),
            ("{blend_name}_v2", "scene_v20007.webp", OfTheScene),
            ("take.####", "take.0007", OfTheScene),
            // Without extensions what comes behind a point is none.
            ("shot.v2_####", "shot.v2_0007", OfTheScene),
            ("shot.v2_####", "shot.v2_0007_L", OfTheScene),
            ("shot_####", "depth.v2_0007", OfANode),
        ] {
            assert_eq!(name(template, 7, path), Ok(of), "{path}");
            assert_eq!(name(template, -7, &path.replace("0007", "-0007")), Ok(of), "-{path}");
        }
        assert_eq!(name("v2_##", 107, "v2_107.png"), Ok(OfTheScene));
    }

    #[test]
    fn what_no_scene_makes_goes_nowhere() {
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
            "shot_0070.png",
            "0007.dll",
            "render 0007.exe",
            "shot_0007.py",
            "shot.mp7",
            ".0007.png",
        ];
        for path in paths {
            assert!(name("shot_####", 7, path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_template_that_is_hard_to_match_takes_no_time() {
        let template = "{a}{b}{c}".repeat(150);
        let parts = of_frame(&template, 7);
        assert!(!gives(&parts, &[Part::Anything], &"a/".repeat(400)));
        assert!(gives(&parts, &[Part::Anything], "anything0007.png"));
    }
}
