//! Which calls set up the tile maps that no light has, once more.

/// What is remembered of programs and shaders; EEVEE has two that matter.
const REMEMBERED: usize = 16;

/// A variable of the shader that begins a sample's tile maps, `eevee_shadow_tilemap_init`, and one of
/// the shader that frees their pages, `eevee_shadow_page_free`: each is in no other (Blender 5.2).
const MARKS: [&[u8]; 2] = [b"directional_range_changed", b"is_orphaned"];

/// What has to be known of a call that starts a compute shader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dispatch {
    /// The program.
    pub(crate) program: u32,
    /// The buffer with its tile maps.
    pub(crate) tile_maps: u32,
    /// How many there are.
    pub(crate) count: u32,
}

/// Follows what Blender tells OpenGL, and finds the calls that can be left out.
#[derive(Debug)]
pub(crate) struct UnusedTileMaps {
    shaders: Names,
    programs: Names,
    /// The last compute shader that was started.
    last: Option<Dispatch>,
    /// The calls whose repetition changes nothing.
    settled: [Option<Dispatch>; MARKS.len()],
}

impl UnusedTileMaps {
    pub(crate) const fn new() -> Self {
        Self {
            shaders: Names::new(),
            programs: Names::new(),
            last: None,
            settled: [None; MARKS.len()],
        }
    }

    /// A shader has this source from now on.
    pub(crate) fn shader_source(&mut self, shader: u32, is_of_tile_maps: bool) {
        self.shaders.set(shader, is_of_tile_maps);
    }

    /// A program is made of a shader.
    pub(crate) fn attach_shader(&mut self, program: u32, shader: u32) {
        let is_of_tile_maps = self.shaders.contain(shader);
        self.programs.set(program, is_of_tile_maps);
    }

    /// A program's name is free for another one, or it became what nobody has seen the source of.
    pub(crate) fn forget_program(&mut self, program: u32) {
        self.programs.set(program, false);
        for settled in &mut self.settled {
            *settled = settled.filter(|one| one.program != program);
        }
    }

    /// Whether a program is one of those.
    pub(crate) fn is_of_tile_maps(&self, program: u32) -> bool {
        self.programs.contain(program)
    }

    /// Another compute shader was started.
    pub(crate) fn other_dispatch(&mut self) {
        self.last = None;
    }

    /// Whether a call of such a program has to be made.
    ///
    /// The first one is for the tile maps of lights. One that follows at once, for another buffer, is
    /// for those that no light has. These hold nothing after the first time, until somebody writes
    /// to their buffer.
    pub(crate) fn dispatch(&mut self, dispatch: Dispatch) -> bool {
        let last = self.last.replace(dispatch);
        let is_second = last.is_some_and(|last| {
            last.program == dispatch.program && last.tile_maps != dispatch.tile_maps
        });
        if !is_second {
            return true;
        }
        if self.settled.contains(&Some(dispatch)) {
            return false;
        }
        let is_of_program =
            |one: &Option<Dispatch>| one.is_none_or(|one| one.program == dispatch.program);
        if let Some(place) = self.settled.iter_mut().find(|one| is_of_program(one)) {
            *place = Some(dispatch);
        }
        true
    }

    /// Somebody wrote to a buffer, or its name is free for another one.
    pub(crate) fn buffer_written(&mut self, buffer: u32) {
        for settled in &mut self.settled {
            *settled = settled.filter(|one| one.tile_maps != buffer);
        }
    }

    /// Somebody wrote to a buffer, and which one is not known.
    pub(crate) fn any_buffer_written(&mut self) {
        self.settled = [None; MARKS.len()];
    }
}

/// Whether the source of a shader, in parts, is that of one of the two.
pub(crate) fn is_of_tile_maps(source: &[u8]) -> bool {
    MARKS.iter().any(|mark| source.windows(mark.len()).any(|window| window == *mark))
}

/// A few of OpenGL's names; one more than fits is not remembered.
#[derive(Debug)]
struct Names([u32; REMEMBERED]);

impl Names {
    const fn new() -> Self {
        Self([0; REMEMBERED])
    }

    fn contain(&self, name: u32) -> bool {
        name != 0 && self.0.contains(&name)
    }

    fn set(&mut self, name: u32, is_in: bool) {
        let (from, to) = match (self.contain(name), is_in) {
            (false, true) => (0, name),
            (true, false) => (name, 0),
            _ => return,
        };
        if let Some(place) = self.0.iter_mut().find(|one| **one == from) {
            *place = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIGHTS: Dispatch = Dispatch { program: 7, tile_maps: 1, count: 15 };
    const UNUSED: Dispatch = Dispatch { program: 7, tile_maps: 2, count: 4081 };

    fn sample(maps: &mut UnusedTileMaps) -> (bool, bool) {
        maps.other_dispatch();
        (maps.dispatch(LIGHTS), maps.dispatch(UNUSED))
    }

    #[test]
    fn unused_tile_maps_are_set_up_once_and_those_of_lights_always() {
        let mut maps = UnusedTileMaps::new();
        assert_eq!(sample(&mut maps), (true, true));
        assert_eq!(sample(&mut maps), (true, false));
        assert_eq!(sample(&mut maps), (true, false));
    }

    #[test]
    fn what_is_written_to_their_buffer_sets_them_up_again() {
        let mut maps = UnusedTileMaps::new();
        sample(&mut maps);
        maps.buffer_written(LIGHTS.tile_maps);
        assert_eq!(sample(&mut maps), (true, false));
        maps.buffer_written(UNUSED.tile_maps);
        assert_eq!(sample(&mut maps), (true, true));
        maps.any_buffer_written();
        assert_eq!(sample(&mut maps), (true, true));
        maps.forget_program(UNUSED.program);
        assert_eq!(sample(&mut maps), (true, true));
    }

    #[test]
    fn another_count_of_them_is_another_call() {
        let mut maps = UnusedTileMaps::new();
        sample(&mut maps);
        maps.other_dispatch();
        assert!(maps.dispatch(LIGHTS));
        assert!(maps.dispatch(Dispatch { count: 3, ..UNUSED }));
    }

    #[test]
    fn both_programs_are_remembered_at_once() {
        let mut maps = UnusedTileMaps::new();
        let of_program = |dispatch: Dispatch, program| Dispatch { program, ..dispatch };
        for is_first in [true, false] {
            for program in [7, 9] {
                maps.other_dispatch();
                assert!(maps.dispatch(of_program(LIGHTS, program)));
                assert_eq!(maps.dispatch(of_program(UNUSED, program)), is_first);
            }
        }
    }

    #[test]
    fn programs_are_known_by_the_source_of_their_shader() {
        let mut maps = UnusedTileMaps::new();
        maps.shader_source(3, is_of_tile_maps(b"shared int directional_range_changed;"));
        maps.shader_source(4, is_of_tile_maps(b"void main() {}"));
        maps.attach_shader(7, 3);
        maps.attach_shader(8, 4);
        assert!(maps.is_of_tile_maps(7) && !maps.is_of_tile_maps(8));
        // A name is used again for another program.
        maps.attach_shader(7, 4);
        assert!(!maps.is_of_tile_maps(7));
    }

    #[test]
    fn more_programs_than_fit_are_not_remembered() {
        let mut maps = UnusedTileMaps::new();
        maps.shader_source(1, true);
        for program in 1..=40 {
            maps.attach_shader(program, 1);
        }
        assert!(maps.is_of_tile_maps(16) && !maps.is_of_tile_maps(17));
        maps.forget_program(16);
        maps.attach_shader(40, 1);
        assert!(maps.is_of_tile_maps(40));
    }
}
