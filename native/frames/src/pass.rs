//! The kinds of passes, by what their pixels mean: how those of slices of samples become those of all
//! samples.
//!
//! Sources: `intern/cycles/kernel/film/read.h` and `intern/cycles/scene/pass.cpp`, Blender 5.2.

/// How the pixels of slices are put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pass {
    /// The mean by samples.
    Mean,
    /// Written by the first sample alone: the slice that has it.
    FirstSample,
    /// Light that was divided by the colour of another pass: the mean of light, divided by the mean
    /// of the colour.
    Light {
        /// That pass.
        color: String,
    },
    /// A mean distance that grows no further than a float does, of which 0 was written as 1e10.
    Distance,
    /// A level of a Cryptomatte: two pairs of an id and its weight.
    Cryptomatte {
        /// The name of all its levels without their number.
        name: String,
    },
}

impl Pass {
    /// The kind of a pass by the name that Cycles gives it.
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "Depth" | "Position" | "Object Index" | "Material Index" => Self::FirstSample,
            "Denoising Depth" => Self::Distance,
            _ => Self::light(name).or_else(|| Self::cryptomatte(name)).unwrap_or(Self::Mean),
        }
    }

    fn light(name: &str) -> Option<Self> {
        let kind = name.strip_suffix(" Direct").or_else(|| name.strip_suffix(" Indirect"))?;
        // What volumes scatter has no colour.
        matches!(kind, "Diffuse" | "Glossy" | "Transmission" | "Subsurface")
            .then(|| Self::Light { color: format!("{kind} Color") })
    }

    fn cryptomatte(name: &str) -> Option<Self> {
        let kind = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let is_one = matches!(kind, "CryptoObject" | "CryptoMaterial" | "CryptoAsset");
        (is_one && kind.len() < name.len()).then(|| Self::Cryptomatte { name: kind.to_owned() })
    }
}

/// Light divided by colour, as Cycles does it: where a part of the colour is 0, the others' quotient
/// stands for it (`safe_divide_even_color`, `intern/cycles/util/math_float3.h`).
pub(crate) fn divided(light: [f64; 3], color: [f64; 3]) -> [f64; 3] {
    let quotient = |part: usize| match (light.get(part), color.get(part)) {
        (Some(light), Some(color)) if *color != 0.0 => light / color,
        _ => 0.0,
    };
    let own = [quotient(0), quotient(1), quotient(2)];
    let is_lit = color.map(|part| part != 0.0);
    let other = |one: usize, two: usize| match (is_lit.get(one), is_lit.get(two)) {
        (Some(false), _) => quotient(two),
        (_, Some(false)) => quotient(one),
        _ => 0.5 * (quotient(one) + quotient(two)),
    };
    let [red, green, blue] = own;
    let [has_red, has_green, has_blue] = is_lit;
    [
        if has_red { red } else { other(1, 2) },
        if has_green { green } else { other(0, 2) },
        if has_blue { blue } else { other(0, 1) },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_known_by_its_name() {
        assert_eq!(Pass::of("Combined"), Pass::Mean);
        assert_eq!(Pass::of("Combined_key light"), Pass::Mean);
        assert_eq!(Pass::of("Depth"), Pass::FirstSample);
        assert_eq!(Pass::of("Glossy Indirect"), Pass::Light { color: "Glossy Color".into() });
        assert_eq!(Pass::of("Volume Direct"), Pass::Mean);
        assert_eq!(Pass::of("Glossy Color"), Pass::Mean);
        assert_eq!(Pass::of("CryptoAsset02"), Pass::Cryptomatte { name: "CryptoAsset".into() });
        assert_eq!(Pass::of("CryptoAsset"), Pass::Mean);
    }

    #[test]
    fn a_part_without_colour_gets_the_quotient_of_the_others() {
        let same = |left: [f64; 3], right: [f64; 3]| {
            left.iter().zip(right).all(|(left, right)| (left - right).abs() < 1e-12)
        };
        assert!(same(divided([1.0, 4.0, 9.0], [1.0, 2.0, 3.0]), [1.0, 2.0, 3.0]));
        assert!(same(divided([0.0, 4.0, 9.0], [0.0, 2.0, 3.0]), [2.5, 2.0, 3.0]));
        assert!(same(divided([0.0, 0.0, 9.0], [0.0, 0.0, 3.0]), [3.0, 3.0, 3.0]));
        assert!(same(divided([1.0, 1.0, 1.0], [0.0; 3]), [0.0; 3]));
    }
}
