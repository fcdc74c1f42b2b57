//! Any bytes as a scene: traced, and what is found is described.

#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use protocol::FrameRange;
use scene::TraceSource;

fuzz_target!(|bytes: &[u8]| {
    // Far from every file: paths of the input that lead to real folders would be listed.
    let mut input = tempfile::NamedTempFile::new_in("/dev/shm").expect("memory");
    input.write_all(bytes).expect("memory");
    let source = TraceSource {
        file: input.path().to_owned(),
        as_path: "/nowhere/at/all/shot.blend".into(),
        frames: Some(FrameRange { first: 1, last: 24, step: 1 }),
        ..TraceSource::default()
    };
    if let Ok(traced) = scene::trace(&source, |_| {}) {
        let _ = traced.missing_files();
    }
});
