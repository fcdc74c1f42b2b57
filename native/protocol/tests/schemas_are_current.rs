//! The committed JSON Schemas are those of the types.

use std::path::Path;

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas");
    for (name, schema) in protocol::schemas() {
        let committed = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        let current = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        assert!(committed == current, "docs/schemas/{name} is old: run `make schemas`");
    }
}
