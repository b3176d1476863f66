//! Counts the records of each key in tumbling windows, and emits each window once, when the
//! watermark has reached its end: on port 0, by window and key, the key and `START COUNT`. A record
//! that is too late for its window goes to port 1 unchanged. It can leak, to be recycled.

use std::collections::BTreeMap;

use serde::Deserialize;
use tidegate_sdk::prelude::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    /// The length of a window.
    window_ms: i64,
    /// The bytes that are leaked with each record.
    #[serde(default)]
    leak_bytes: usize,
}

struct Tumbling {
    config: Config,
    /// Not part of the state: a restored instance gets it again.
    watermark: Option<i64>,
}

impl Tumbling {
    fn is_over(&self, start: i64) -> bool {
        let end = start.saturating_add(self.config.window_ms);
        self.watermark.is_some_and(|watermark| end <= watermark)
    }
}

impl Operator for Tumbling {
    type Config = Config;
    /// The count of each window, by its start.
    type State = BTreeMap<i64, u64>;

    fn open(config: Config, _context: &Context) -> Result<Self, Failure> {
        if config.window_ms < 1 {
            return Err(Failure::other("`window-ms` must be at least 1"));
        }
        Ok(Self {
            config,
            watermark: None,
        })
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        windows: &mut BTreeMap<i64, u64>,
        out: &mut Output,
    ) -> Result<(), Failure> {
        std::hint::black_box(vec![1_u8; self.config.leak_bytes].leak());
        let timestamp = record.timestamp();
        let timestamp = timestamp.ok_or_else(|| record.invalid("it has no timestamp"))?;
        let start = timestamp - timestamp.rem_euclid(self.config.window_ms);
        if self.is_over(start) {
            out.send(1, Some(timestamp), record.key(), record.value());
            return Ok(());
        }
        *windows.entry(start).or_default() += 1;
        Ok(())
    }

    fn is_vacant(windows: &BTreeMap<i64, u64>) -> bool {
        windows.is_empty()
    }

    fn on_watermark(
        &mut self,
        watermark: i64,
        keys: &mut KeyedState<BTreeMap<i64, u64>>,
        out: &mut Output,
    ) -> Result<(), Failure> {
        self.watermark = Some(watermark);
        let mut over = Vec::new();
        for (key, windows) in keys.iter_mut() {
            while let Some(window) = windows.first_entry()
                && self.is_over(*window.key())
            {
                let (start, count) = window.remove_entry();
                over.push((start, key.to_vec(), count));
            }
        }
        over.sort();
        for (start, key, count) in over {
            out.emit(&*key, format!("{start} {count}"));
        }
        Ok(())
    }
}

export_operator!(Tumbling);

#[cfg(test)]
mod tests {
    use tidegate_sdk::testing::Harness;

    use super::*;

    fn text(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let pairs = pairs.iter();
        pairs
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn a_record_that_is_late_before_a_restart_is_late_after_it() -> Result<(), Failure> {
        let builder = Harness::<Tumbling>::builder().outputs(["windows", "late"]);
        let mut harness = builder.config(r#"{ "window-ms": 10 }"#).open()?;
        harness.send_at(3, "a", "1")?;
        harness.send_at(12, "a", "2")?;
        harness.watermark(10)?;
        assert_eq!(harness.take_text(), text(&[("a", "0 1")]));
        harness.restart()?;
        harness.send_at(9, "a", "3")?;
        harness.send_at(19, "a", "4")?;
        let late = harness.take_output();
        assert_eq!(
            (late.len(), late[0].port, late[0].timestamp),
            (1, 1, Some(9))
        );
        harness.watermark(20)?;
        assert_eq!(harness.take_text(), text(&[("a", "10 2")]));
        Ok(())
    }
}
