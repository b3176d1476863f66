//! Sorts readings of tide gauges, lines of the form `GAUGE CENTIMETRES`. It emits each reading to
//! `levels`, a reading of at least the config's `flood` also to `floods`, and any other line
//! unchanged to `unreadable`.

use serde::Deserialize;
use tidegate_sdk::prelude::*;

/// The ports, by their index in the job file's `outputs`.
const LEVELS: u32 = 0;
const FLOODS: u32 = 1;
const UNREADABLE: u32 = 2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    flood: i64,
}

struct Classify {
    flood: i64,
}

impl Operator for Classify {
    type Config = Config;
    type State = ();

    fn open(config: Config, _context: &Context) -> Result<Self, Failure> {
        let Config { flood } = config;
        Ok(Self { flood })
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        _state: &mut (),
        out: &mut Output,
    ) -> Result<(), Failure> {
        let Some((gauge, level)) = reading(record.value()) else {
            out.emit_to(UNREADABLE, record.key(), record.value());
            return Ok(());
        };
        out.emit_to(LEVELS, gauge, level);
        if level >= self.flood {
            out.emit_to(FLOODS, gauge, level);
        }
        Ok(())
    }
}

fn reading(line: &[u8]) -> Option<(&str, i64)> {
    let (gauge, level) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    Some((gauge, level.parse().ok()?))
}

export_operator!(Classify);

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_sdk::testing::Harness;

    #[test]
    fn a_line_leaves_through_the_ports_that_it_belongs_to() -> Result<(), Failure> {
        let builder = Harness::<Classify>::builder().config(r#"{"flood":500}"#);
        let mut classify = builder.outputs(["levels", "floods", "unreadable"]).open()?;
        classify.send_all([("", "hull 499"), ("", "hull 500"), ("", "hull high")])?;
        let sent = classify.take_output().into_iter();
        let ports: Vec<(u32, Vec<u8>)> = sent.map(|record| (record.port, record.value)).collect();
        assert_eq!(
            ports,
            [
                (LEVELS, b"499".to_vec()),
                (LEVELS, b"500".to_vec()),
                (FLOODS, b"500".to_vec()),
                (UNREADABLE, b"hull high".to_vec()),
            ]
        );
        Ok(())
    }
}
