use protocol::{BlenderVersion, FrameRange, Job, JobId, OutputNaming, Versioned};

/// A job of the frames from 1 to `last`, for tests.
pub(super) fn job(last: i32, template: &str) -> Job {
    Job {
        version: Job::VERSION,
        id: JobId::now(),
        name: "shot".into(),
        pack: "ab".repeat(32).parse().unwrap(),
        scene: None,
        frames: FrameRange { first: 1, last, step: 1 }.into(),
        is_still: false,
        output: OutputNaming::new(template.to_owned()),
        blender_version: BlenderVersion(5, 2, 0),
        render_version: Some((5, 2)),
        slices: None,
        allow_other_noise: false,
        allow_scripts: false,
    }
}
