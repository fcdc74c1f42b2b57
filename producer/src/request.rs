//! The body of `POST /render-jobs`.

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
    blender_version: Option<BlenderVersion>,
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

/// Reads and checks a body; the error is a sentence that begins with the field's name.
pub(crate) fn submission(body: &[u8]) -> Result<Submission, String> {
    // First as any JSON, so that what is no JSON at all is told from a field that is wrong.
    let value: serde_json::Value = serde_json::from_slice(body)
        .map_err(|error| format!("body: expected a JSON object, got {error}"))?;
    let request: JobRequest =
        serde_path_to_error::deserialize(value).map_err(|error| in_words(&error))?;
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
        blender_version: request.blender_version.unwrap_or(BlenderVersion(0, 0, 0)),
        allow_scripts: request.allow_scripts,
    };
    job.validate().map_err(|error| sentence(&error))?;
    let token = request.client_token;
    if token.as_ref().is_some_and(|token| !(1..=64).contains(&token.chars().count())) {
        return Err("client_token: expected 1 to 64 characters".into());
    }
    Ok(Submission { job, token })
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
        let messages = bodies.map(|body| submission(body.as_bytes()).unwrap_err());
        insta::assert_snapshot!(messages.join("\n"));
    }
}
