use std::sync::Arc;

use crate::block::{Block, read_i32, read_u16, read_u32, read_u64};
use crate::dna::{Dna, Field, Struct};
use crate::header::{ByteOrder, Header, PointerWidth};
use crate::payload::Payload;
use crate::place::{CharArray, Integer, Pointer};

/// One struct of a block's payload, read by field names.
///
/// A name is a path: `id.name` goes into the struct that the field `id` holds by value. Every
/// getter is `None` where the file's DNA has no such field or the payload ends before it.
#[derive(Debug, Clone)]
pub struct StructView {
    dna: Arc<Dna>,
    structure: usize,
    block: Block,
    payload: Payload,
    origin: usize,
    byte_order: ByteOrder,
    pointer_width: PointerWidth,
}

impl StructView {
    pub(crate) fn new(
        dna: Arc<Dna>,
        structure: usize,
        block: Block,
        payload: Payload,
        origin: usize,
        header: &Header,
    ) -> Self {
        let (byte_order, pointer_width) = (header.byte_order, header.pointer_width);
        Self { dna, structure, block, payload, origin, byte_order, pointer_width }
    }

    /// The struct's name in C.
    #[must_use]
    pub fn struct_name(&self) -> &str {
        self.structure().map_or("", |structure| &structure.name)
    }

    /// The block that holds it.
    #[must_use]
    pub fn block(&self) -> &Block {
        &self.block
    }

    /// The field at a path, with its offset from the start of the payload.
    #[must_use]
    pub fn field(&self, path: &str) -> Option<Field> {
        let mut structure = self.structure()?;
        let mut start = self.origin;
        let mut parts = path.split('.').peekable();
        while let Some(part) = parts.next() {
            let field = structure.field(part)?;
            if parts.peek().is_none() {
                return Some(Field { offset: start.checked_add(field.offset)?, ..field.clone() });
            }
            if field.is_pointer {
                return None;
            }
            start = start.checked_add(field.offset)?;
            structure = self.dna.struct_named(&field.type_name)?;
        }
        None
    }

    /// Where a char array stands, to be changed by [`crate::Rewrite::set_string`].
    #[must_use]
    pub fn char_array(&self, path: &str) -> Option<CharArray> {
        let field = self.field(path)?;
        (!field.is_pointer && &*field.type_name == "char").then_some(CharArray {
            block: self.block,
            offset: field.offset,
            size_bytes: field.size_bytes,
        })
    }

    /// The bytes of a field.
    #[must_use]
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        let field = self.field(path)?;
        self.payload.bytes().get(field.offset..field.offset.checked_add(field.size_bytes)?)
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
        let order = self.byte_order;
        match &*field.type_name {
            "char" | "int8_t" => {
                self.payload.bytes().get(field.offset).map(|byte| i64::from(byte.cast_signed()))
            }
            "uchar" | "uint8_t" => {
                self.payload.bytes().get(field.offset).map(|byte| i64::from(*byte))
            }
            "short" => read_u16(self.payload.bytes(), field.offset, order)
                .map(|value| i64::from(value.cast_signed())),
            "ushort" => read_u16(self.payload.bytes(), field.offset, order).map(i64::from),
            "int" => read_i32(self.payload.bytes(), field.offset, order).map(i64::from),
            _ => None,
        }
    }

    /// Where a whole number stands, to be changed by [`crate::Rewrite::set_integer`].
    #[must_use]
    pub fn integer_place(&self, path: &str) -> Option<Integer> {
        let field = self.field(path)?;
        let size_bytes = match &*field.type_name {
            "char" | "int8_t" | "uchar" | "uint8_t" => 1,
            "short" | "ushort" => 2,
            "int" => 4,
            _ => return None,
        };
        (!field.is_pointer).then_some(Integer {
            block: self.block,
            offset: field.offset,
            size_bytes,
        })
    }

    /// An address.
    #[must_use]
    pub fn pointer(&self, path: &str) -> Option<u64> {
        let field = self.field(path)?;
        field.is_pointer.then(|| self.pointer_at(field.offset)).flatten()
    }

    /// Where a pointer stands, to be changed by [`crate::Rewrite::clear_pointer`].
    #[must_use]
    pub fn pointer_place(&self, path: &str) -> Option<Pointer> {
        let field = self.field(path)?;
        field.is_pointer.then_some(Pointer { block: self.block, offset: field.offset })
    }

    /// The addresses of datablocks that the struct may hold, zeros left out; with each, whether it
    /// is that of an array of such addresses.
    pub fn datablock_addresses(&self) -> impl Iterator<Item = (u64, bool)> {
        let pointers = self.dna.datablock_pointers(self.structure, self.pointer_width.bytes());
        pointers.iter().filter_map(|pointer| {
            let address = self.pointer_at(self.origin.checked_add(pointer.offset)?)?;
            (address != 0).then_some((address, pointer.is_array))
        })
    }

    /// A payload that is nothing but addresses, as a pointer of an array leads to.
    pub fn addresses(&self, payload: &[u8]) -> impl Iterator<Item = u64> {
        let (width, order) = (self.pointer_width, self.byte_order);
        payload.chunks_exact(width.bytes()).filter_map(move |bytes| match width {
            PointerWidth::Four => read_u32(bytes, 0, order).map(u64::from),
            PointerWidth::Eight => read_u64(bytes, 0, order),
        })
    }

    fn pointer_at(&self, offset: usize) -> Option<u64> {
        match self.pointer_width {
            PointerWidth::Four => {
                read_u32(self.payload.bytes(), offset, self.byte_order).map(u64::from)
            }
            PointerWidth::Eight => read_u64(self.payload.bytes(), offset, self.byte_order),
        }
    }

    fn structure(&self) -> Option<&Struct> {
        self.dna.structs().get(self.structure)
    }
}
