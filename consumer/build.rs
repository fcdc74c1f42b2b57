//! Compiles `opengl/` as the shared library that Blender's process loads; it becomes part of the
//! binary, as the Python that runs inside Blender is.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=opengl/src");
    let variable = |name: &str| std::env::var_os(name).unwrap_or_else(|| fail(name, "is not set"));
    let library = Path::new(&variable("OUT_DIR")).join("librender_on_lambda_opengl.so");
    let mut command = Command::new(variable("RUSTC"));
    command
        .args(["--edition", "2024", "--crate-type", "cdylib"])
        .args(["--crate-name", "render_on_lambda_opengl", "opengl/src/lib.rs"])
        .args(["-C", "opt-level=3", "-C", "panic=abort", "-C", "lto", "-C", "strip=symbols"])
        // What it calls of glibc is bound when it is loaded, to whichever glibc is there.
        .args(["-C", "link-arg=-nostdlib"])
        .args([OsString::from("--target"), variable("TARGET"), "-o".into(), library.into()]);
    match command.status() {
        Ok(status) if status.success() => {}
        Ok(status) => fail("rustc", &status.to_string()),
        Err(error) => fail("rustc", &error.to_string()),
    }
}

fn fail(what: &str, why: &str) -> ! {
    println!("cargo::error=opengl/ cannot be compiled: {what}: {why}");
    std::process::exit(1)
}
