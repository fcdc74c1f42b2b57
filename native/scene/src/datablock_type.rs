/// The name in Blender of a datablock type, by the two letters that its blocks begin with.
///
/// Source: `ID_Type`, `DNA_ID_enums.h`, Blender 5.0.
pub(crate) const fn datablock_type(code: [u8; 2]) -> &'static str {
    match &code {
        b"AC" => "Action",
        b"AR" => "Armature",
        b"BR" => "Brush",
        b"CA" => "Camera",
        b"CF" => "CacheFile",
        b"CU" => "Curve",
        b"CV" => "Curves",
        b"GR" => "Collection",
        b"GD" | b"GP" => "GreasePencil",
        b"IM" => "Image",
        b"LA" => "Light",
        b"LI" => "Library",
        b"LS" => "FreestyleLineStyle",
        b"MA" => "Material",
        b"MC" => "MovieClip",
        b"ME" => "Mesh",
        b"MS" => "Mask",
        b"NT" => "NodeTree",
        b"OB" => "Object",
        b"PA" => "ParticleSettings",
        b"PT" => "PointCloud",
        b"SC" => "Scene",
        b"SK" => "Speaker",
        b"SO" => "Sound",
        b"TE" => "Texture",
        b"TX" => "Text",
        b"VF" => "Font",
        b"VO" => "Volume",
        b"WO" => "World",
        _ => "Datablock",
    }
}
