//! Counts the records of each key as the word count's `count` does, and leaks the bytes that its
//! config sets with each record: a stand-in for language runtimes that leak.

use serde::Deserialize;
use tidegate_sdk::prelude::*;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Config {
    /// Bytes leaked with each record.
    leak_bytes: usize,
}

struct Leaky {
    config: Config,
}

impl Operator for Leaky {
    type Config = Config;
    type State = u64;

    fn open(config: Config, _context: &Context) -> Result<Self, Failure> {
        Ok(Self { config })
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        count: &mut u64,
        out: &mut Output,
    ) -> Result<(), Failure> {
        *count += 1;
        std::hint::black_box(vec![1_u8; self.config.leak_bytes].leak());
        out.emit(record.key(), *count);
        Ok(())
    }
}

export_operator!(Leaky);
