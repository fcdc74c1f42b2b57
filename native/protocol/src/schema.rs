use schemars::{Schema, schema_for};

use crate::{BurstRequest, ClientToken, Job, JobControl, Manifest, TaskMessage, TaskRecord};

/// The JSON Schema of every document, with the name of its file in `docs/schemas`.
#[must_use]
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("burst-request.json", schema_for!(BurstRequest)),
        ("client-token.json", schema_for!(ClientToken)),
        ("control.json", schema_for!(JobControl)),
        ("job.json", schema_for!(Job)),
        ("manifest.json", schema_for!(Manifest)),
        ("task-message.json", schema_for!(TaskMessage)),
        ("task-record.json", schema_for!(TaskRecord)),
    ]
}
