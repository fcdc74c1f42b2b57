//! The functions of OpenGL that are looked at on their way to Mesa.
#![allow(unsafe_code, reason = "OpenGL's functions are C's")]

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use crate::egl::function_of_mesa;
use crate::unused_tile_maps::{Dispatch, UnusedTileMaps, is_of_tile_maps};

/// `gl.xml`, OpenGL 4.6.
const CURRENT_PROGRAM: u32 = 0x8B8D;
const SHADER_STORAGE_BLOCK: u32 = 0x92E6;
const BUFFER_BINDING: u32 = 0x9302;
const SHADER_STORAGE_BUFFER_BINDING: u32 = 0x90D3;

/// Where buffers are bound, with what tells which one is.
const TARGETS: [(u32, u32); 4] = [
    (0x90D2, SHADER_STORAGE_BUFFER_BINDING),
    // `GL_UNIFORM_BUFFER`, `GL_ARRAY_BUFFER`, `GL_ELEMENT_ARRAY_BUFFER`.
    (0x8A11, 0x8A28),
    (0x8892, 0x8894),
    (0x8893, 0x8895),
];

/// The block of the tile maps, in both shaders (Blender 5.2).
const TILE_MAPS: &CStr = c"_tilemaps_buf";

/// What is known of the tile maps, one thread at a time.
struct Shared {
    is_taken: AtomicBool,
    maps: UnsafeCell<UnusedTileMaps>,
}

// SAFETY: `with` lets one thread in.
unsafe impl Sync for Shared {}

static SHARED: Shared =
    Shared { is_taken: AtomicBool::new(false), maps: UnsafeCell::new(UnusedTileMaps::new()) };

/// Does a thing that takes nanoseconds, and calls nothing, with what is known.
fn with<R>(work: impl FnOnce(&mut UnusedTileMaps) -> R) -> R {
    while SHARED.is_taken.swap(true, Ordering::Acquire) {
        core::hint::spin_loop();
    }
    // SAFETY: no other thread is here until `is_taken` is false again.
    let result = work(unsafe { &mut *SHARED.maps.get() });
    SHARED.is_taken.store(false, Ordering::Release);
    result
}

/// Declares functions that stand before Mesa's: what is done first, then the call.
macro_rules! functions {
    ($($name:literal => $function:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?
        { $before:expr })*) => {
        $(
            #[allow(non_snake_case, reason = "OpenGL's name")]
            mod $function {
                use super::*;

                pub(super) static MESA: AtomicPtr<c_void> =
                    AtomicPtr::new(core::ptr::null_mut());

                pub(super) extern "C" fn call($($argument: $type),*) $(-> $result)? {
                    type Function = extern "C" fn($($type),*) $(-> $result)?;
                    let must_call: bool = $before;
                    if !must_call {
                        return Default::default();
                    }
                    // SAFETY: Mesa's function of this name was stored before this one was given
                    // away, and has OpenGL's type.
                    let mesa: Function =
                        unsafe { core::mem::transmute(MESA.load(Ordering::Acquire)) };
                    mesa($($argument),*)
                }
            }
        )*

        /// The function that stands before one of Mesa's; Mesa's own where there is none.
        pub(crate) fn instead_of(name: &CStr, mesa: *mut c_void) -> *mut c_void {
            match name.to_bytes() {
                $($name => {
                    $function::MESA.store(mesa, Ordering::Release);
                    $function::call as *mut c_void
                })*
                _ => mesa,
            }
        }
    };
}

functions! {
    b"glShaderSource" => shader_source(
        shader: u32, count: c_int, parts: *const *const c_char, lengths: *const c_int
    ) { { let is_one = has_mark(count, parts, lengths); with(|maps| maps.shader_source(shader, is_one)); true } }
    b"glAttachShader" => attach_shader(program: u32, shader: u32)
        { { with(|maps| maps.attach_shader(program, shader)); true } }
    b"glDeleteProgram" => delete_program(program: u32)
        { { with(|maps| maps.forget_program(program)); true } }
    b"glProgramBinary" => program_binary(program: u32, form: u32, binary: *const c_void, size: c_int)
        { { with(|maps| maps.forget_program(program)); true } }
    b"glDispatchCompute" => dispatch_compute(x: u32, y: u32, z: u32) { must_dispatch(x, y, z) }
    b"glDispatchComputeIndirect" => dispatch_compute_indirect(offset: isize)
        { { with(UnusedTileMaps::other_dispatch); true } }

    b"glBufferData" => buffer_data(target: u32, size: isize, data: *const c_void, usage: u32)
        { written_at(target) }
    b"glBufferSubData" => buffer_sub_data(
        target: u32, offset: isize, size: isize, data: *const c_void
    ) { written_at(target) }
    b"glBufferStorage" => buffer_storage(target: u32, size: isize, data: *const c_void, flags: u32)
        { written_at(target) }
    b"glMapBuffer" => map_buffer(target: u32, access: u32) -> usize { written_at(target) }
    b"glMapBufferRange" => map_buffer_range(
        target: u32, offset: isize, size: isize, access: u32
    ) -> usize { written_at(target) }
    b"glClearBufferData" => clear_buffer_data(
        target: u32, inner: u32, form: u32, kind: u32, data: *const c_void
    ) { written_at(target) }
    b"glClearBufferSubData" => clear_buffer_sub_data(
        target: u32, inner: u32, offset: isize, size: isize, form: u32, kind: u32,
        data: *const c_void
    ) { written_at(target) }
    b"glCopyBufferSubData" => copy_buffer_sub_data(
        from: u32, to: u32, from_offset: isize, to_offset: isize, size: isize
    ) { written_at(to) }

    b"glNamedBufferData" => named_buffer_data(
        buffer: u32, size: isize, data: *const c_void, usage: u32
    ) { written(buffer) }
    b"glNamedBufferSubData" => named_buffer_sub_data(
        buffer: u32, offset: isize, size: isize, data: *const c_void
    ) { written(buffer) }
    b"glNamedBufferStorage" => named_buffer_storage(
        buffer: u32, size: isize, data: *const c_void, flags: u32
    ) { written(buffer) }
    b"glMapNamedBuffer" => map_named_buffer(buffer: u32, access: u32) -> usize { written(buffer) }
    b"glMapNamedBufferRange" => map_named_buffer_range(
        buffer: u32, offset: isize, size: isize, access: u32
    ) -> usize { written(buffer) }
    b"glClearNamedBufferData" => clear_named_buffer_data(
        buffer: u32, inner: u32, form: u32, kind: u32, data: *const c_void
    ) { written(buffer) }
    b"glClearNamedBufferSubData" => clear_named_buffer_sub_data(
        buffer: u32, inner: u32, offset: isize, size: isize, form: u32, kind: u32,
        data: *const c_void
    ) { written(buffer) }
    b"glCopyNamedBufferSubData" => copy_named_buffer_sub_data(
        from: u32, to: u32, from_offset: isize, to_offset: isize, size: isize
    ) { written(to) }
    b"glInvalidateBufferData" => invalidate_buffer_data(buffer: u32) { written(buffer) }
    b"glInvalidateBufferSubData" => invalidate_buffer_sub_data(
        buffer: u32, offset: isize, size: isize
    ) { written(buffer) }
    b"glDeleteBuffers" => delete_buffers(count: c_int, buffers: *const u32)
        { deleted(count, buffers) }
}

/// Whether one of a shader's strings holds a mark of the two.
fn has_mark(count: c_int, parts: *const *const c_char, lengths: *const c_int) -> bool {
    let count = usize::try_from(count).unwrap_or(0);
    if parts.is_null() {
        return false;
    }
    (0..count).any(|number| {
        // SAFETY: `glShaderSource` has so many strings, and lengths or none. A string without a
        // length, or with a negative one, ends with a zero.
        let text = unsafe {
            let text = *parts.add(number);
            let length = if lengths.is_null() { -1 } else { *lengths.add(number) };
            match usize::try_from(length) {
                _ if text.is_null() => return false,
                Ok(length) => core::slice::from_raw_parts(text.cast::<u8>(), length),
                Err(_) => CStr::from_ptr(text).to_bytes(),
            }
        };
        is_of_tile_maps(text)
    })
}

fn must_dispatch(x: u32, y: u32, z: u32) -> bool {
    let program = (x == 1 && y == 1).then(|| integer(CURRENT_PROGRAM)).flatten();
    let program = program.filter(|program| with(|maps| maps.is_of_tile_maps(*program)));
    let dispatch = program.and_then(|program| {
        Some(Dispatch { program, tile_maps: tile_maps_of(program)?, count: z })
    });
    if let Some(dispatch) = dispatch {
        with(|maps| maps.dispatch(dispatch))
    } else {
        with(UnusedTileMaps::other_dispatch);
        true
    }
}

/// The buffer with the tile maps of a program that is about to be started.
fn tile_maps_of(program: u32) -> Option<u32> {
    type ResourceIndex = extern "C" fn(u32, u32, *const c_char) -> u32;
    type Resource = extern "C" fn(u32, u32, u32, c_int, *const u32, c_int, *mut c_int, *mut c_int);
    type IndexedInteger = extern "C" fn(u32, u32, *mut c_int);
    // SAFETY: OpenGL's types of these functions.
    let (index_of, resource, indexed) = unsafe {
        (
            function::<ResourceIndex>(c"glGetProgramResourceIndex")?,
            function::<Resource>(c"glGetProgramResourceiv")?,
            function::<IndexedInteger>(c"glGetIntegeri_v")?,
        )
    };
    let block = index_of(program, SHADER_STORAGE_BLOCK, TILE_MAPS.as_ptr());
    if block == u32::MAX {
        return None;
    }
    let (wanted, mut binding, mut buffer) = (BUFFER_BINDING, -1, 0);
    let written = core::ptr::null_mut();
    resource(
        program,
        SHADER_STORAGE_BLOCK,
        block,
        1,
        &raw const wanted,
        1,
        written,
        &raw mut binding,
    );
    indexed(SHADER_STORAGE_BUFFER_BINDING, u32::try_from(binding).ok()?, &raw mut buffer);
    u32::try_from(buffer).ok().filter(|buffer| *buffer != 0)
}

fn deleted(count: c_int, buffers: *const u32) -> bool {
    let count = usize::try_from(count).unwrap_or(0);
    if !buffers.is_null() {
        // SAFETY: `glDeleteBuffers` has so many names.
        let buffers = unsafe { core::slice::from_raw_parts(buffers, count) };
        with(|maps| buffers.iter().for_each(|buffer| maps.buffer_written(*buffer)));
    }
    true
}

fn written(buffer: u32) -> bool {
    with(|maps| maps.buffer_written(buffer));
    true
}

fn written_at(target: u32) -> bool {
    let bound = TARGETS.iter().find(|(one, _)| *one == target);
    match bound.and_then(|(_, binding)| integer(*binding)) {
        Some(buffer) => with(|maps| maps.buffer_written(buffer)),
        None => with(UnusedTileMaps::any_buffer_written),
    }
    true
}

/// A number of OpenGL's state.
fn integer(name: u32) -> Option<u32> {
    type Integer = extern "C" fn(u32, *mut c_int);
    // SAFETY: OpenGL's type of this function.
    let get = unsafe { function::<Integer>(c"glGetIntegerv")? };
    let mut value = 0;
    get(name, &raw mut value);
    u32::try_from(value).ok()
}

/// A function of Mesa.
///
/// # Safety
/// `F` is the type that OpenGL has for this name.
unsafe fn function<F: Copy>(name: &CStr) -> Option<F> {
    let function = function_of_mesa(name);
    // SAFETY: a pointer to a function, which the caller knows the type of.
    (!function.is_null()).then(|| unsafe { core::mem::transmute_copy(&function) })
}
