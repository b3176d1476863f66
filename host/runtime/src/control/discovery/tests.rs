//! Tests of `discovery`.

use super::*;

fn split(number: usize) -> Discovered {
    let split = SourceSplit {
        name: number.to_string(),
        position: Vec::new(),
    };
    BTreeMap::from([(ChainId(0), vec![split])])
}

#[test]
fn a_chain_that_takes_no_messages_keeps_room_for_others_and_gets_every_split_later() {
    let (control, mut chain) = mpsc::channel(CONTROL_CAPACITY);
    let controls = [control];
    let mut discovery = Discovery::default();
    let splits = 3 * CONTROL_CAPACITY;
    for number in 0..splits {
        discovery.deliver(split(number), &controls);
    }
    assert_eq!(controls[0].capacity(), CONTROL_CAPACITY / 2);
    let mut taken = Vec::new();
    while let Ok(message) = chain.try_recv() {
        let ControlMessage::AddSplits(splits) = message else {
            panic!("another message");
        };
        taken.extend(splits.into_iter().map(|split| split.name));
        discovery.deliver(Discovered::new(), &controls);
    }
    let all: Vec<String> = (0..splits).map(|number| number.to_string()).collect();
    assert_eq!(taken, all);
}
