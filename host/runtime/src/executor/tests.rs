//! Tests of `executor`.

use super::*;

#[tokio::test]
async fn a_chain_or_task_that_panics_is_reported_with_its_message() {
    let threads = Threads::start().unwrap();
    let chain = threads.start_chain(Box::pin(async { panic!("of a chain") }));
    let task = threads.spawn(Box::pin(async { panic!("of a task") }));
    let reason = |died: Result<(), TaskDied>| died.unwrap_err().reason;
    assert_eq!(reason(chain.unwrap().await), "of a chain");
    assert_eq!(reason(task.unwrap().await), "of a task");
}

#[tokio::test]
async fn a_chain_and_a_task_that_end_are_joined() {
    let threads = Threads::start().unwrap();
    let chain = threads.start_chain(Box::pin(async {})).unwrap();
    let task = threads.spawn(Box::pin(async {})).unwrap();
    assert_eq!((chain.await, task.await), (Ok(()), Ok(())));
}
