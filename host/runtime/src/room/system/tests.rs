//! Tests of `system`.

use super::*;

#[test]
fn linux_tells_its_limits_and_what_is_used_of_them() {
    let limits = limits();
    let of = |name| limits.iter().find(|limit| limit.name == name);
    for name in [
        "`vm.max_map_count`",
        "`kernel.threads-max`",
        "`kernel.pid_max`",
        "`ulimit -n`",
    ] {
        let limit = of(name).unwrap_or_else(|| panic!("no {name}"));
        assert!(limit.used > 0 && limit.used < limit.allowed, "{limit:?}");
    }
}

#[test]
fn a_field_of_a_status_is_found_by_its_name() {
    let status = "Name:\ttidegate\nVmSize:\t  1234 kB\nThreads:\t7\n";
    assert_eq!(field(status, "VmSize:"), Some(1234));
    assert_eq!(field(status, "Threads:"), Some(7));
    assert_eq!(field(status, "VmRSS:"), None);
}
