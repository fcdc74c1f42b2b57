//! The framed messages between the consumer and its Blender: four bytes of length, big-endian,
//! then that many bytes of JSON. They go over a socket of their own, so that nothing Blender or a
//! script prints can disturb them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use protocol::BlenderVersion;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::error::{ConsumerError, Result};

/// Most bytes of one message.
const MAX_MESSAGE_BYTES: u32 = 4 << 20;

/// What Blender is asked to do.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Request<'a> {
    /// To open a scene while what only its rendering reads is still on its way.
    Open {
        /// The scene's file.
        blend_file: &'a Path,
        /// Whether Python in the file may run.
        allow_scripts: bool,
    },
    /// To say how large a frame is, and whether it can be split.
    Measure(&'a RenderRequest),
    /// To render a frame.
    Render(&'a RenderRequest),
}

/// The frame that Blender is asked to render.
#[derive(Debug, Clone, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "what an artist agrees to, each by itself")]
pub(crate) struct RenderRequest {
    /// The scene's file; loaded only if another one is open.
    pub(crate) blend_file: PathBuf,
    /// The Blender that the job says it comes from; 0, 0, 0 where nobody knows.
    pub(crate) blender_version: BlenderVersion,
    /// The scene in it; the active one where absent.
    pub(crate) scene: Option<String>,
    /// The render engines that are here.
    pub(crate) engines: &'static [&'static str],
    /// Whether Python in the file may run.
    pub(crate) allow_scripts: bool,
    /// The frame.
    pub(crate) frame: i32,
    /// Whether it is the image at the time at which the scene was saved, between two frames or not.
    pub(crate) is_still: bool,
    /// An empty folder for the result.
    pub(crate) output_folder: PathBuf,
    /// The output path below that folder, still with `#`.
    pub(crate) output_template: String,
    /// Where File Output nodes write, by their folders as they stand in the scene: a folder below
    /// that for the result.
    pub(crate) output_folders: BTreeMap<String, String>,
    /// Whether it is asked first whether the frame could be split.
    pub(crate) may_be_split: bool,
    /// Whether it may be split where its slices have other noise.
    pub(crate) allow_other_noise: bool,
    /// What to render of it: x, y, width and height in pixels, from the left and from the bottom;
    /// all of it where absent.
    pub(crate) tile: Option<(usize, usize, usize, usize)>,
    /// The passes that were rendered before, of which the frame is to be finished.
    pub(crate) passes: Option<PathBuf>,
    /// What Cycles has written of them for whoever reads the frame.
    pub(crate) metadata: Vec<(String, String)>,
}

/// What Blender answers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Reply {
    /// It has started.
    Ready { version: BlenderVersion },
    /// It is at work, and so much of the frame is rendered, 0 to 1, where the engine says so.
    Progress { part: Option<f32>, memory_bytes: u64 },
    /// Whether the frame that it begins could be split: why not, or nothing.
    Divisible {
        width: usize,
        height: usize,
        /// The size of Cycles' own tiles, where sampling is adaptive.
        adaptive_tile_size: Option<usize>,
        obstacle: String,
    },
    /// The scene is open.
    Opened { load_seconds: f64 },
    /// How large the frame is, in pixels.
    Measured {
        load_seconds: f64,
        width: usize,
        height: usize,
        /// The size of Cycles' own tiles, where sampling is adaptive.
        adaptive_tile_size: Option<usize>,
        /// Why it cannot be split; empty where it can.
        obstacle: String,
    },
    /// The frame is in the output folder.
    Rendered { load_seconds: f64, render_seconds: f64, peak_memory_bytes: u64 },
    /// Blender or the scene's Python said no.
    Failed { message: String },
}

/// Sends one message.
pub(crate) async fn send(
    to: &mut (impl AsyncWriteExt + Unpin),
    message: &impl Serialize,
) -> Result<()> {
    let body = serde_json::to_vec(message)
        .map_err(|error| ConsumerError::Wire { reason: error.to_string() })?;
    let length = u32::try_from(body.len())
        .ok()
        .filter(|length| *length <= MAX_MESSAGE_BYTES)
        .ok_or_else(|| ConsumerError::Wire { reason: "a message above 4 MiB".into() })?;
    let broken = |error: std::io::Error| ConsumerError::Wire { reason: error.to_string() };
    to.write_all(&length.to_be_bytes()).await.map_err(broken)?;
    to.write_all(&body).await.map_err(broken)
}

/// Receives one message; `None` where the other side has gone away.
pub(crate) async fn receive(from: &mut (impl AsyncReadExt + Unpin)) -> Result<Option<Reply>> {
    let mut length = [0; 4];
    if from.read_exact(&mut length).await.is_err() {
        return Ok(None);
    }
    let length = u32::from_be_bytes(length);
    if length > MAX_MESSAGE_BYTES {
        return Err(ConsumerError::Wire { reason: format!("a message of {length} bytes") });
    }
    let mut body = vec![0; usize::try_from(length).unwrap_or_default()];
    if from.read_exact(&mut body).await.is_err() {
        return Ok(None);
    }
    serde_json::from_slice(&body)
        .map(Some)
        .map_err(|error| ConsumerError::Wire { reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn garbage_is_an_error_and_the_end_is_the_end() {
        let mut huge: &[u8] = b"GET / HTTP/1.1";
        assert!(receive(&mut huge).await.is_err());
        let mut not_json: &[u8] = b"\0\0\0\x02hi";
        assert!(receive(&mut not_json).await.is_err());
        let mut cut_off: &[u8] = b"\0\0\0\x20{\"type\"";
        assert_eq!(receive(&mut cut_off).await.unwrap(), None);
        let mut sound: &[u8] = b"\0\0\0\x20{\"type\":\"failed\",\"message\":\"no\"}";
        let reply = receive(&mut sound).await.unwrap();
        assert_eq!(reply, Some(Reply::Failed { message: "no".into() }));
    }
}
