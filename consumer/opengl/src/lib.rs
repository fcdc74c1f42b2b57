//! A vendor's library for EGL that is Mesa's, but for one thing that EEVEE computes again and again.
//!
//! For each sample EEVEE sets up its shadows' tile maps, and among them those that no light has. In a
//! viewport these are the few that were freed since the last time. In a render there was no last
//! time, so that it is all of 4,096 (`ShadowTileMapPool::end_sync`, `eevee_shadow.cc`, Blender 5.2):
//! four million invocations of two compute shaders a sample, which change nothing after the first. A
//! graphics card does not notice. Mesa's software renderer, which serves EEVEE on Lambda, needs more
//! for it than for everything else in most frames.
//!
//! [`unused_tile_maps`] decides which of these calls is a repetition, from what the program hands to
//! OpenGL. What it does not recognize it lets pass, so that another Blender is slower and never wrong.
//!
//! The consumer's `build.rs` compiles this crate once more, as the shared library that Blender's
//! process loads: without the standard library, so that it asks for no particular glibc.
#![cfg_attr(not(test), no_std)]

mod calls;
mod egl;
mod unused_tile_maps;

#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
