//! Pure arithmetic about a farm: how long a frame will take, and into how many slices it is worth
//! while to split it. No I/O.

mod course;
mod model;
mod split;
mod straggler;

pub use course::{FrameCost, FrameCourse};
pub use model::{ModelFarm, ModelFrame, Prediction, predict};
pub use split::{slices_for_speed, slices_for_time};
pub use straggler::{is_far_behind, most_seconds};
