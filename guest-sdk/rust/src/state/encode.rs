//! Barrier path: keyed state → [the bytes of a value] → chunk.
//!
//! Writes values in postcard's wire format, version 1. A snapshot writes every value of the state
//! while records wait, and postcard's own serialiser makes an integer byte by byte, with a check of
//! the engine's clock at each byte; here an integer is one word. Invariant: the bytes are those of
//! `postcard::to_vec`, which the tests check for every kind of value, except that every NaN is
//! written with the same bits: languages without access to those bits must write the same state.
//! Postcard itself reads the values.

use postcard::{Error, Result};
use serde::Serialize;
use serde::ser::{self, Serializer};

use crate::bytes;

/// Numbers below 2^56 have at most eight groups of seven bits.
const WORD_BITS: u32 = 56;

/// The bits of every NaN.
const NAN_32: u32 = 0x7fc0_0000;
const NAN_64: u64 = 0x7ff8_0000_0000_0000;

/// Appends a value to `buffer`. A failure leaves a part of the value behind.
///
/// # Errors
///
/// Postcard's error for a sequence or map of unknown length, and the error of the type itself.
#[inline]
pub(crate) fn append_value<T: Serialize>(buffer: &mut Vec<u8>, value: &T) -> Result<()> {
    value.serialize(&mut Encoder(buffer))
}

/// Appends a number as LEB128 in its shortest form: seven bits a byte, the lowest first.
#[inline(always)]
pub(crate) fn append_varint(buffer: &mut Vec<u8>, number: u64) {
    if number < 0x80 {
        buffer.push(number.to_le_bytes()[0]);
    } else if number >> WORD_BITS == 0 {
        let groups = spread(number);
        let length = (u64::BITS - groups.leading_zeros()).div_ceil(8);
        // The high bit of every byte but the last.
        let more = 0x8080_8080_8080_8080 & ((1 << (8 * (length - 1))) - 1);
        bytes::append_word(buffer, groups | more, length as usize);
    } else {
        append_long_varint(buffer, number.into());
    }
}

/// Returns the eight lowest groups of seven bits, each in a byte of its own.
#[inline(always)]
fn spread(number: u64) -> u64 {
    let halves = (number & 0x0fff_ffff) | ((number & 0x00ff_ffff_f000_0000) << 4);
    let quarters = (halves & 0x0000_3fff_0000_3fff) | ((halves & 0x0fff_c000_0fff_c000) << 2);
    (quarters & 0x007f_007f_007f_007f) | ((quarters & 0x3f80_3f80_3f80_3f80) << 1)
}

#[cold]
#[inline(never)]
fn append_long_varint(buffer: &mut Vec<u8>, mut number: u128) {
    while number >= 0x80 {
        buffer.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    buffer.push(number.to_le_bytes()[0]);
}

/// Maps small numbers of either sign to small unsigned numbers.
#[inline(always)]
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

/// Postcard's serialiser, which appends to a buffer.
struct Encoder<'a>(&'a mut Vec<u8>);

impl Encoder<'_> {
    #[inline]
    fn length(&mut self, length: usize) {
        append_varint(self.0, length as u64);
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        bytes::append(self.0, bytes);
    }
}

impl Serializer for &mut Encoder<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<()> {
        self.serialize_u8(value.into())
    }

    #[inline]
    fn serialize_i8(self, value: i8) -> Result<()> {
        self.serialize_u8(value.cast_unsigned())
    }

    #[inline]
    fn serialize_i16(self, value: i16) -> Result<()> {
        self.serialize_i64(value.into())
    }

    #[inline]
    fn serialize_i32(self, value: i32) -> Result<()> {
        self.serialize_i64(value.into())
    }

    #[inline]
    fn serialize_i64(self, value: i64) -> Result<()> {
        self.serialize_u64(zigzag(value))
    }

    fn serialize_i128(self, value: i128) -> Result<()> {
        self.serialize_u128(((value << 1) ^ (value >> 127)).cast_unsigned())
    }

    #[inline]
    fn serialize_u8(self, value: u8) -> Result<()> {
        self.0.push(value);
        Ok(())
    }

    #[inline]
    fn serialize_u16(self, value: u16) -> Result<()> {
        self.serialize_u64(value.into())
    }

    #[inline]
    fn serialize_u32(self, value: u32) -> Result<()> {
        self.serialize_u64(value.into())
    }

    #[inline]
    fn serialize_u64(self, value: u64) -> Result<()> {
        append_varint(self.0, value);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<()> {
        append_long_varint(self.0, value);
        Ok(())
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<()> {
        let bits = if value.is_nan() {
            NAN_32
        } else {
            value.to_bits()
        };
        self.0.extend_from_slice(&bits.to_le_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<()> {
        let bits = if value.is_nan() {
            NAN_64
        } else {
            value.to_bits()
        };
        self.0.extend_from_slice(&bits.to_le_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<()> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<()> {
        self.serialize_bytes(value.as_bytes())
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result<()> {
        self.bytes(value);
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Result<()> {
        self.serialize_u8(0)
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        self.0.push(1);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Result<()> {
        self.serialize_u32(index)
    }

    #[inline]
    fn serialize_newtype_struct<T>(self, _name: &'static str, value: &T) -> Result<()>
    where
        T: Serialize + ?Sized,
    {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        value: &T,
    ) -> Result<()> {
        append_varint(self.0, index.into());
        value.serialize(self)
    }

    #[inline]
    fn serialize_seq(self, length: Option<usize>) -> Result<Self> {
        self.length(length.ok_or(Error::SerializeSeqLengthUnknown)?);
        Ok(self)
    }

    #[inline]
    fn serialize_tuple(self, _length: usize) -> Result<Self> {
        Ok(self)
    }

    #[inline]
    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Self> {
        Ok(self)
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self> {
        append_varint(self.0, index.into());
        Ok(self)
    }

    #[inline]
    fn serialize_map(self, length: Option<usize>) -> Result<Self> {
        self.serialize_seq(length)
    }

    #[inline]
    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Self> {
        Ok(self)
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self> {
        self.serialize_tuple_variant(name, index, variant, length)
    }
}

/// Serialises the parts of a value one after the other, with nothing between them.
macro_rules! parts {
    ($trait:ident, $method:ident) => {
        impl ser::$trait for &mut Encoder<'_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<()> {
                Ok(())
            }
        }
    };
}

/// Does the same for parts with names, which are not written.
macro_rules! named_parts {
    ($trait:ident) => {
        impl ser::$trait for &mut Encoder<'_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn serialize_field<T>(&mut self, _name: &'static str, value: &T) -> Result<()>
            where
                T: Serialize + ?Sized,
            {
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<()> {
                Ok(())
            }
        }
    };
}

parts!(SerializeSeq, serialize_element);
parts!(SerializeTuple, serialize_element);
parts!(SerializeTupleStruct, serialize_field);
parts!(SerializeTupleVariant, serialize_field);
named_parts!(SerializeStruct);
named_parts!(SerializeStructVariant);

impl ser::SerializeMap for &mut Encoder<'_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        key.serialize(&mut **self)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
