//! Gives up what a process may do by who it is, and bounds what it may use.

use rustix::process::{Resource, Rlimit};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capability_is_in_bounding_set, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use crate::error::{ConsumerError, Result};

/// More capabilities than any kernel has (capabilities(7): 41 in Linux 6).
const MOST_CAPABILITIES: u32 = 63;

/// Gives up every capability, for good: also root has none then, and what it starts gains none. A
/// crash leaves no image of the memory on the disk.
pub(crate) fn give_up() -> Result<()> {
    let cannot = |error: rustix::io::Errno| ConsumerError::Cage(format!("capabilities: {error}"));
    for number in 0..MOST_CAPABILITIES {
        let capability = CapabilitySet::from_bits_retain(1 << number);
        match capability_is_in_bounding_set(capability) {
            // Only root may narrow the bound, and nobody else gains from what is in it.
            Ok(true) => match remove_capability_from_bounding_set(capability) {
                Ok(()) | Err(rustix::io::Errno::PERM) => {}
                Err(error) => return Err(cannot(error)),
            },
            Ok(false) => {}
            // The kernel knows no more.
            Err(_) => break,
        }
    }
    // A kernel before 4.3 has no such set.
    let _ = clear_ambient_capability_set();
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .map_err(cannot)?;
    set_no_new_privs(true).map_err(cannot)?;
    bound(Resource::Core, 0)
}

/// Bounds a resource, where it is not bound lower.
pub(crate) fn bound(resource: Resource, most: u64) -> Result<()> {
    let now = rustix::process::getrlimit(resource);
    let most = now.maximum.map_or(most, |maximum| maximum.min(most));
    let limit = Rlimit { current: Some(most), maximum: Some(most) };
    rustix::process::setrlimit(resource, limit)
        .map_err(|error| ConsumerError::Cage(format!("a limit: {error}")))
}
