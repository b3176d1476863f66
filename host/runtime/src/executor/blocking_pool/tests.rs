//! Tests of `blocking_pool`.

use std::sync::Barrier;
use std::sync::mpsc::channel;

use super::*;

#[test]
fn pieces_of_work_that_wait_for_each_other_all_run() {
    let pool = BlockingPool::start().unwrap();
    let together = Arc::new(Barrier::new(50));
    let (sender, done) = channel();
    for number in 0..50 {
        let (together, sender) = (Arc::clone(&together), sender.clone());
        let work = move || {
            together.wait();
            sender.send(number).unwrap();
        };
        pool.run(Box::new(work)).unwrap();
    }
    drop(sender);
    let mut numbers: Vec<usize> = done.iter().collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..50).collect::<Vec<_>>());
}

#[test]
fn work_beyond_the_most_threads_waits_for_one_and_runs() {
    let pool = BlockingPool::start().unwrap();
    let (go_on, held) = channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let (sender, done) = channel();
    for _ in 0..MOST_BLOCKING_THREADS + 20 {
        let (held, sender) = (Arc::clone(&held), sender.clone());
        let work = move || {
            // Waits until the test releases all work.
            held.lock().unwrap().recv().ok();
            sender.send(()).unwrap();
        };
        pool.run(Box::new(work)).unwrap();
    }
    assert_eq!(pool.0.lock().threads, MOST_BLOCKING_THREADS);
    drop((go_on, sender));
    assert_eq!(done.iter().count(), MOST_BLOCKING_THREADS + 20);
}

#[test]
fn a_panic_in_a_piece_of_work_costs_no_thread() {
    let pool = BlockingPool::start().unwrap();
    let (sender, done) = channel();
    for _ in 0..10 {
        pool.run(Box::new(|| panic!("on purpose"))).unwrap();
    }
    pool.run(Box::new(move || sender.send(()).unwrap()))
        .unwrap();
    done.recv().unwrap();
    assert!(pool.0.lock().threads >= LEAST_BLOCKING_THREADS);
}

#[test]
fn what_was_queued_is_done_when_the_pool_is_dropped() {
    let pool = BlockingPool::start().unwrap();
    let (sender, done) = channel();
    for number in 0..100 {
        let sender = sender.clone();
        pool.run(Box::new(move || sender.send(number).unwrap()))
            .unwrap();
    }
    drop((pool, sender));
    assert_eq!(done.iter().count(), 100);
}
