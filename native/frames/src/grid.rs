//! How a frame is cut into tiles.

/// How many pixels around a tile are rendered with it where sampling is adaptive: whether a pixel gets
/// more samples, its neighbours decide too, and so on (`adaptive_sampling.h`, Blender 5.2, where
/// Cycles gives its own tiles four). Measured: with none, one and two pixels frames differ, with four
/// none did.
const ADAPTIVE_MARGIN_PIXELS: usize = 16;

/// How far Cycles renders beyond each of its own tiles where sampling is adaptive
/// (`intern/cycles/session/tile.cpp`, Blender 5.2).
const OVERSCAN_PIXELS: usize = 4;

/// Cycles' own tiles are as large as a multiple of this, or smaller (`TileManager`, Blender 5.2).
const ALIGNMENT_PIXELS: usize = 128;

/// The largest of Cycles' own tiles (`TileManager`, Blender 5.2).
const LARGEST_TILE_PIXELS: usize = 8192;

/// A tile to render.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedTile {
    /// Where it begins in the frame, in pixels from the left and from the top.
    pub position: (usize, usize),
    /// Its size in pixels.
    pub size: (usize, usize),
    /// Where what is rendered for it begins.
    pub rendered_position: (usize, usize),
    /// The size of what is rendered for it.
    pub rendered_size: (usize, usize),
}

impl PlannedTile {
    /// How many pixels of margin are rendered before the tile, from the left and from the top.
    pub(crate) fn margin(&self) -> (usize, usize) {
        (
            self.position.0.saturating_sub(self.rendered_position.0),
            self.position.1.saturating_sub(self.rendered_position.1),
        )
    }
}

/// Cuts a frame of a size in pixels into so many tiles of the same area, or nearly, each rendered with
/// a margin; into fewer where there are fewer pixels.
#[must_use]
pub fn plan_tiles(size: (usize, usize), count: usize, margin: usize) -> Vec<PlannedTile> {
    let (width, height) = size;
    let count = count.clamp(1, width.saturating_mul(height).max(1));
    let rows = rows_for(size, count);
    let mut tiles = Vec::with_capacity(count);
    let share = |number: usize, of: usize, length: usize| length * number / of;
    for row in 0..rows {
        let (first, end) = (share(row, rows, count), share(row + 1, rows, count));
        // A row is as high as it has tiles.
        let (top, bottom) = (share(first, count, height), share(end, count, height));
        let columns = (end - first).min(width);
        for column in 0..columns {
            let (left, right) = (share(column, columns, width), share(column + 1, columns, width));
            if left == right || top == bottom {
                continue;
            }
            let from = (left.saturating_sub(margin), top.saturating_sub(margin));
            let to = ((right + margin).min(width), (bottom + margin).min(height));
            tiles.push(PlannedTile {
                position: (left, top),
                size: (right - left, bottom - top),
                rendered_position: from,
                rendered_size: (to.0 - from.0, to.1 - from.1),
            });
        }
    }
    tiles
}

/// Into how many tiles at least a frame with adaptive sampling can be cut: those that Cycles renders it
/// in, of which `tile_size` is the side.
#[must_use]
pub fn least_adaptive_tiles(size: (usize, usize), tile_size: usize) -> usize {
    let stride = side_of_tiles(size, tile_size);
    size.0.div_ceil(stride).saturating_mul(size.1.div_ceil(stride)).max(1)
}

/// Cuts a frame with adaptive sampling into at most so many tiles. Where Cycles renders a frame in
/// tiles of its own, of which `tile_size` is the side, none crosses their lines, and none looks
/// further than they do; nothing where there are more of them than tiles are wanted.
#[must_use]
pub fn plan_adaptive_tiles(
    size: (usize, usize),
    count: usize,
    tile_size: usize,
) -> Vec<PlannedTile> {
    let (width, height) = size;
    let stride = side_of_tiles(size, tile_size);
    let (columns, rows) = (width.div_ceil(stride), height.div_ceil(stride));
    let Some(each) = count.checked_div(columns * rows).filter(|each| *each > 0) else {
        return Vec::new();
    };
    let mut tiles = Vec::with_capacity(count);
    for row in 0..rows {
        for column in 0..columns {
            // Cycles begins at the bottom.
            let (bottom, left) = (row * stride, column * stride);
            let (above, right) = ((bottom + stride).min(height), (left + stride).min(width));
            let (top, below) = (height - above, height - bottom);
            let seen_from =
                (left.saturating_sub(OVERSCAN_PIXELS), top.saturating_sub(OVERSCAN_PIXELS));
            let seen_to =
                ((right + OVERSCAN_PIXELS).min(width), (below + OVERSCAN_PIXELS).min(height));
            for tile in plan_tiles((right - left, below - top), each, 0) {
                let position = (left + tile.position.0, top + tile.position.1);
                let end = (position.0 + tile.size.0, position.1 + tile.size.1);
                let margin = ADAPTIVE_MARGIN_PIXELS;
                let from = (
                    position.0.saturating_sub(margin).max(seen_from.0),
                    position.1.saturating_sub(margin).max(seen_from.1),
                );
                let to = ((end.0 + margin).min(seen_to.0), (end.1 + margin).min(seen_to.1));
                tiles.push(PlannedTile {
                    position,
                    size: tile.size,
                    rendered_position: from,
                    rendered_size: (to.0 - from.0, to.1 - from.1),
                });
            }
        }
    }
    tiles
}

/// The side of Cycles' own tiles, all of the frame where it is rendered at once
/// (`Session::get_effective_tile_size`, `session.cpp`, Blender 5.2).
fn side_of_tiles((width, height): (usize, usize), tile_size: usize) -> usize {
    let side = if tile_size <= ALIGNMENT_PIXELS {
        tile_size.max(1)
    } else {
        tile_size.div_ceil(ALIGNMENT_PIXELS) * ALIGNMENT_PIXELS
    };
    let side = side.min(LARGEST_TILE_PIXELS);
    let longest = width.max(height);
    let is_at_once = side * side >= width * height && longest <= LARGEST_TILE_PIXELS;
    if is_at_once { longest.max(1) } else { side }
}

/// In how many rows tiles are nearly square.
fn rows_for((width, height): (usize, usize), count: usize) -> usize {
    let unevenness = |rows: &usize| {
        let columns = count.div_ceil(*rows);
        (width * rows).abs_diff(height * columns)
    };
    (1..=count.min(height.max(1))).min_by_key(unevenness).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tiles_are_nearly_square_and_of_one_area() {
        let tiles = plan_tiles((1920, 1080), 7, 0);
        assert_eq!(tiles.len(), 7);
        let areas: Vec<_> = tiles.iter().map(|tile| tile.size.0 * tile.size.1).collect();
        let (least, most) = (areas.iter().min().unwrap(), areas.iter().max().unwrap());
        assert!(most * 100 < least * 105, "{areas:?}");
        let (width, height) = tiles[0].size;
        assert!(width < 2 * height && height < 2 * width, "{tiles:?}");
    }

    #[test]
    fn adaptive_tiles_keep_to_those_of_cycles() {
        assert_eq!(side_of_tiles((1920, 1080), 2048), 1920);
        assert_eq!(side_of_tiles((2100, 1000), 2048), 2100);
        assert_eq!(side_of_tiles((3840, 2160), 2048), 2048);
        assert_eq!(side_of_tiles((3840, 2160), 1000), 1024);
        assert!(plan_adaptive_tiles((3840, 2160), 3, 2048).is_empty());
        let tiles = plan_adaptive_tiles((3840, 2160), 8, 2048);
        assert_eq!(tiles.len(), 8);
        for tile in &tiles {
            let (left, right) = (tile.position.0, tile.position.0 + tile.size.0);
            assert!(right <= 2048 || left >= 2048, "{tile:?}");
            let rendered = tile.rendered_position.0 + tile.rendered_size.0;
            assert!(right > 2048 || rendered <= 2052, "{tile:?}");
        }
    }

    proptest! {
        #[test]
        fn each_pixel_is_in_one_adaptive_tile(
            width in 1_usize..200,
            height in 1_usize..200,
            each in 1_usize..5,
            side in 8_usize..256,
        ) {
            let side_used = side_of_tiles((width, height), side);
            let count = each * width.div_ceil(side_used) * height.div_ceil(side_used);
            let tiles = plan_adaptive_tiles((width, height), count, side);
            prop_assert!(tiles.len() <= count);
            let mut seen = vec![0; width * height];
            for tile in &tiles {
                for row in tile.position.1..tile.position.1 + tile.size.1 {
                    for column in tile.position.0..tile.position.0 + tile.size.0 {
                        seen[row * width + column] += 1;
                    }
                }
                prop_assert!(tile.rendered_position.0 + tile.rendered_size.0 <= width);
                prop_assert!(tile.rendered_position.1 + tile.rendered_size.1 <= height);
            }
            prop_assert!(seen.iter().all(|times| *times == 1));
        }

        #[test]
        fn each_pixel_is_in_one_tile(
            width in 1_usize..200,
            height in 1_usize..200,
            count in 1_usize..80,
            margin in 0_usize..20,
        ) {
            let tiles = plan_tiles((width, height), count, margin);
            let mut seen = vec![0; width * height];
            for tile in &tiles {
                for row in 0..tile.size.1 {
                    for column in 0..tile.size.0 {
                        seen[(tile.position.1 + row) * width + tile.position.0 + column] += 1;
                    }
                }
                prop_assert!(tile.rendered_position.0 + margin >= tile.position.0);
                let end = tile.position.0 + tile.size.0;
                let rendered_end = tile.rendered_position.0 + tile.rendered_size.0;
                prop_assert!(rendered_end >= (end + margin).min(width) && rendered_end <= width);
            }
            prop_assert!(seen.iter().all(|times| *times == 1));
            prop_assert!(tiles.len() <= count);
        }
    }
}
