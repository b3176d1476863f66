//! Keys and values as Rust types: what [`Output::emit`](crate::Output::emit) takes and what
//! [`Record::value_as`](crate::Record::value_as) gives.
//!
//! Text is the default for numbers because people read sinks; [`Le64`] is the fast form.

use std::str;

/// What a key or a value can be made of.
///
/// Byte strings and text go out as they are, integers as decimal text, [`Le64`] as eight bytes,
/// `()` as an empty field, and a tuple as its parts, one after the other.
///
/// ```
/// use tidegate_sdk::{Field, Le64};
///
/// let mut bytes = Vec::new();
/// ("count ", -42).append_to(&mut bytes);
/// assert_eq!(bytes, b"count -42");
///
/// let mut bytes = Vec::new();
/// Le64(1_i64).append_to(&mut bytes);
/// assert_eq!(bytes, [1, 0, 0, 0, 0, 0, 0, 0]);
/// ```
pub trait Field {
    /// Appends the bytes of the field to `buffer`, and does nothing else to it.
    fn append_to(&self, buffer: &mut Vec<u8>);
}

/// What a key or a value can be read as.
///
/// ```
/// use tidegate_sdk::{FromField, Le64};
///
/// assert_eq!(i64::from_field(b"-42"), Ok(-42));
/// assert_eq!(<Le64<i64>>::from_field(&[1, 0, 0, 0, 0, 0, 0, 0]), Ok(Le64(1)));
/// assert!(u8::from_field(b"256").unwrap_err().contains("u8"));
/// ```
pub trait FromField: Sized {
    /// Reads the whole field.
    ///
    /// # Errors
    ///
    /// What was expected, as the end of the sentence "the value is not …".
    fn from_field(field: &[u8]) -> Result<Self, String>;
}

/// A 64-bit number as eight little-endian bytes, for an `i64`, a `u64` or an `f64`.
///
/// Half the work of decimal text on both sides, and of fixed width.
///
/// ```
/// use tidegate_sdk::{FromField, Le64};
/// let Le64(sum) = <Le64<f64>>::from_field(&1.5_f64.to_le_bytes())?;
/// assert_eq!(sum, 1.5);
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Le64<T = i64>(pub T);

impl<F: Field + ?Sized> Field for &F {
    #[inline]
    fn append_to(&self, buffer: &mut Vec<u8>) {
        F::append_to(self, buffer);
    }
}

impl Field for [u8] {
    #[inline]
    fn append_to(&self, buffer: &mut Vec<u8>) {
        crate::bytes::append(buffer, self);
    }
}

impl<const N: usize> Field for [u8; N] {
    #[inline]
    fn append_to(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(self);
    }
}

impl Field for Vec<u8> {
    #[inline]
    fn append_to(&self, buffer: &mut Vec<u8>) {
        self.as_slice().append_to(buffer);
    }
}

impl Field for str {
    #[inline]
    fn append_to(&self, buffer: &mut Vec<u8>) {
        self.as_bytes().append_to(buffer);
    }
}

impl Field for String {
    #[inline]
    fn append_to(&self, buffer: &mut Vec<u8>) {
        self.as_bytes().append_to(buffer);
    }
}

impl Field for () {
    #[inline]
    fn append_to(&self, _buffer: &mut Vec<u8>) {}
}

macro_rules! tuple_field {
    ($($part:ident $index:tt),*) => {
        impl<$($part: Field),*> Field for ($($part,)*) {
            #[inline]
            fn append_to(&self, buffer: &mut Vec<u8>) {
                $(self.$index.append_to(buffer);)*
            }
        }
    };
}

tuple_field!(A 0, B 1);
tuple_field!(A 0, B 1, C 2);
tuple_field!(A 0, B 1, C 2, D 3);
tuple_field!(A 0, B 1, C 2, D 3, E 4);

/// Digits of the largest `u64`.
const MAX_DIGITS: usize = 20;

/// The two digits of every number below 100, one pair after the other.
const PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut number = 0_u8;
    while number < 100 {
        pairs[number as usize * 2] = b'0' + number / 10;
        pairs[number as usize * 2 + 1] = b'0' + number % 10;
        number += 1;
    }
    pairs
};

/// Appends `number` in decimal, with a minus sign in front if `negative`.
#[inline]
fn append_decimal(buffer: &mut Vec<u8>, mut number: u64, negative: bool) {
    let mut digits = [0; MAX_DIGITS + 1];
    let mut start = digits.len();
    while number >= 10 {
        let pair = (number % 100) as usize * 2;
        number /= 100;
        start -= 2;
        digits[start..start + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    // What is left is one leading digit, or nothing if the last pair took it.
    if number > 0 || start == digits.len() {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
    } else if digits[start] == b'0' {
        start += 1;
    }
    if negative {
        start -= 1;
        digits[start] = b'-';
    }
    crate::bytes::append(buffer, &digits[start..]);
}

/// Reads decimal digits, with a minus sign in front if `signed`.
#[inline]
fn parse_decimal(field: &[u8], signed: bool) -> Option<(u64, bool)> {
    let (negative, digits) = match field {
        [b'-', digits @ ..] if signed => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > MAX_DIGITS {
        return None;
    }
    let mut number = 0_u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some((number, negative))
}

macro_rules! decimal_field {
    (unsigned $($number:ty),*) => {$(
        impl Field for $number {
            #[inline]
            fn append_to(&self, buffer: &mut Vec<u8>) {
                append_decimal(buffer, *self as u64, false);
            }
        }

        impl FromField for $number {
            #[inline]
            fn from_field(field: &[u8]) -> Result<Self, String> {
                parse_decimal(field, false)
                    .and_then(|(number, _)| <$number>::try_from(number).ok())
                    .ok_or_else(|| not_a_number(stringify!($number)))
            }
        }
    )*};
    (signed $($number:ty),*) => {$(
        impl Field for $number {
            #[inline]
            fn append_to(&self, buffer: &mut Vec<u8>) {
                append_decimal(buffer, self.unsigned_abs() as u64, *self < 0);
            }
        }

        impl FromField for $number {
            #[inline]
            fn from_field(field: &[u8]) -> Result<Self, String> {
                parse_decimal(field, true)
                    .and_then(|(number, negative)| signed(number, negative))
                    .and_then(|number| <$number>::try_from(number).ok())
                    .ok_or_else(|| not_a_number(stringify!($number)))
            }
        }
    )*};
}

decimal_field!(unsigned u8, u16, u32, u64, usize);
decimal_field!(signed i8, i16, i32, i64, isize);

#[inline]
fn signed(number: u64, negative: bool) -> Option<i64> {
    if negative {
        0_i64.checked_sub_unsigned(number)
    } else {
        i64::try_from(number).ok()
    }
}

#[cold]
fn not_a_number(kind: &str) -> String {
    format!("a decimal number of type {kind}")
}

macro_rules! le64_field {
    ($($number:ty),*) => {$(
        impl Field for Le64<$number> {
            #[inline]
            fn append_to(&self, buffer: &mut Vec<u8>) {
                buffer.extend_from_slice(&self.0.to_le_bytes());
            }
        }

        impl FromField for Le64<$number> {
            #[inline]
            fn from_field(field: &[u8]) -> Result<Self, String> {
                match <[u8; 8]>::try_from(field) {
                    Ok(bytes) => Ok(Self(<$number>::from_le_bytes(bytes))),
                    Err(_) => Err(not_eight_bytes(field.len())),
                }
            }
        }
    )*};
}

le64_field!(i64, u64, f64);

#[cold]
fn not_eight_bytes(length: usize) -> String {
    format!("eight little-endian bytes but {length}")
}

impl FromField for f64 {
    fn from_field(field: &[u8]) -> Result<Self, String> {
        let text = str::from_utf8(field).ok();
        text.and_then(|text| text.parse().ok())
            .ok_or_else(|| not_a_number("f64"))
    }
}

impl FromField for String {
    fn from_field(field: &[u8]) -> Result<Self, String> {
        str::from_utf8(field)
            .map(str::to_owned)
            .map_err(|_| "UTF-8 text".to_owned())
    }
}

impl FromField for Vec<u8> {
    fn from_field(field: &[u8]) -> Result<Self, String> {
        Ok(field.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(field: impl Field) -> String {
        let mut buffer = Vec::new();
        field.append_to(&mut buffer);
        String::from_utf8(buffer).expect("numbers are text")
    }

    #[test]
    fn numbers_at_the_edges_are_written_as_rust_writes_them() {
        for number in [
            i64::MIN,
            -100,
            -99,
            -10,
            -1,
            0,
            1,
            9,
            10,
            99,
            100,
            101,
            i64::MAX,
        ] {
            assert_eq!(text(number), number.to_string());
        }
        assert_eq!(text(u64::MAX), u64::MAX.to_string());
        assert_eq!(text(i8::MIN), "-128");
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        let refused: [&[u8]; 8] = [
            b"",
            b"-",
            b"+1",
            b" 1",
            b"1 ",
            b"1.0",
            b"--1",
            b"99999999999999999999",
        ];
        for field in refused {
            assert!(i64::from_field(field).is_err(), "{field:?}");
        }
        assert_eq!(i64::from_field(b"-9223372036854775808"), Ok(i64::MIN));
        assert!(i64::from_field(b"9223372036854775808").is_err());
        assert!(u64::from_field(b"-1").is_err());
        assert_eq!(u64::from_field(b"18446744073709551615"), Ok(u64::MAX));
        assert!(u64::from_field(b"18446744073709551616").is_err());
    }

    proptest! {
        #[test]
        fn a_number_written_is_the_number_read(number: i64, unsigned: u64, small: i16) {
            prop_assert_eq!(text(number), number.to_string());
            prop_assert_eq!(i64::from_field(text(number).as_bytes()), Ok(number));
            prop_assert_eq!(text(unsigned), unsigned.to_string());
            prop_assert_eq!(u64::from_field(text(unsigned).as_bytes()), Ok(unsigned));
            prop_assert_eq!(i16::from_field(text(small).as_bytes()), Ok(small));
        }

        #[test]
        fn any_bytes_are_a_number_or_are_refused(field: Vec<u8>) {
            let text = str::from_utf8(&field).unwrap_or("");
            let expected = text.parse::<i64>().ok().filter(|_| !text.starts_with('+'));
            prop_assert_eq!(i64::from_field(&field).ok(), expected);
        }
    }
}
