//! How a frame is cut into tiles.

/// How many pixels around a tile are rendered with it where sampling is adaptive: whether a pixel gets
/// more samples, its neighbours decide too, and so on (`adaptive_sampling.h`, Blender 5.2, where
/// Cycles gives its own tiles four). Measured: with none, one and two pixels frames differ, with four
/// none did.
pub const ADAPTIVE_MARGIN_PIXELS: usize = 16;

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

    proptest! {
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
