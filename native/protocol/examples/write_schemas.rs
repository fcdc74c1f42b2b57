//! Writes the JSON Schemas of the protocol into a folder: `make schemas`.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: write_schemas FOLDER")?);
    std::fs::create_dir_all(&folder)?;
    for (name, schema) in protocol::schemas() {
        std::fs::write(folder.join(name), serde_json::to_string_pretty(&schema)? + "\n")?;
    }
    Ok(())
}
