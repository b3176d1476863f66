//! Keys and values as Rust types, which [`Output::emit`](crate::Output::emit) takes and
//! [`Record::value_as`](crate::Record::value_as) returns.
//!
//! Text is the default for numbers because people read sinks; [`Le64`] is the fast form.

use std::str;

use crate::bytes::append_word;

/// A type that a key or a value can be made of.
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

    /// Returns the bytes of the field if its type always has eight, so that two fields are appended
    /// at once.
    #[doc(hidden)]
    #[inline(always)]
    fn word(&self) -> Option<[u8; 8]> {
        None
    }
}

/// A type that a key or a value can be read as.
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
    /// The expectation, as the end of the sentence "the value is not …".
    fn from_field(field: &[u8]) -> Result<Self, String>;
}

/// A 64-bit number as eight little-endian bytes, for an `i64`, a `u64` or an `f64`.
///
/// It costs half the work of decimal text on both sides, and has a fixed width.
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
    #[inline(always)]
    fn append_to(&self, buffer: &mut Vec<u8>) {
        F::append_to(self, buffer);
    }

    #[inline(always)]
    fn word(&self) -> Option<[u8; 8]> {
        F::word(self)
    }
}

impl Field for [u8] {
    #[inline(always)]
    fn append_to(&self, buffer: &mut Vec<u8>) {
        crate::bytes::append(buffer, self);
    }
}

impl<const N: usize> Field for [u8; N] {
    #[inline(always)]
    fn append_to(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(self);
    }
}

impl Field for Vec<u8> {
    #[inline(always)]
    fn append_to(&self, buffer: &mut Vec<u8>) {
        self.as_slice().append_to(buffer);
    }
}

impl Field for str {
    #[inline(always)]
    fn append_to(&self, buffer: &mut Vec<u8>) {
        self.as_bytes().append_to(buffer);
    }
}

impl Field for String {
    #[inline(always)]
    fn append_to(&self, buffer: &mut Vec<u8>) {
        self.as_bytes().append_to(buffer);
    }
}

impl Field for () {
    #[inline(always)]
    fn append_to(&self, _buffer: &mut Vec<u8>) {}
}

macro_rules! tuple_field {
    ($($part:ident $index:tt),*) => {
        impl<$($part: Field),*> Field for ($($part,)*) {
            #[inline(always)]
            fn append_to(&self, buffer: &mut Vec<u8>) {
                $(self.$index.append_to(buffer);)*
            }
        }
    };
}

impl<A: Field, B: Field> Field for (A, B) {
    #[inline(always)]
    fn append_to(&self, buffer: &mut Vec<u8>) {
        if let (Some(first), Some(second)) = (self.0.word(), self.1.word()) {
            // Room for both parts is checked once.
            let [first, second] = [first, second].map(u64::from_le_bytes);
            let both = u128::from(second) << 64 | u128::from(first);
            buffer.extend_from_slice(&both.to_le_bytes());
        } else {
            self.0.append_to(buffer);
            self.1.append_to(buffer);
        }
    }
}

tuple_field!(A 0, B 1, C 2);
tuple_field!(A 0, B 1, C 2, D 3);
tuple_field!(A 0, B 1, C 2, D 3, E 4);

/// The smallest number whose digits do not fit in a word.
const WORD_DIGITS: u64 = 100_000_000;

/// Appends `number` in decimal, with a minus sign in front if `negative`.
#[inline]
fn append_decimal(buffer: &mut Vec<u8>, number: u64, negative: bool) {
    if negative {
        buffer.push(b'-');
    }
    if number < WORD_DIGITS {
        append_leading(buffer, number);
        return;
    }
    let (high, low) = (number / WORD_DIGITS, number % WORD_DIGITS);
    if high < WORD_DIGITS {
        append_leading(buffer, high);
    } else {
        append_leading(buffer, high / WORD_DIGITS);
        append_word(buffer, eight_digits(high % WORD_DIGITS) | ASCII_ZEROS, 8);
    }
    append_word(buffer, eight_digits(low) | ASCII_ZEROS, 8);
}

/// Eight times the digit 0.
const ASCII_ZEROS: u64 = u64::from_le_bytes(*b"00000000");

/// Appends a number below 10^8 without leading zeros.
#[inline]
fn append_leading(buffer: &mut Vec<u8>, number: u64) {
    let digits = eight_digits(number);
    // The first digit is in the lowest byte; the number 0 keeps one digit.
    let leading_zeros = (digits.trailing_zeros() / 8).min(7);
    let text = (digits | ASCII_ZEROS) >> (leading_zeros * 8);
    append_word(buffer, text, 8 - leading_zeros as usize);
}

/// Returns the eight digits of a number below 10^8, one per byte, the first in the lowest byte.
/// Splits all halves at once: 8 digits into 4 and 4, these into 2 and 2, these into 1 and 1.
#[inline]
fn eight_digits(number: u64) -> u64 {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    // Division by 100 and by 10 as a multiplication, exact for so few digits.
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((twos - tens * 10) << 8)
}

/// The most digits that always fit in 64 bits.
const SAFE_DIGITS: usize = 19;

/// Reads decimal digits, with a minus sign in front if `signed`.
#[inline]
fn parse_decimal(field: &[u8], signed: bool) -> Option<(u64, bool)> {
    let (negative, digits) = match field {
        [b'-', digits @ ..] if signed => (true, digits),
        digits => (false, digits),
    };
    let (safe, rest) = digits.split_at(digits.len().min(SAFE_DIGITS));
    if safe.is_empty() {
        return None;
    }
    let mut number = 0_u64;
    for byte in safe {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    match rest {
        [] => Some((number, negative)),
        // At most one more digit, checked apart because overflow checks are slow in WebAssembly.
        [last @ b'0'..=b'9'] => {
            let number = number
                .checked_mul(10)?
                .checked_add(u64::from(last - b'0'))?;
            Some((number, negative))
        }
        _ => None,
    }
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
            #[inline(always)]
            fn append_to(&self, buffer: &mut Vec<u8>) {
                buffer.extend_from_slice(&self.0.to_le_bytes());
            }

            #[inline(always)]
            fn word(&self) -> Option<[u8; 8]> {
                Some(self.0.to_le_bytes())
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
mod tests;
