//! Version 2 of the word count's `count`, for upgrades: the same config and the same output, and
//! state of another type, which also remembers the newest timestamp of each key. Reads version 1.

use serde::{Deserialize, Serialize};
use tidegate_sdk::prelude::*;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    emit: Emit,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Emit {
    #[default]
    Updates,
    Final,
}

struct CountV2 {
    emit: Emit,
}

#[derive(Default, Serialize, Deserialize)]
struct Seen {
    count: u64,
    last: Option<i64>,
}

impl Operator for CountV2 {
    type Config = Config;
    type State = Seen;
    const STATE_VERSION: u32 = 2;

    fn open(config: Config, _context: &Context) -> Result<Self, Failure> {
        Ok(Self { emit: config.emit })
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        seen: &mut Seen,
        out: &mut Output,
    ) -> Result<(), Failure> {
        seen.count += 1;
        seen.last = seen.last.max(record.timestamp());
        if self.emit == Emit::Updates {
            out.emit(record.key(), seen.count);
        }
        Ok(())
    }

    fn on_finish(&mut self, keys: &mut KeyedState<Seen>, out: &mut Output) -> Result<(), Failure> {
        if self.emit == Emit::Final {
            for (key, seen) in keys.iter() {
                out.emit(key, seen.count);
            }
        }
        Ok(())
    }

    fn migrate(version: u32, bytes: &[u8]) -> Result<Seen, Failure> {
        match version {
            1 => Ok(Seen {
                count: read_state(bytes)?,
                last: None,
            }),
            other => Err(unknown_version(other)),
        }
    }
}

export_operator!(CountV2);

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_sdk::raw::StateChunk;
    use tidegate_sdk::testing::Harness;

    #[test]
    fn a_count_of_version_1_goes_on() -> Result<(), Failure> {
        // "a" is in key group 7; version 1 counted it 300 times.
        let written_by_version_1 = StateChunk {
            name: "keyed".to_owned(),
            schema_version: 1,
            key_group: Some(7),
            bytes: b"TGK\x01\x01\x01a\x02\xac\x02".to_vec(),
        };
        let mut count = Harness::<CountV2>::builder().restore(&[written_by_version_1])?;
        count.send("a", "")?;
        assert_eq!(count.take_text(), [("a".into(), "301".into())]);
        assert_eq!(count.snapshot()?[0].schema_version, 2);
        Ok(())
    }
}
