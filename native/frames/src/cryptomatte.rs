//! Cryptomatte: of each pixel the ids of what is seen in it, with how much of the pixel each takes.
//!
//! Source: `intern/cycles/kernel/film/cryptomatte_passes.h`, Blender 5.2.

use std::ops::Range;

/// The ids of the pixels of a block of rows, with their weights so far.
pub(crate) struct Mattes {
    pixels: Vec<Vec<(u32, f64)>>,
}

impl Mattes {
    pub(crate) fn new(pixels: usize) -> Self {
        Self { pixels: vec![Vec::new(); pixels] }
    }

    /// Adds a row of a level: an id and its weight, another id and its weight.
    pub(crate) fn add(&mut self, first_pixel: usize, level: [&[f32]; 4], samples: f64) {
        let [one, one_weight, other, other_weight] = level;
        let pairs = [(one, one_weight), (other, other_weight)];
        for (ids, weights) in pairs {
            let pixels = self.pixels.iter_mut().skip(first_pixel);
            for ((found, id), weight) in pixels.zip(ids).zip(weights) {
                if *weight <= 0.0 {
                    continue;
                }
                let weight = f64::from(*weight) * samples;
                let id = id.to_bits();
                match found.iter_mut().find(|(known, _)| *known == id) {
                    Some((_, sum)) => *sum += weight,
                    None => found.push((id, weight)),
                }
            }
        }
    }

    /// The four lines of a level of some pixels, of so many samples: in the order in which the ids
    /// were met, or the largest weights first.
    #[expect(clippy::cast_possible_truncation, reason = "a sample has 32 bits")]
    pub(crate) fn level(
        &self,
        pixels: Range<usize>,
        level: usize,
        samples: f64,
        is_ranked: bool,
    ) -> [Vec<f32>; 4] {
        let mut lines = [const { Vec::new() }; 4];
        for found in self.pixels.get(pixels).unwrap_or_default() {
            let mut ranked: Vec<_> =
                found.iter().map(|(id, sum)| (*id, (sum / samples) as f32)).collect();
            if is_ranked {
                ranked.sort_by(|(_, one), (_, other)| other.total_cmp(one));
            }
            let mut pairs = ranked.into_iter().skip(2 * level);
            for pair in lines.chunks_exact_mut(2) {
                let (id, weight) = pairs.next().unwrap_or_default();
                if let [ids, weights] = pair {
                    ids.push(f32::from_bits(id));
                    weights.push(weight);
                }
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_all_slices_are_ranked_anew_or_stay_in_the_order_in_which_they_were_met() {
        let mut mattes = Mattes::new(1);
        let id = |number: u32| [f32::from_bits(number)];
        let add = |mattes: &mut Mattes, one: (u32, f32), other: (u32, f32), samples| {
            let (first, second) = (id(one.0), id(other.0));
            mattes.add(0, [&first, &[one.1], &second, &[other.1]], samples);
        };
        add(&mut mattes, (7, 0.75), (8, 0.25), 4.0);
        add(&mut mattes, (8, 1.0), (0, 0.0), 4.0);
        let [ids, weights, others, other_weights] = mattes.level(0..1, 0, 8.0, true);
        assert_eq!((ids, weights), (id(8).to_vec(), vec![0.625]));
        assert_eq!((others, other_weights), (id(7).to_vec(), vec![0.375]));
        let [ids, weights, ..] = mattes.level(0..1, 1, 8.0, true);
        assert_eq!((ids, weights), (vec![0.0], vec![0.0]));
        let [ids, weights, ..] = mattes.level(0..1, 0, 8.0, false);
        assert_eq!((ids, weights), (id(7).to_vec(), vec![0.375]));
    }
}
