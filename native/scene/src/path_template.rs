//! The variables of output paths (Blender 5.0): those that mean a place on the artist's machine are
//! replaced here, the others by the Blender that renders.

use std::path::Path;

/// The variables that an output path may have (`BKE_path_templates.hh`, Blender 5.2).
const VARIABLES: [&str; 9] = [
    "blend_dir",
    "blend_dir_lib",
    "blend_name",
    "blend_name_lib",
    "camera_name",
    "fps",
    "resolution_x",
    "resolution_y",
    "scene_name",
];

/// What Blender calls a file that was never saved.
const UNSAVED: &str = "Unsaved";

/// The first Blender with variables in paths.
const SINCE: (u16, u16) = (5, 0);

/// An output path in which nothing depends on where a `.blend` file lies.
///
/// * `blend_file`: the scene's file; `None` where it was never saved. Then `{blend_dir}` is left out:
///   what begins with it begins where relative paths do.
/// * `version`: of the Blender that saved the file. Before 5.0 curly brackets are letters.
///
/// # Errors
/// The variable that there is not, or the bracket that is not closed.
pub fn resolve(
    output_path: &str,
    blend_file: Option<&Path>,
    version: (u16, u16),
) -> Result<String, String> {
    if version < SINCE {
        return Ok(output_path.replace('{', "{{").replace('}', "}}"));
    }
    let mut resolved = String::with_capacity(output_path.len());
    let mut rest = output_path;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, bracket) = rest.split_at(at);
        resolved.push_str(before);
        if let Some(behind) = ["{{", "}}"].iter().find_map(|twice| bracket.strip_prefix(twice)) {
            resolved.push_str(bracket.get(..2).unwrap_or_default());
            rest = behind;
            continue;
        }
        let expression = bracket.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let Some((inside, behind)) = expression else {
            return Err(format!("a curly bracket that is not closed or not opened: {bracket}"));
        };
        let name = inside.split(':').next().unwrap_or(inside);
        if !VARIABLES.contains(&name) {
            return Err(format!("{{{name}}}, which no variable of output paths is"));
        }
        rest = behind;
        match (name, blend_file) {
            ("blend_dir" | "blend_dir_lib", Some(file)) => {
                let folder = file.parent().unwrap_or(file).to_string_lossy();
                let folder = folder.replace('{', "{{").replace('}', "}}");
                resolved.push_str(folder.strip_suffix(['/', '\\']).unwrap_or(&folder));
            }
            ("blend_dir" | "blend_dir_lib", None) => {
                if resolved.is_empty() {
                    resolved.push_str("//");
                }
                rest = behind.strip_prefix(['/', '\\']).unwrap_or(behind);
            }
            ("blend_name" | "blend_name_lib", None) => resolved.push_str(UNSAVED),
            _ => {
                resolved.push('{');
                resolved.push_str(inside);
                resolved.push('}');
            }
        }
    }
    resolved.push_str(rest);
    Ok(collapsed(&resolved))
}

/// A path without what goes up again: `out/{blend_name}/../shot` is `out/shot`, as Blender takes it
/// (`BLI_path_normalize`, `path_utils.cc`, 5.2). What goes up from where it begins stays.
fn collapsed(path: &str) -> String {
    let separators = ['/', '\\'];
    if !path.split(separators).any(|part| part == "..") {
        return path.to_owned();
    }
    let below = path.trim_start_matches(separators);
    let start = path.get(..path.len() - below.len()).unwrap_or_default();
    let mut parts: Vec<&str> = Vec::new();
    for part in below.split(separators) {
        match (part, parts.last()) {
            ("..", Some(last)) if *last != ".." => {
                parts.pop();
            }
            // Above the root there is nothing.
            ("..", None) if start == "/" => {}
            _ => parts.push(part),
        }
    }
    format!("{start}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLENDER: (u16, u16) = (5, 2);

    #[test]
    fn a_folder_of_the_artist_becomes_itself_and_what_the_scene_says_stays() {
        let file = Path::new("/show/shots/shot {v2}.blend");
        let resolved = |path| resolve(path, Some(file), BLENDER).unwrap();
        assert_eq!(resolved("{blend_dir}/out/####"), "/show/shots/out/####");
        let kept = "//out/{blend_name}/{fps:.##}_{camera_name}_{{x}}_####";
        assert_eq!(resolved(kept), kept);
        assert_eq!(resolved("//out/{blend_name}/../shot_####"), "//out/shot_####");
        assert_eq!(resolved("//../out/a_##/../../b_##"), "//../b_##");
        assert_eq!(resolved("/../x\\..\\y_##"), "/y_##");
        let unsaved = |path| resolve(path, None, BLENDER).unwrap();
        assert_eq!(unsaved("{blend_dir}/out/{blend_name}_##"), "//out/Unsaved_##");
        assert_eq!(resolve("//{x}_{", Some(file), (4, 5)).unwrap(), "//{{x}}_{{");
    }

    #[test]
    fn what_is_no_variable_is_named() {
        let refused = |path| resolve(path, None, BLENDER).unwrap_err();
        for (path, reason) in [
            ("{frame}_####", "{frame}, which no variable of output paths is"),
            ("{}", "{}, which no variable of output paths is"),
            ("//out/{blend_name", "a curly bracket that is not closed or not opened: {blend_name"),
            ("out}", "a curly bracket that is not closed or not opened: }"),
        ] {
            assert_eq!(refused(path), reason);
        }
    }
}
