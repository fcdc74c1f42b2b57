/// The render engines of the farm, by their names in Blender. `BLENDER_EEVEE_NEXT` is what EEVEE was
/// called from Blender 4.2 to 4.5 (`rna_render.cc`, `eevee_engine.cc`).
pub const ENGINES: &[&str] =
    &["CYCLES", "BLENDER_EEVEE", "BLENDER_EEVEE_NEXT", "BLENDER_WORKBENCH"];
