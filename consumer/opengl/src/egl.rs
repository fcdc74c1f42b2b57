//! The vendor's library of Mesa, with some of its functions replaced.
#![allow(unsafe_code, reason = "the interface is EGL's, in C")]

use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::calls;

/// `dlopen(3)`: symbols are bound at once, and seen by nobody else.
const NOW: c_int = 2;

const MESA: &CStr = c"libEGL_mesa.so.0";
const MAIN: &CStr = c"__egl_Main";

type GetProcAddress = extern "C" fn(*const c_char) -> *mut c_void;

/// `PFNEGLMAINPROC`, `libeglabi.h`, libglvnd 1.7.
type Main = extern "C" fn(u32, *const c_void, *mut c_void, *mut Imports) -> u32;

/// What a vendor gives to libglvnd: `__EGLapiImports`, `libeglabi.h`, libglvnd 1.7. The fields behind
/// these are the vendor's own matter.
#[repr(C)]
struct Imports {
    platform_display: *const c_void,
    supports_api: *const c_void,
    vendor_string: *const c_void,
    get_proc_address: Option<GetProcAddress>,
}

unsafe extern "C" {
    fn dlopen(file: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, symbol: *const c_char) -> *mut c_void;
}

/// Mesa's own.
static MESA_GET_PROC_ADDRESS: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());

/// What libglvnd calls when it loads the library of a vendor; false where Mesa's is not there.
///
/// # Safety
/// `imports` is libglvnd's own `__EGLapiImports`, as its interface promises.
#[unsafe(no_mangle)]
extern "C" fn __egl_Main(
    version: u32,
    exports: *const c_void,
    vendor: *mut c_void,
    imports: *mut Imports,
) -> u32 {
    // SAFETY: both strings end with a zero.
    let main = unsafe {
        let mesa = dlopen(MESA.as_ptr(), NOW);
        if mesa.is_null() { mesa } else { dlsym(mesa, MAIN.as_ptr()) }
    };
    if main.is_null() {
        return 0;
    }
    // SAFETY: a vendor's library has this function of this type, or none.
    let main: Main = unsafe { core::mem::transmute(main) };
    let is_loaded = main(version, exports, vendor, imports);
    // SAFETY: libglvnd's, and filled in by Mesa.
    if is_loaded != 0
        && let Some(imports) = unsafe { imports.as_mut() }
        && let Some(mesa) = imports.get_proc_address
    {
        MESA_GET_PROC_ADDRESS.store(mesa as *mut c_void, Ordering::Release);
        imports.get_proc_address = Some(get_proc_address);
    }
    is_loaded
}

/// A function of Mesa, by its name; null where there is none.
pub(crate) fn function_of_mesa(name: &CStr) -> *mut c_void {
    let mesa = MESA_GET_PROC_ADDRESS.load(Ordering::Acquire);
    if mesa.is_null() {
        return mesa;
    }
    // SAFETY: nothing else is ever stored there.
    let mesa: GetProcAddress = unsafe { core::mem::transmute(mesa) };
    mesa(name.as_ptr())
}

/// A function by its name: ours, where there is one before Mesa's.
extern "C" fn get_proc_address(name: *const c_char) -> *mut c_void {
    if name.is_null() {
        return core::ptr::null_mut();
    }
    // SAFETY: EGL's names end with a zero.
    let name = unsafe { CStr::from_ptr(name) };
    let mesa = function_of_mesa(name);
    if mesa.is_null() { mesa } else { calls::instead_of(name, mesa) }
}
