//! What keyframes and drivers change of what frames leave out: a saved file tells of one frame alone.

/// Properties that a datablock animates: an action those of whatever has it, others their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Animates {
    /// Whether an object is rendered at all.
    pub(crate) visibility: bool,
    /// Whether one of its modifiers is.
    pub(crate) modifiers: bool,
    /// Whether a strip is muted.
    pub(crate) strips: bool,
}

impl Animates {
    /// Most bytes of a path that says so, with the zero at its end.
    pub(crate) const MOST_PATH_BYTES: u64 = 160;

    /// Takes note of the path of an F-Curve.
    pub(crate) fn note(&mut self, path: &[u8]) {
        self.visibility |= path == b"hide_render";
        self.modifiers |= path.ends_with(b".show_render");
        self.strips |= path.ends_with(b".mute");
    }

    /// This and that.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            visibility: self.visibility || other.visibility,
            modifiers: self.modifiers || other.modifiers,
            strips: self.strips || other.strips,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_animates_is_its_last_property() {
        let noted = |path: &[u8]| {
            let mut animates = Animates::default();
            animates.note(path);
            (animates.visibility, animates.modifiers)
        };
        assert_eq!(noted(b"hide_render"), (true, false));
        assert_eq!(noted(b"modifiers[\"Cloth\"].show_render"), (false, true));
        assert_eq!(noted(b"hide_viewport"), (false, false));
    }
}
