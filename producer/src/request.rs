//! The body of `POST /render-jobs`.

use farm::{Blenders, FarmError};
use protocol::{BlenderVersion, FrameSet, Job, JobId, OutputNaming, PackId, Versioned, sentence};
use serde::Deserialize;

/// A job as a client asks for it; what it leaves out is filled in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobRequest {
    pack: String,
    frames: FrameSet,
    name: Option<String>,
    scene: Option<String>,
    output: Option<OutputNaming>,
    blender_version: BlenderVersion,
    slices: Option<u32>,
    #[serde(default)]
    allow_other_noise: bool,
    #[serde(default)]
    allow_other_blender: bool,
    #[serde(default)]
    allow_scripts: bool,
    client_token: Option<String>,
}

/// What a client asks for.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) job: Job,
    /// Makes the request the same one, however often it is sent.
    pub(crate) token: Option<String>,
}

/// Reads and checks a body, for a farm with some Blenders; the error is a sentence that begins with
/// the field's name.
pub(crate) fn submission(body: &[u8], blenders: &Blenders) -> Result<Submission, String> {
    // First as any JSON, so that what is no JSON at all is told from a field that is wrong.
    let value: serde_json::Value = serde_json::from_slice(body)
        .map_err(|error| format!("body: expected a JSON object, got {error}"))?;
    let request: JobRequest =
        serde_path_to_error::deserialize(value).map_err(|error| in_words(&error))?;
    let render_version = render_version(&request, blenders)?;
    let pack: PackId = request.pack.parse().map_err(|error| sentence(&error))?;
    let job = Job {
        version: Job::VERSION,
        id: JobId::now(),
        name: request.name.unwrap_or_else(|| "render job".into()),
        pack,
        scene: request.scene,
        frames: request.frames,
        is_still: false,
        output: request.output.unwrap_or_else(|| OutputNaming::new(String::new())),
        blender_version: request.blender_version,
        render_version: Some(render_version),
        slices: request.slices,
        allow_other_noise: request.allow_other_noise,
        allow_scripts: request.allow_scripts,
    };
    job.validate().map_err(|error| sentence(&error))?;
    let token = request.client_token;
    if token.as_ref().is_some_and(|token| !(1..=64).contains(&token.chars().count())) {
        return Err("client_token: expected 1 to 64 characters".into());
    }
    Ok(Submission { job, token })
}

/// The Blender that renders a job: that of its scene, or another one that the client agrees to.
fn render_version(request: &JobRequest, blenders: &Blenders) -> Result<(u16, u16), String> {
    let wrong = |error: FarmError| format!("blender_version: {}", sentence(&error));
    let scene = request.blender_version;
    if scene.0 == 0 {
        return Err(format!(
            "blender_version: expected that of the scene, such as [5, 2, 0], got [0, {}, {}]",
            scene.1, scene.2
        ));
    }
    let found = blenders.of(scene).map_err(wrong)?;
    if found == (scene.0, scene.1) || request.allow_other_blender {
        return Ok(found);
    }
    Err(format!(
        "blender_version: the scene comes from Blender {}.{}, the farm would render it with {}.{}, and pictures may differ: send allow_other_blender where that is meant",
        scene.0, scene.1, found.0, found.1
    ))
}

/// What a value is wrong with, behind the path of its field: `frames.last: …`.
fn in_words(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let text = error.inner().to_string();
    let path = match error.path().to_string() {
        path if path == "." => None,
        path => Some(path),
    };
    match text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        Some(field) => {
            let path = path.map(|path| format!("{path}.")).unwrap_or_default();
            format!("{path}{field}: expected a value, got none")
        }
        None => format!("{}: {text}", path.as_deref().unwrap_or("body")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blenders() -> Blenders {
        "4.5 5.2".parse().unwrap()
    }

    #[test]
    fn another_blender_renders_only_where_the_client_agrees() {
        let body = |version: &str, rest: &str| {
            let pack = "ab".repeat(32);
            format!(
                r#"{{"pack":"{pack}","frames":{{"first":1,"last":2}},"blender_version":{version}{rest}}}"#
            )
        };
        let submit = |body: String| submission(body.as_bytes(), &blenders());
        let own = submit(body("[4,5,3]", "")).unwrap();
        assert_eq!(own.job.render_version, Some((4, 5)));
        let agreed = submit(body("[5,0,1]", r#","allow_other_blender":true"#)).unwrap();
        assert_eq!(agreed.job.render_version, Some((5, 2)));
        let asked = submit(body("[5,0,1]", "")).unwrap_err();
        let body_without = body("0", "").replace(r#","blender_version":0"#, "");
        let untold = submit(body_without).unwrap_err();
        assert!(submit(body("[0,0,0]", "")).unwrap_err().contains("got [0, 0, 0]"));
        let newer = submit(body("[5,3,0]", r#","allow_other_blender":true"#)).unwrap_err();
        insta::assert_snapshot!(format!("{asked}\n{newer}\n{untold}"));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_field() {
        let pack = "ab".repeat(32);
        let bodies = [
            "frames 1 to 10".to_owned(),
            "{}".into(),
            format!(r#"{{"pack":"{pack}"}}"#),
            format!(r#"{{"pack":"{pack}","frames":{{"first":1}}}}"#),
            format!(r#"{{"pack":"{pack}","frames":{{"first":1,"last":"x"}}}}"#),
            format!(r#"{{"pack":"{pack}","frames":{{"first":10,"last":1}}}}"#),
            format!(r#"{{"pack":"{pack}","frames":{{"first":1,"last":1000000}}}}"#),
            r#"{"pack":"../x","frames":{"first":1,"last":2}}"#.into(),
            format!(
                r#"{{"pack":"{pack}","frames":{{"first":1,"last":2}},"output":{{"template":"../x"}}}}"#
            ),
            format!(r#"{{"pack":"{pack}","frames":{{"first":1,"last":2}},"frame":3}}"#),
            format!(r#"{{"pack":"{pack}","frames":{{"first":1,"last":2}},"client_token":""}}"#),
        ];
        let messages = bodies.map(|body| {
            let body = body.replace(r#"{"pack""#, r#"{"blender_version":[5,2,0],"pack""#);
            submission(body.as_bytes(), &blenders()).unwrap_err()
        });
        insta::assert_snapshot!(messages.join("\n"));
    }
}
