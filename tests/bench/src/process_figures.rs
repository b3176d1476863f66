//! The kernel's figures for a process: its CPU time and its memory.

use anyhow::{Context as _, Result};

/// Returns the CPU seconds of a process so far: user and system, of all threads, including ended
/// ones.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let stat = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    let ticks = cpu_ticks(&stat).with_context(|| format!("{path} is not as expected"))?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Returns the peak resident memory of a process, in bytes (`VmHWM`).
pub(crate) fn peak_rss_bytes(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    kibibytes(&status, "VmHWM:").with_context(|| format!("{path} is not as expected"))
}

/// Returns the present resident memory of a process, in bytes (`VmRSS`).
pub(crate) fn rss_bytes(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    kibibytes(&status, "VmRSS:").with_context(|| format!("{path} is not as expected"))
}

/// Returns the user and system ticks of a line of `/proc/PID/stat`, see proc(5).
fn cpu_ticks(stat: &str) -> Option<u64> {
    // The name in parentheses can hold anything; the 14th and 15th fields are the 12th and 13th
    // behind it.
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Returns the value of a line such as `VmHWM:  1234 kB`, in bytes.
pub(crate) fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number = line.trim().strip_suffix("kB")?.trim();
    Some(number.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_a_name_with_parentheses() {
        let stat = "42 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 1200 34 0 0 20 0 5 0 99 1 2";
        assert_eq!(cpu_ticks(stat), Some(1_234));
        assert_eq!(cpu_ticks("42 (a) S 1 2"), None);
    }

    #[test]
    fn memory_is_in_bytes() {
        let status = "Name:\ta\nVmPeak:\t  9 kB\nVmHWM:\t    1234 kB\nVmRSS:\t 7 kB\n";
        assert_eq!(kibibytes(status, "VmHWM:"), Some(1_234 * 1024));
        assert_eq!(kibibytes(status, "VmSwap:"), None);
    }

    #[test]
    fn the_process_itself_has_figures() -> Result<()> {
        let pid = std::process::id();
        assert!(cpu_seconds(pid)? >= 0.0);
        assert!(peak_rss_bytes(pid)? > 0);
        Ok(())
    }
}
