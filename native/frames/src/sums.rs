//! The sums of slices of samples, over a block of rows.

use crate::cryptomatte::Mattes;
use crate::layout::PassChannels;
use crate::pass::{Pass, divided};

/// What Cycles writes for a distance that there is not (`film/read.h`, Blender 5.2).
const FAR: f32 = 1e10;

/// The Cryptomattes in the order in which Cycles has them: it ranks by weight the first that there is,
/// and leaves the others in the order in which the ids were met (`film_cryptomatte_post`,
/// `cryptomatte_passes.h`, Blender 5.2).
const RANKED: [&str; 3] = ["CryptoObject", "CryptoMaterial", "CryptoAsset"];

/// What is done with the channels of a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Mean { channel: usize },
    FirstSample { channel: usize },
    Distance { channel: usize },
    Light { channels: [usize; 3], color: [usize; 3] },
    Cryptomatte { levels: Vec<[usize; 4]>, is_ranked: bool },
}

/// The steps for the passes of a slice; the name of a light pass whose colour is not there.
pub(crate) fn steps(passes: &[PassChannels]) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    for pass in passes {
        let of_family = |name: &str| {
            passes.iter().find(|other| other.family == pass.family && other.name == name)
        };
        match &pass.pass {
            Pass::Light { color } => {
                let color = of_family(color).and_then(|color| color.channels.first_chunk());
                match (pass.channels.first_chunk(), color) {
                    (Some(channels), Some(color)) => {
                        steps.push(Step::Light { channels: *channels, color: *color });
                    }
                    _ => return Err(format!("{} without it", pass.name)),
                }
            }
            Pass::Cryptomatte { name } => {
                let is_level = |other: &&PassChannels| {
                    let kind = Pass::Cryptomatte { name: name.clone() };
                    other.family == pass.family && other.pass == kind
                };
                let mut levels = passes.iter().filter(is_level);
                if levels.clone().next() == Some(pass) {
                    let channels = |level: &PassChannels| level.channels.first_chunk().copied();
                    let all = levels.by_ref().map(channels).collect::<Option<Vec<_>>>();
                    let levels = all.ok_or_else(|| format!("{} without its parts", pass.name))?;
                    let is_ranked = RANKED.iter().find(|kind| is_there(passes, pass, kind));
                    let is_ranked = is_ranked == Some(&name.as_str());
                    steps.push(Step::Cryptomatte { levels, is_ranked });
                }
            }
            kind => steps.extend(pass.channels.iter().map(|&channel| match kind {
                Pass::FirstSample => Step::FirstSample { channel },
                Pass::Distance => Step::Distance { channel },
                _ => Step::Mean { channel },
            })),
        }
    }
    Ok(steps)
}

/// Whether the family of a pass has a Cryptomatte.
fn is_there(passes: &[PassChannels], pass: &PassChannels, kind: &str) -> bool {
    let kind = Pass::Cryptomatte { name: kind.to_owned() };
    passes.iter().any(|other| other.family == pass.family && other.pass == kind)
}

/// The sums of a block of rows.
pub(crate) struct Sums<'steps> {
    steps: &'steps [Step],
    width: usize,
    channels: usize,
    /// Row after row, channel after channel of each.
    totals: Vec<f64>,
    /// Those of each Cryptomatte, in the order of the steps.
    mattes: Vec<Mattes>,
}

impl<'steps> Sums<'steps> {
    pub(crate) fn new(steps: &'steps [Step], width: usize, channels: usize, rows: usize) -> Self {
        let is_matte = |step: &&Step| matches!(step, Step::Cryptomatte { .. });
        let mattes = steps.iter().filter(is_matte).map(|_| Mattes::new(width * rows)).collect();
        Self { steps, width, channels, totals: vec![0.0; width * channels * rows], mattes }
    }

    /// Adds a slice of so many samples; the first has sample 0.
    pub(crate) fn add(&mut self, samples: &[f32], weight: f64, is_first: bool) {
        let row_samples = self.width * self.channels;
        let rows = samples.chunks_exact(row_samples).zip(self.totals.chunks_exact_mut(row_samples));
        for (number, (row, sums)) in rows.enumerate() {
            let line = |channel: usize| row.chunks_exact(self.width).nth(channel).unwrap_or(&[]);
            let mut mattes = self.mattes.iter_mut();
            for step in self.steps {
                match step {
                    Step::Mean { channel } => {
                        add(sums, self.width, *channel, line(*channel), |value| {
                            weight * f64::from(value)
                        });
                    }
                    Step::FirstSample { channel } if is_first => {
                        add(sums, self.width, *channel, line(*channel), f64::from);
                    }
                    Step::FirstSample { .. } => {}
                    Step::Distance { channel } => {
                        add(sums, self.width, *channel, line(*channel), |value| {
                            if value == FAR { 0.0 } else { weight * f64::from(value) }
                        });
                    }
                    Step::Light { channels, color } => {
                        for (channel, color) in channels.iter().zip(color) {
                            let colors = line(*color).iter();
                            let light = line(*channel).iter().zip(colors).map(|(light, color)| {
                                weight * f64::from(*light) * f64::from(*color)
                            });
                            let sums = sums.chunks_exact_mut(self.width).nth(*channel);
                            for (sum, light) in sums.into_iter().flatten().zip(light) {
                                *sum += light;
                            }
                        }
                    }
                    Step::Cryptomatte { levels, .. } => {
                        let Some(mattes) = mattes.next() else { continue };
                        for level in levels {
                            mattes.add(number * self.width, level.map(line), weight);
                        }
                    }
                }
            }
        }
    }

    /// The samples of all slices, of so many samples.
    pub(crate) fn finish(self, total: f64) -> Vec<f32> {
        let mut samples = vec![0.0; self.totals.len()];
        let row_samples = self.width * self.channels;
        let rows = self.totals.chunks_exact(row_samples).zip(samples.chunks_exact_mut(row_samples));
        for (number, (sums, row)) in rows.enumerate() {
            let sum = |channel: usize| sums.chunks_exact(self.width).nth(channel).unwrap_or(&[]);
            let mut mattes = self.mattes.iter();
            for step in self.steps {
                match step {
                    Step::Mean { channel } => {
                        set(row, self.width, *channel, sum(*channel).iter().map(|sum| sum / total));
                    }
                    Step::FirstSample { channel } => {
                        set(row, self.width, *channel, sum(*channel).iter().copied());
                    }
                    Step::Distance { channel } => {
                        let mean = |sum: &f64| match *sum {
                            0.0 => FAR.into(),
                            sum => sum.min(f32::MAX.into()) / total,
                        };
                        set(row, self.width, *channel, sum(*channel).iter().map(mean));
                    }
                    Step::Light { channels, color } => {
                        let [light, color] = [channels, color].map(|places| places.map(sum));
                        let at = |lines: [&[f64]; 3], pixel: usize| {
                            lines.map(|line| line.get(pixel).copied().unwrap_or_default() / total)
                        };
                        let divided: Vec<_> = (0..self.width)
                            .map(|pixel| divided(at(light, pixel), at(color, pixel)))
                            .collect();
                        for (part, channel) in channels.iter().enumerate() {
                            let values = divided.iter().filter_map(|light| light.get(part));
                            set(row, self.width, *channel, values.copied());
                        }
                    }
                    Step::Cryptomatte { levels, is_ranked } => {
                        let Some(mattes) = mattes.next() else { continue };
                        let pixels = number * self.width..(number + 1) * self.width;
                        for (level, channels) in levels.iter().enumerate() {
                            let values = mattes.level(pixels.clone(), level, total, *is_ranked);
                            for (channel, values) in channels.iter().zip(values) {
                                let line = row.chunks_exact_mut(self.width).nth(*channel);
                                line.into_iter()
                                    .flatten()
                                    .zip(values)
                                    .for_each(|(to, from)| *to = from);
                            }
                        }
                    }
                }
            }
        }
        samples
    }
}

fn add(sums: &mut [f64], width: usize, channel: usize, line: &[f32], value: impl Fn(f32) -> f64) {
    let sums = sums.chunks_exact_mut(width).nth(channel).into_iter().flatten();
    sums.zip(line).for_each(|(sum, sample)| *sum += value(*sample));
}

#[expect(clippy::cast_possible_truncation, reason = "a sample has 32 bits")]
fn set(row: &mut [f32], width: usize, channel: usize, values: impl Iterator<Item = f64>) {
    let line = row.chunks_exact_mut(width).nth(channel).into_iter().flatten();
    line.zip(values).for_each(|(sample, value)| *sample = value as f32);
}
