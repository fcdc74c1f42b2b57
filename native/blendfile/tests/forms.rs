//! Files of every form, built by hand: what is read, what is rewritten, and what damage does.

#![expect(clippy::unwrap_used, reason = "what builds the files may panic in a test")]

use std::io::Write;
use std::path::Path;

use blendfile::{BlendError, BlendFile, Block, BlockCode, ByteOrder, Compression, Rewrite};
use proptest::prelude::*;

/// The size of `Image.name` in the files built here.
const PATH_BYTES: usize = 64;

/// A form of file: pointers of 4 or 8 bytes, either byte order, block headers old or new.
#[derive(Debug, Clone, Copy)]
struct Form {
    magic: &'static str,
    large: bool,
    wide: bool,
    order: ByteOrder,
}

const FORMS: [Form; 5] = [
    Form { magic: "BLENDER_v249", large: false, wide: false, order: ByteOrder::Little },
    Form { magic: "BLENDER_V249", large: false, wide: false, order: ByteOrder::Big },
    Form { magic: "BLENDER-v405", large: false, wide: true, order: ByteOrder::Little },
    Form { magic: "BLENDER-V279", large: false, wide: true, order: ByteOrder::Big },
    Form { magic: "BLENDER17-01v0502", large: true, wide: true, order: ByteOrder::Little },
];

impl Form {
    fn u16(self, value: u16) -> Vec<u8> {
        match self.order {
            ByteOrder::Little => value.to_le_bytes().to_vec(),
            ByteOrder::Big => value.to_be_bytes().to_vec(),
        }
    }

    fn u32(self, value: u32) -> Vec<u8> {
        match self.order {
            ByteOrder::Little => value.to_le_bytes().to_vec(),
            ByteOrder::Big => value.to_be_bytes().to_vec(),
        }
    }

    fn u64(self, value: u64) -> Vec<u8> {
        match self.order {
            ByteOrder::Little => value.to_le_bytes().to_vec(),
            ByteOrder::Big => value.to_be_bytes().to_vec(),
        }
    }

    fn block(self, code: [u8; 4], address: u32, structure: u32, payload: &[u8]) -> Vec<u8> {
        let size = u32::try_from(payload.len()).unwrap();
        let mut bytes = code.to_vec();
        if let (ByteOrder::Big, [first, second, 0, 0]) = (self.order, code) {
            bytes = vec![0, 0, first, second];
        }
        if self.large {
            bytes.extend(self.u32(structure));
            bytes.extend(self.u64(address.into()));
            bytes.extend(self.u64(size.into()));
            bytes.extend(self.u64(1));
        } else {
            bytes.extend(self.u32(size));
            bytes.extend(if self.wide { self.u64(address.into()) } else { self.u32(address) });
            bytes.extend(self.u32(structure));
            bytes.extend(self.u32(1));
        }
        bytes.extend(payload);
        bytes
    }

    /// `struct Image { char id[8]; Image *next; char name[64]; short source; }`
    fn dna(self) -> Vec<u8> {
        let name = format!("name[{PATH_BYTES}]");
        let pointer = if self.wide { 8 } else { 4 };
        let image = u16::try_from(8 + pointer + PATH_BYTES + 2).unwrap();
        let mut bytes = b"SDNANAME".to_vec();
        let strings = |bytes: &mut Vec<u8>, strings: &[&str]| {
            bytes.extend(self.u32(u32::try_from(strings.len()).unwrap()));
            for text in strings {
                bytes.extend(text.as_bytes());
                bytes.push(0);
            }
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        };
        strings(&mut bytes, &["id[8]", "*next", &name, "source"]);
        bytes.extend(b"TYPE");
        strings(&mut bytes, &["char", "short", "Image"]);
        bytes.extend(b"TLEN");
        for size in [1, 2, image] {
            bytes.extend(self.u16(size));
        }
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(b"STRC");
        bytes.extend(self.u32(1));
        for value in [2, 4, 0, 0, 2, 1, 0, 2, 1, 3] {
            bytes.extend(self.u16(value));
        }
        bytes
    }

    fn file(self, path: &[u8], text: &[u8]) -> Vec<u8> {
        let mut image = b"IMwood\0\0".to_vec();
        image.extend(if self.wide { self.u64(77) } else { self.u32(77) });
        image.extend(path);
        image.resize(image.len() + PATH_BYTES - path.len(), 0);
        image.extend(self.u16(0xfffe));
        let mut bytes = self.magic.as_bytes().to_vec();
        bytes.extend(self.block(*b"IM\0\0", 11, 0, &image));
        bytes.extend(self.block(*b"DATA", 77, 0, text));
        bytes.extend(self.block(*b"DNA1", 1, 0, &self.dna()));
        bytes.extend(self.block(*b"ENDB", 0, 0, b""));
        bytes
    }
}

fn open(folder: &Path, bytes: &[u8]) -> blendfile::Result<BlendFile> {
    let path = folder.join("file.blend");
    std::fs::write(&path, bytes).unwrap();
    BlendFile::open(&path)
}

fn image_path(file: &mut BlendFile) -> Vec<u8> {
    let block = file.blocks_of(BlockCode::datablock(*b"IM")).next().unwrap();
    file.view(&block).unwrap().unwrap().string("name").unwrap()
}

#[test]
fn fields_are_found_in_every_form_and_compression() {
    let folder = tempfile::tempdir().unwrap();
    for form in FORMS {
        let plain = form.file(b"//wood.png", b"text\0");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&plain).unwrap();
        for (bytes, compression) in [
            (plain.clone(), Compression::None),
            (gzip.finish().unwrap(), Compression::Gzip),
            (zstd::encode_all(&*plain, 1).unwrap(), Compression::Zstandard),
        ] {
            let mut file = open(folder.path(), &bytes).unwrap();
            assert_eq!(file.compression(), compression);
            assert_eq!(image_path(&mut file), b"//wood.png", "{form:?}");
            let block = file.blocks_of(BlockCode::datablock(*b"IM")).next().unwrap();
            let view = file.view(&block).unwrap().unwrap();
            assert_eq!(view.integer("source"), Some(-2), "{form:?}");
            assert_eq!(view.pointer("next"), Some(77), "{form:?}");
            assert_eq!(view.integer("no_such_field"), None);
            assert_eq!(file.blocks_of(BlockCode::DATA).next().unwrap().code, BlockCode::DATA);
        }
    }
}

#[test]
fn a_path_that_does_not_fit_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = open(folder.path(), &FORMS[4].file(b"//a", b"")).unwrap();
    let block = file.blocks_of(BlockCode::datablock(*b"IM")).next().unwrap();
    let place = file.view(&block).unwrap().unwrap().char_array("name").unwrap();
    let error = Rewrite::new().set_string(&mut file, &place, &[b'x'; PATH_BYTES]).unwrap_err();
    assert!(matches!(error, BlendError::PathTooLong { capacity: 63, .. }), "{error}");
}

proptest! {
    #[test]
    fn what_is_rewritten_is_read_and_the_rest_stays(
        form in 0..FORMS.len(),
        path in prop::collection::vec(1_u8.., 0..PATH_BYTES),
        text in prop::collection::vec(1_u8.., 0..300),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut file = open(folder.path(), &FORMS[form].file(b"//wood.png", b"old\0")).unwrap();
        let image = file.blocks_of(BlockCode::datablock(*b"IM")).next().unwrap();
        let data = file.blocks_of(BlockCode::DATA).next().unwrap();
        let mut rewrite = Rewrite::new();
        let place = file.view(&image).unwrap().unwrap().char_array("name").unwrap();
        rewrite.set_string(&mut file, &place, &path).unwrap();
        rewrite.replace_string_block(&data, &text);
        let to = folder.path().join("copy.blend");
        rewrite.write(&mut file, &to).unwrap();

        let mut copy = BlendFile::open(&to).unwrap();
        prop_assert_eq!(image_path(&mut copy), path);
        let data = copy.blocks_of(BlockCode::DATA).next().unwrap();
        prop_assert_eq!(copy.payload(&data).unwrap(), [&*text, b"\0"].concat());
        let image = copy.blocks_of(BlockCode::datablock(*b"IM")).next().unwrap();
        prop_assert_eq!(copy.view(&image).unwrap().unwrap().integer("source"), Some(-2));
        prop_assert_eq!(copy.blocks().len(), file.blocks().len());
    }

    #[test]
    fn what_is_written_in_frames_is_read_at_random(
        size in 0_usize..3_000_000,
        reads in prop::collection::vec((any::<prop::sample::Index>(), 1_usize..100_000), 1..8),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let form = FORMS[4];
        let text: Vec<u8> = (0..size).map(|at| u8::try_from(at / 7 % 251 + 1).unwrap()).collect();
        let mut file = open(folder.path(), &form.file(b"//a", &text)).unwrap();
        let to = folder.path().join("copy.blend");
        Rewrite::new().write(&mut file, &to).unwrap();
        let mut copy = BlendFile::open(&to).unwrap();
        let data = copy.blocks_of(BlockCode::DATA).next().unwrap();
        for (at, length) in reads {
            let at = at.index(size + 1);
            let piece = Block {
                payload_offset: data.payload_offset + at as u64,
                size_bytes: length.min(size - at) as u64,
                ..data
            };
            let expected = &text[at..at + length.min(size - at)];
            prop_assert_eq!(&copy.payload(&piece).unwrap()[..], expected);
        }
    }

    #[test]
    fn damage_is_an_error_or_a_result_and_never_a_panic(
        form in 0..FORMS.len(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 1..20),
        keep in any::<prop::sample::Index>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = FORMS[form].file(b"//wood.png", b"text\0");
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        bytes.truncate(keep.index(bytes.len()) + 1);
        if let Ok(mut file) = open(folder.path(), &bytes) {
            for block in file.blocks().to_vec() {
                let _ = file.view(&block).map(|view| view.map(|view| view.string("name")));
            }
        }
    }
}
