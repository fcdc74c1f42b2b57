use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ProtocolError, Result};
use crate::frames::FrameRange;
use crate::id::{JobId, PackId};
use crate::version::Versioned;

/// What is to be rendered: `jobs/<job id>/job.json`, written once and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// [`Job::VERSION`].
    pub version: u32,
    /// The job's id.
    pub id: JobId,
    /// What people call it, usually the .blend file's name.
    pub name: String,
    /// The pack that holds the scene.
    pub pack: PackId,
    /// The name of the scene in the .blend file; the file's active scene where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene: Option<String>,
    /// The frames to render, one task each.
    pub frames: FrameRange,
    /// How result files are named.
    pub output: OutputNaming,
    /// The Blender that the artist works with.
    pub blender_version: BlenderVersion,
    /// Whether Python in the .blend file may run: drivers, handlers, registered texts.
    #[serde(default)]
    pub allow_scripts: bool,
}

/// How result files are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputNaming {
    /// The scene's output path without its fixed folder, still with `#` and `{…}`: for
    /// `//render/shot_####` that is `shot_####`. Blender replaces what is to be replaced.
    pub template: String,
}

impl OutputNaming {
    /// Splits a scene's output path into its fixed folder and the part that Blender fills in: frame
    /// numbers (`#`) and, since 5.0, path templates (`{blend_name}`).
    ///
    /// `//render/shot_####` gives `//render/` and `shot_####`. The template has forward slashes.
    #[must_use]
    pub fn split(output_path: &str) -> (String, Self) {
        let fixed = output_path.find(['#', '{']).and_then(|end| output_path.get(..end));
        let slash = fixed.unwrap_or(output_path).rfind(['/', '\\']);
        let (folder, template) = output_path.split_at(slash.map_or(0, |at| at + 1));
        (folder.to_owned(), Self { template: template.replace('\\', "/") })
    }
}

/// A version of Blender, such as 5.2.3.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct BlenderVersion(pub u16, pub u16, pub u16);

impl Job {
    /// Most bytes of the document.
    pub const MAX_SIZE_BYTES: u64 = 64 << 10;

    /// Most bytes of a scene's name (`MAX_ID_NAME`, `DNA_ID.h`, Blender 5.0: 258 with its type).
    pub const MAX_SCENE_BYTES: usize = 255;
}

impl Versioned for Job {
    const DOCUMENT: &'static str = "job";
    const VERSION: u32 = 1;

    fn validate(&self) -> Result<()> {
        self.frames.validate()?;
        let invalid = |field, expected, got| Err(ProtocolError::Invalid { field, expected, got });
        if self.name.is_empty() || self.name.chars().count() > 256 {
            return invalid("name", "1 to 256 characters", self.name.chars().take(80).collect());
        }
        if let Some(scene) = &self.scene
            && (scene.is_empty() || scene.len() > Self::MAX_SCENE_BYTES)
        {
            let got = scene.chars().take(80).collect();
            return invalid("scene", "1 to 255 bytes, as Blender's names have", got);
        }
        let template = &self.output.template;
        let escapes = |part: &str| part == "..";
        if template.len() > 512
            || template.starts_with(['/', '\\'])
            || template.contains(['\0', ':'])
            || template.split(['/', '\\']).any(escapes)
        {
            return invalid(
                "output.template",
                "a relative path of at most 512 bytes without ..",
                template.chars().take(80).collect(),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::parse;

    fn job(change: impl Fn(&mut serde_json::Value)) -> Result<Job> {
        let mut document = serde_json::json!({
            "version": 1,
            "id": "0190a5d4-7c6e-7000-8000-000000000000",
            "name": "shot",
            "pack": "ab".repeat(32),
            "frames": {"first": 1, "last": 24},
            "output": {"template": "shot_####"},
            "blender_version": [5, 2, 3],
        });
        change(&mut document);
        parse(document.to_string().as_bytes())
    }

    #[test]
    fn an_output_path_is_a_fixed_folder_and_a_template() {
        for (path, folder, template) in [
            ("//render/shot_####", "//render/", "shot_####"),
            ("//render/", "//render/", ""),
            ("/tmp/shot_", "/tmp/", "shot_"),
            ("//out/{blend_name}/####", "//out/", "{blend_name}/####"),
            ("C:\\out\\a_##\\b_####", "C:\\out\\", "a_##/b_####"),
            ("shot", "", "shot"),
        ] {
            let naming = OutputNaming { template: template.to_owned() };
            assert_eq!(OutputNaming::split(path), (folder.to_owned(), naming));
        }
    }

    #[test]
    fn scripts_are_off_and_the_step_is_one_unless_said() {
        let job = job(|_| {}).unwrap();
        assert!(!job.allow_scripts);
        assert_eq!(job.frames.step, 1);
    }

    #[test]
    fn a_document_that_its_readers_would_refuse_is_refused_where_it_enters() {
        let error = job(|document| document["scene"] = "s".repeat(70_000).into()).unwrap_err();
        assert!(error.to_string().starts_with("scene: expected 1 to 255 bytes"), "{error}");
        // Every field at its bound, in letters that JSON writes as six.
        let longest = job(|document| {
            document["name"] = "\u{1}".repeat(256).into();
            document["scene"] = "\u{1}".repeat(255).into();
            document["output"]["template"] = "\u{1}".repeat(512).into();
        });
        let bytes = serde_json::to_vec(&longest.unwrap()).unwrap();
        assert!((bytes.len() as u64) < Job::MAX_SIZE_BYTES);
    }

    #[test]
    fn an_output_cannot_leave_its_folder() {
        for template in ["../x", "/x", "a/../../x", "C:x", "..\\x"] {
            let error = job(|document| document["output"]["template"] = template.into());
            assert!(error.unwrap_err().to_string().starts_with("output.template: "), "{template}");
        }
    }
}
