use crate::block::{read_i32, read_u16, read_u32, read_u64};
use crate::dna::{Dna, Field, Struct};
use crate::header::{ByteOrder, PointerWidth};

/// A block's payload, read by field names.
///
/// A name is a path: `id.name` goes into the struct that the field `id` holds by value. Every
/// getter is `None` where the file's DNA has no such field or the payload ends before it.
#[derive(Debug)]
pub struct StructView<'a> {
    dna: &'a Dna,
    structure: &'a Struct,
    payload: Vec<u8>,
    byte_order: ByteOrder,
    pointer_width: PointerWidth,
}

impl<'a> StructView<'a> {
    pub(crate) fn new(
        dna: &'a Dna,
        structure: &'a Struct,
        payload: Vec<u8>,
        byte_order: ByteOrder,
        pointer_width: PointerWidth,
    ) -> Self {
        Self { dna, structure, payload, byte_order, pointer_width }
    }

    /// The struct's name in C.
    #[must_use]
    pub fn struct_name(&self) -> &str {
        &self.structure.name
    }

    /// The field at a path, with its offset from the start of the payload.
    #[must_use]
    pub fn field(&self, path: &str) -> Option<Field> {
        let mut structure = self.structure;
        let mut start = 0;
        let mut parts = path.split('.').peekable();
        while let Some(part) = parts.next() {
            let field = structure.field(part)?;
            if parts.peek().is_none() {
                return Some(Field { offset: start + field.offset, ..field.clone() });
            }
            if field.is_pointer {
                return None;
            }
            start += field.offset;
            structure = self.dna.struct_named(&field.type_name)?;
        }
        None
    }

    /// The bytes of a field.
    #[must_use]
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        let field = self.field(path)?;
        self.payload.get(field.offset..field.offset.checked_add(field.size_bytes)?)
    }

    /// A char array up to its first zero, as bytes: Blender's paths need not be UTF-8.
    #[must_use]
    pub fn string(&self, path: &str) -> Option<Vec<u8>> {
        let bytes = self.bytes(path)?;
        Some(bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec())
    }

    /// A whole number of one, two or four bytes.
    #[must_use]
    pub fn integer(&self, path: &str) -> Option<i64> {
        let field = self.field(path)?;
        match field.type_name.as_str() {
            "char" => self.payload.get(field.offset).map(|byte| i64::from(byte.cast_signed())),
            "uchar" | "int8_t" => self.payload.get(field.offset).map(|byte| i64::from(*byte)),
            "short" => read_u16(&self.payload, field.offset, self.byte_order)
                .map(|value| i64::from(value.cast_signed())),
            "ushort" => read_u16(&self.payload, field.offset, self.byte_order).map(i64::from),
            "int" => read_i32(&self.payload, field.offset, self.byte_order).map(i64::from),
            _ => None,
        }
    }

    /// An address.
    #[must_use]
    pub fn pointer(&self, path: &str) -> Option<u64> {
        let field = self.field(path)?;
        if !field.is_pointer {
            return None;
        }
        match self.pointer_width {
            PointerWidth::Four => {
                read_u32(&self.payload, field.offset, self.byte_order).map(u64::from)
            }
            PointerWidth::Eight => read_u64(&self.payload, field.offset, self.byte_order),
        }
    }
}
