//! A job that is killed with SIGKILL at random moments until it has finished.

use std::time::Duration;

use tidegate_random::TestSeed;

use crate::{
    Expected, JobDirectory, assert_every_update_once, published_line_count, published_lines,
    wait_until_it_runs,
};

/// The number of kills, and their moments in milliseconds since the process locked the checkpoint
/// directory.
#[derive(Clone, Debug)]
pub struct Kills {
    /// The number of kills.
    pub number: u64,
    /// The range from which each moment is drawn.
    pub after_ms: std::ops::Range<u64>,
}

/// Kills and resumes the job, and compares every line. `fast` is the job without its pace.
///
/// # Panics
///
/// If a line is lost or comes twice, or the job finishes before it can be killed.
#[track_caller]
pub fn kill_until_finished(job: &JobDirectory, fast: &str, expected: &Expected, kills: &Kills) {
    let seed = TestSeed::of_run();
    // `TIDEGATE_TEST_SEED` chooses the same moments again.
    let seed_text = format!("seed {seed}");
    let mut random = seed.random();
    let lines_in_all: u64 = expected.values().map(|(count, _)| count).sum();
    for kill in 0..kills.number {
        let mut running = job.start(&["run", "job.toml"]);
        wait_until_it_runs(job, &mut running);
        let was_killed = running.kill_after(Duration::from_millis(
            random.in_range(kills.after_ms.clone()),
        ));
        assert!(
            was_killed,
            "{seed_text}: the job finished after {kill} kills: it is too small for the test"
        );
        assert!(
            published_line_count(&job.path().join("output")) < lines_in_all,
            "{seed_text}: the kill came after the last of the output"
        );
    }
    job.write("job.toml", fast);
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let lines = published_lines(&job.path().join("output"));
    assert_every_update_once(&lines, expected, &seed_text);
    // A further run does nothing and reports so.
    let again = job.tidegate(&["run", "job.toml"]);
    assert!(
        again.assert_succeeds().stderr.contains("finished"),
        "{again:#?}"
    );
    assert_eq!(
        published_lines(&job.path().join("output")).len(),
        lines.len()
    );
}
