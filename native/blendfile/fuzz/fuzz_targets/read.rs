//! Any bytes: opened, every block looked at, a path rewritten, and the copy read again.

#![no_main]

use std::io::Write;

use blendfile::{BlendFile, Rewrite};
use libfuzzer_sys::fuzz_target;

/// Most blocks that are looked at: the rest are no different.
const MOST_BLOCKS: usize = 2_000;

fuzz_target!(|bytes: &[u8]| {
    let mut input = tempfile::NamedTempFile::new_in("/dev/shm").expect("memory");
    input.write_all(bytes).expect("memory");
    let Ok(mut file) = BlendFile::open(input.path()) else { return };
    let mut rewrite = Rewrite::new();
    let blocks: Vec<_> = file.blocks().iter().take(MOST_BLOCKS).copied().collect();
    for block in blocks {
        let Ok(Some(view)) = file.view(&block) else { continue };
        let _ = (view.string("id.name"), view.integer("flag"), view.pointer("id.lib"));
        assert!(view.datablock_addresses().count() <= 10_000);
        for field in ["name", "filepath", "dir"] {
            if let Some(place) = view.char_array(field) {
                let _ = rewrite.set_string(&mut file, &place, b"//fuzzed");
            }
        }
    }
    let copy = tempfile::NamedTempFile::new_in("/dev/shm").expect("memory");
    if rewrite.write(&mut file, copy.path()).is_ok() {
        let again = BlendFile::open(copy.path()).expect("what was written is read");
        assert_eq!(again.blocks().len(), file.blocks().len());
    }
});
