//! Values of a job file that TOML has no type for: sizes, percentages, and TOML as JSON; durations
//! are in [`crate::duration`]. Pure.

use bytesize::ByteSize;
use tidegate_runtime::config::RecycleAt;
use toml::Spanned;
use toml::de::{DeInteger, DeValue};

use super::problem::Problem;

/// Reads a size: `"256MiB"`, `"64 kB"`. A unit is required, so that no one has to guess it.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    if !text.ends_with(|c: char| c.is_ascii_alphabetic()) {
        return Err("the unit is missing".to_owned());
    }
    match text.parse::<ByteSize>() {
        Ok(ByteSize(u64::MAX)) => Err("larger than any memory".to_owned()),
        Ok(ByteSize(bytes)) => Ok(bytes),
        Err(_) => Err("not a number with a unit".to_owned()),
    }
}

/// Returns bytes as [`size`] reads them, in the largest unit of which they are a multiple.
pub(crate) fn shown_size(bytes: u64) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = units.iter().find(|(_, unit)| bytes.is_multiple_of(*unit));
    match unit {
        Some((name, unit)) if bytes > 0 => format!("{}{name}", bytes / unit),
        Some(_) | None => format!("{bytes}B"),
    }
}

/// Reads a share: `"75%"` of the memory limit, or `"never"`.
pub(crate) fn share(text: &str) -> Result<RecycleAt, String> {
    if text == "never" {
        return Ok(RecycleAt::Never);
    }
    let number = text.strip_suffix('%').ok_or("the `%` is missing")?;
    match number.trim_end().parse::<u8>() {
        Ok(percent @ 1..=100) => Ok(RecycleAt::Percent(percent)),
        Ok(_) | Err(_) => Err("not a whole number from 1 to 100".to_owned()),
    }
}

/// Returns the integer if it fits into 64 bits.
pub(crate) fn integer(integer: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// Returns a TOML value as an operator gets it, in JSON: dates and times become strings.
pub(crate) fn json(value: &Spanned<DeValue<'_>>) -> Result<serde_json::Value, Problem> {
    match value.get_ref() {
        DeValue::String(text) => Ok(serde_json::Value::String(text.clone().into_owned())),
        DeValue::Integer(number) => integer(number).map(serde_json::Value::from).ok_or_else(|| {
            Problem::at(value.span(), format!("{number} is too large"))
                .help("integers are signed and have 64 bits; write the number as a string")
        }),
        DeValue::Float(number) => {
            let parsed = number.as_str().parse::<f64>().ok();
            let finite = parsed.and_then(serde_json::Number::from_f64);
            finite.map(serde_json::Value::Number).ok_or_else(|| {
                Problem::at(value.span(), format!("JSON can't represent {number}"))
                    .help("the operator receives its config as JSON; write the number as a string")
            })
        }
        DeValue::Boolean(flag) => Ok(serde_json::Value::Bool(*flag)),
        DeValue::Datetime(time) => Ok(serde_json::Value::String(time.to_string())),
        DeValue::Array(items) => items.iter().map(json).collect(),
        DeValue::Table(table) => {
            let entry = |(key, value): (&Spanned<_>, _)| {
                Ok((AsRef::<str>::as_ref(key.get_ref()).to_owned(), json(value)?))
            };
            let fields: serde_json::Map<_, _> =
                table.iter().map(entry).collect::<Result<_, _>>()?;
            Ok(serde_json::Value::Object(fields))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_shown_in_its_largest_unit_and_is_read_again() {
        for (bytes, text) in [
            (1, "1B"),
            (1_536, "1536B"),
            (64 << 10, "64KiB"),
            (256 << 20, "256MiB"),
            (4 << 30, "4GiB"),
        ] {
            assert_eq!(shown_size(bytes), text);
            assert_eq!(size(text), Ok(bytes));
        }
    }

    #[test]
    fn sizes_need_a_unit_and_fit_in_64_bits() {
        assert_eq!(size("256MiB"), Ok(256 << 20));
        assert_eq!(size("64 kB"), Ok(64_000));
        assert_eq!(size("1.5KiB"), Ok(1536));
        for bad in [
            "",
            "256",
            "MiB",
            "-1MiB",
            "99999999999999999EiB",
            "1 lightyear",
        ] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
