use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use foldhash::{HashMap, HashMapExt};

use crate::block::{read_u16, read_u32};
use crate::error::{BlendError, Result};
use crate::header::{ByteOrder, PointerWidth};
use crate::limits;

/// The file's own description of its structs: the payload of its `DNA1` block.
///
/// | part   | content                                                                |
/// |--------|------------------------------------------------------------------------|
/// | `SDNA` | magic                                                                  |
/// | `NAME` | count, then that many zero-terminated names: `*next`, `filepath[1024]` |
/// | `TYPE` | count, then that many zero-terminated type names                       |
/// | `TLEN` | for each type, its size in bytes, 2 bytes each                         |
/// | `STRC` | count, then for each: type, field count, and (type, name) per field    |
///
/// Each part begins at a multiple of four bytes. Source: `dna_genfile.cc`, Blender 5.0.
#[derive(Debug)]
pub struct Dna {
    pub(crate) structs: Vec<Struct>,
    pub(crate) by_name: HashMap<String, usize>,
    pub(crate) datablock_pointers: Vec<OnceLock<Vec<DatablockPointer>>>,
}

/// A struct of the DNA.
#[derive(Debug)]
pub struct Struct {
    /// Its name in C: `Image`, `Library`, …
    pub name: String,
    /// Its size in bytes.
    pub size_bytes: usize,
    pub(crate) fields: HashMap<String, Field>,
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name of its type: `char`, `ID`, `short`, …
    pub type_name: Arc<str>,
    /// Where it begins in the struct, in bytes.
    pub offset: usize,
    /// Its size in bytes, all array elements together.
    pub size_bytes: usize,
    /// Whether it holds addresses instead of values.
    pub is_pointer: bool,
    /// Whether those addresses are of pointers: `**mat`.
    pub is_pointer_to_pointers: bool,
}

/// Where a struct can hold the address of a datablock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatablockPointer {
    /// Where the pointer begins in the struct, in bytes.
    pub offset: usize,
    /// Whether it leads to an array of such pointers: `Material **mat`.
    pub is_array: bool,
}

impl Struct {
    /// The field of that name, written without `*` and `[…]`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.get(name)
    }
}

impl Dna {
    /// Reads a DNA block's payload; `offset` is where it begins in the file, for messages.
    ///
    /// # Errors
    /// [`BlendError::Damaged`] or [`BlendError::TooLarge`], with the offset of what is wrong.
    pub fn parse(
        bytes: &[u8],
        offset: u64,
        path: &Path,
        byte_order: ByteOrder,
        pointer_width: PointerWidth,
    ) -> Result<Self> {
        let mut cursor = Cursor { bytes, at: 0, offset, path, byte_order };
        cursor.tag(*b"SDNA")?;
        cursor.tag(*b"NAME")?;
        let names = cursor.strings("names")?;
        cursor.tag(*b"TYPE")?;
        let types: Vec<Arc<str>> = cursor.strings("types")?.into_iter().map(Arc::from).collect();
        cursor.tag(*b"TLEN")?;
        let mut sizes = Vec::with_capacity(types.len());
        for _ in &types {
            sizes.push(usize::from(cursor.u16()?));
        }
        cursor.tag(*b"STRC")?;
        let struct_count = cursor.count("structs")?;
        let mut dna =
            Self { structs: Vec::new(), by_name: HashMap::new(), datablock_pointers: Vec::new() };
        let mut field_budget = limits::DNA_COUNT;
        for _ in 0..struct_count {
            let type_index = cursor.index("a type", types.len())?;
            let field_count = cursor.u16()?;
            field_budget = field_budget.checked_sub(u32::from(field_count)).ok_or_else(|| {
                cursor.too_large("the count of fields", u64::from(limits::DNA_COUNT) + 1)
            })?;
            let mut fields = HashMap::with_capacity(usize::from(field_count));
            let mut at = 0_usize;
            for _ in 0..field_count {
                let field_type = cursor.index("a type", types.len())?;
                let declared = cursor.index("a name", names.len())?;
                let (Some(type_name), Some(type_size), Some(declared)) =
                    (types.get(field_type), sizes.get(field_type), names.get(declared))
                else {
                    continue;
                };
                let is_pointer = declared.starts_with('*') || declared.starts_with("(*");
                let element = if is_pointer { pointer_width.bytes() } else { *type_size };
                let size_bytes = array_length(declared)
                    .and_then(|length| length.checked_mul(element))
                    .filter(|size| at.checked_add(*size).is_some())
                    .ok_or_else(|| {
                        cursor.damaged("a field that fits in memory", declared.clone())
                    })?;
                let name = declared
                    .trim_start_matches(['*', '('])
                    .split(['[', ')'])
                    .next()
                    .unwrap_or_default();
                fields.insert(
                    name.to_owned(),
                    Field {
                        type_name: Arc::clone(type_name),
                        offset: at,
                        size_bytes,
                        is_pointer,
                        is_pointer_to_pointers: declared.starts_with("**"),
                    },
                );
                at += size_bytes;
            }
            let name = types.get(type_index).map(ToString::to_string).unwrap_or_default();
            dna.by_name.insert(name.clone(), dna.structs.len());
            dna.structs.push(Struct { name, size_bytes: at, fields });
            dna.datablock_pointers.push(OnceLock::new());
        }
        Ok(dna)
    }

    /// The struct of that name.
    #[must_use]
    pub fn struct_named(&self, name: &str) -> Option<&Struct> {
        self.structs.get(*self.by_name.get(name)?)
    }

    /// Every struct, in the order by which blocks name them.
    #[must_use]
    pub fn structs(&self) -> &[Struct] {
        &self.structs
    }
}

/// The descriptions of the files read so far. Files of one Blender have the same, and reading it
/// costs more than all else in a small file.
#[derive(Debug, Default)]
pub struct DnaCache {
    known: Mutex<Vec<(Vec<u8>, Arc<Dna>)>>,
}

impl DnaCache {
    /// The most descriptions kept: more than Blender has had releases in a production's time.
    const KEPT: usize = 16;

    pub(crate) fn get_or_parse(
        &self,
        payload: Vec<u8>,
        parse: impl FnOnce(&[u8]) -> Result<Dna>,
    ) -> Result<Arc<Dna>> {
        // A thread that panicked with the lock held cannot have left half an entry.
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, dna)) = lock().iter().find(|(known, _)| *known == payload) {
            return Ok(Arc::clone(dna));
        }
        let dna = Arc::new(parse(&payload)?);
        let mut known = lock();
        if known.len() == Self::KEPT {
            known.remove(0);
        }
        known.push((payload, Arc::clone(&dna)));
        Ok(dna)
    }
}

/// `filepath[1024]` is 1024, `mat[4][4]` is 16, `next` is 1; `None` where that is not a number.
fn array_length(declared: &str) -> Option<usize> {
    let mut length = 1_usize;
    for part in declared.split('[').skip(1) {
        length = length.checked_mul(part.split(']').next()?.parse().ok()?)?;
    }
    Some(length)
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    offset: u64,
    path: &'a Path,
    byte_order: ByteOrder,
}

impl Cursor<'_> {
    fn tag(&mut self, tag: [u8; 4]) -> Result<()> {
        self.at = self.at.next_multiple_of(4);
        let got = self.bytes.get(self.at..self.at + 4).unwrap_or_default();
        if got != tag {
            return Err(self.damaged(
                &format!("\"{}\" in the DNA", tag.escape_ascii()),
                format!("\"{}\"", got.escape_ascii()),
            ));
        }
        self.at += 4;
        Ok(())
    }

    fn count(&mut self, what: &'static str) -> Result<u32> {
        let count = read_u32(self.bytes, self.at, self.byte_order).ok_or_else(|| {
            self.damaged(&format!("a count of {what}"), "the end of the DNA".into())
        })?;
        if count > limits::DNA_COUNT {
            return Err(self.too_large(what, u64::from(count)));
        }
        self.at += 4;
        Ok(count)
    }

    fn u16(&mut self) -> Result<u16> {
        let value = read_u16(self.bytes, self.at, self.byte_order)
            .ok_or_else(|| self.damaged("two bytes", "the end of the DNA".into()))?;
        self.at += 2;
        Ok(value)
    }

    fn index(&mut self, what: &str, length: usize) -> Result<usize> {
        let index = usize::from(self.u16()?);
        if index >= length {
            return Err(self.damaged(&format!("{what} below {length}"), index.to_string()));
        }
        Ok(index)
    }

    fn strings(&mut self, what: &'static str) -> Result<Vec<String>> {
        let count = self.count(what)?;
        let mut strings = Vec::new();
        for _ in 0..count {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(end) = rest.iter().position(|byte| *byte == 0) else {
                return Err(
                    self.damaged(&format!("{count} {what}"), format!("{} of them", strings.len()))
                );
            };
            strings.push(String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned());
            self.at += end + 1;
        }
        Ok(strings)
    }

    fn damaged(&self, expected: &str, got: String) -> BlendError {
        BlendError::damaged(self.path, self.offset + self.at as u64, expected, got)
    }

    fn too_large(&self, what: &'static str, got: u64) -> BlendError {
        BlendError::TooLarge {
            path: self.path.to_owned(),
            offset: self.offset + self.at as u64,
            what,
            got,
            limit: u64::from(limits::DNA_COUNT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::array_length;

    #[test]
    fn array_lengths_multiply_and_nonsense_is_refused() {
        assert_eq!(array_length("filepath[1024]"), Some(1024));
        assert_eq!(array_length("mat[4][4]"), Some(16));
        assert_eq!(array_length("*next"), Some(1));
        assert_eq!(array_length("name[x]"), None);
        assert_eq!(array_length("name[99999999999999999999]"), None);
    }
}
