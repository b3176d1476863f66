//! Runs a plain loop for a while and measures its speed.

use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::Step;
use crate::process_figures::peak_rss_bytes;
use crate::throughput::Window;

/// The figures of one run of a plain loop.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct PlainFigures {
    pub(crate) records_per_second: f64,
    pub(crate) cpu_ns_per_record: f64,
    pub(crate) peak_rss_bytes: u64,
}

/// Runs the loop through a window.
pub(crate) fn measure(mut step: Step, window: Window) -> Result<PlainFigures> {
    let warm_at = Instant::now() + window.warm_up;
    let mut warm_records = 0;
    while warm_records < window.warm_records || Instant::now() < warm_at {
        warm_records += step()?;
    }
    let (started, cpu_started) = (Instant::now(), cpu_time());
    let mut records = 0;
    while started.elapsed() < window.measured {
        records += step()?;
    }
    let (elapsed, cpu) = (started.elapsed(), cpu_time() - cpu_started);
    Ok(PlainFigures {
        records_per_second: records as f64 / elapsed.as_secs_f64(),
        cpu_ns_per_record: cpu.as_secs_f64() * 1e9 / records as f64,
        peak_rss_bytes: peak_rss_bytes(std::process::id())?,
    })
}

/// Returns the CPU time of this process.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    // Both parts are small and not negative, so the default is never used.
    Duration::try_from(time).unwrap_or_default()
}
