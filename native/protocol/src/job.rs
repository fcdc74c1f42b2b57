use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{ProtocolError, Result};
use crate::frame_set::FrameSet;
use crate::frames::FrameRange;
use crate::id::{JobId, PackId};
use crate::pack_path::PackPath;
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
    pub frames: FrameSet,
    /// Whether it is one image, as *Render Image* makes it: at the time at which the scene was saved,
    /// which may lie between two frames.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_still: bool,
    /// How result files are named.
    pub output: OutputNaming,
    /// The Blender that the artist works with.
    pub blender_version: BlenderVersion,
    /// The Blender that renders, as major and minor version: what whoever submitted the job was told.
    /// No worker renders it with another one. Absent in jobs of version 2, of which nothing was
    /// promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub render_version: Option<(u16, u16)>,
    /// Into how many slices each frame is split, which many workers render at the same time; 1 where
    /// none is split. Absent where a worker splits a frame that takes too long for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slices: Option<u32>,
    /// Whether a frame may be split whose slices have other noise than the whole, of the same
    /// quality: path guiding, volumes, the texture cache.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_other_noise: bool,
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
    /// Whether files that the artist has are kept: the scene's *Overwrite* is off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_files: bool,
    /// Where File Output nodes write.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<OutputFolder>,
}

/// The folder of a File Output node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputFolder {
    /// The node's folder, as it stands in the scene.
    pub written: String,
    /// The folder of its files among the results: below the scene's own output where it lies there,
    /// else one for each folder elsewhere, which the artist's machine knows.
    pub place: PackPath,
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
        (folder.to_owned(), Self::new(template.replace('\\', "/")))
    }

    /// That of a scene that replaces its own files, without File Output nodes.
    #[must_use]
    pub const fn new(template: String) -> Self {
        Self { template, keeps_files: false, folders: Vec::new() }
    }
}

/// A version of Blender, such as 5.2.3.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct BlenderVersion(pub u16, pub u16, pub u16);

impl Job {
    /// Most slices of a frame: workers of an account.
    pub const MAX_SLICES: u32 = 1000;

    /// Into how many slices each frame is split from the beginning, where it is.
    #[must_use]
    pub fn slices_of_each(&self) -> Option<u32> {
        self.slices.filter(|slices| *slices > 1)
    }

    /// How many messages it takes: one a frame, and one for each slice of it.
    #[must_use]
    pub fn message_count(&self) -> u64 {
        self.frames.count() * (1 + u64::from(self.slices_of_each().unwrap_or(0)))
    }

    /// Since which version a job says which Blender renders it.
    const TELLS_RENDER_VERSION: u32 = 3;

    /// Most bytes of the document.
    pub const MAX_SIZE_BYTES: u64 = 512 << 10;

    /// Most bytes of a scene's name (`MAX_ID_NAME`, `DNA_ID.h`, Blender 5.0: 258 with its type).
    pub const MAX_SCENE_BYTES: usize = 255;

    /// Most folders of File Output nodes.
    pub const MAX_FOLDERS: usize = 64;

    /// Most bytes of a folder as it stands in a node (`FILE_MAX`, `BLI_path_utils.hh`, Blender 5.2).
    pub const MAX_FOLDER_BYTES: usize = 1024;
}

impl Versioned for Job {
    const DOCUMENT: &'static str = "job";
    const VERSION: u32 = 4;
    const OLDEST: u32 = 2;

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
        if self.version >= Self::TELLS_RENDER_VERSION && self.render_version.is_none() {
            return invalid("render_version", "the Blender that renders", "none".into());
        }
        if let Some(slices) = self.slices
            && (!(1..=Self::MAX_SLICES).contains(&slices)
                || self.message_count() > FrameRange::MAX_COUNT)
        {
            let expected = "1 to 1000 slices of a frame, and 100,000 of all frames";
            return invalid("slices", expected, slices.to_string());
        }
        let template = &self.output.template;
        let escapes = |part: &str| part == "..";
        if template.len() > 512
            || template.starts_with(['/', '\\'])
            || template.contains('\0')
            || begins_with_a_drive(template)
            || template.split(['/', '\\']).any(escapes)
        {
            return invalid(
                "output.template",
                "a relative path of at most 512 bytes without ..",
                template.chars().take(80).collect(),
            );
        }
        let folders = &self.output.folders;
        if folders.len() > Self::MAX_FOLDERS {
            return invalid("output.folders", "at most 64 folders", folders.len().to_string());
        }
        for folder in folders {
            if folder.written.len() > Self::MAX_FOLDER_BYTES {
                let got = folder.written.chars().take(80).collect();
                return invalid("output.folders.written", "at most 1024 bytes", got);
            }
        }
        Ok(())
    }
}

/// Whether a path of Windows would leave its folder: `C:x`. Elsewhere a colon is a letter.
fn begins_with_a_drive(path: &str) -> bool {
    let mut letters = path.chars();
    letters.next().is_some_and(|letter| letter.is_ascii_alphabetic()) && letters.next() == Some(':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::parse;

    fn job(change: impl Fn(&mut serde_json::Value)) -> Result<Job> {
        let mut document = serde_json::json!({
            "version": 2,
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
            let naming = OutputNaming::new(template.to_owned());
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
