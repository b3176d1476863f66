//! The difference between two snapshots of a state. Pure.

use tidegate_operator::StateChunk;

/// Returns the first difference between two snapshots, byte for byte and in order, if any.
pub(super) fn difference(first: &[StateChunk], second: &[StateChunk]) -> Option<String> {
    if first == second {
        return None;
    }
    let different = difference_in_any_order(first, second);
    Some(different.unwrap_or_else(|| "its chunks are in another order".to_owned()))
}

/// The same, in any order of the chunks.
pub(super) fn difference_in_any_order(
    first: &[StateChunk],
    second: &[StateChunk],
) -> Option<String> {
    let (first, second) = (sorted(first), sorted(second));
    let mut pairs = first.iter().zip(&second);
    if let Some((before, after)) = pairs.find(|(before, after)| before != after) {
        return Some(match place(before).cmp(&place(after)) {
            std::cmp::Ordering::Less => format!("{} is missing", name(before)),
            std::cmp::Ordering::Greater => format!("{} is new", name(after)),
            std::cmp::Ordering::Equal => in_chunk(before, after),
        });
    }
    match (first.get(second.len()), second.get(first.len())) {
        (Some(missing), _) => Some(format!("{} is missing", name(missing))),
        (None, Some(new)) => Some(format!("{} is new", name(new))),
        (None, None) => None,
    }
}

/// Returns the chunks that belong to a key group.
pub(super) fn keyed(chunks: &[StateChunk]) -> Vec<StateChunk> {
    let keyed = chunks.iter().filter(|chunk| chunk.key_group.is_some());
    keyed.cloned().collect()
}

fn sorted(chunks: &[StateChunk]) -> Vec<&StateChunk> {
    let mut sorted: Vec<&StateChunk> = chunks.iter().collect();
    sorted.sort_by_key(|chunk| (place(chunk), chunk.schema_version, &chunk.bytes));
    sorted
}

fn place(chunk: &StateChunk) -> (&str, Option<u32>) {
    (&chunk.name, chunk.key_group)
}

fn name(chunk: &StateChunk) -> String {
    let name = chunk.name.escape_debug();
    match chunk.key_group {
        Some(group) => format!("chunk `{name}` of key group {group}"),
        None => format!("chunk `{name}`"),
    }
}

fn in_chunk(first: &StateChunk, second: &StateChunk) -> String {
    let name = name(first);
    if first.schema_version != second.schema_version {
        let (first, second) = (first.schema_version, second.schema_version);
        return format!("{name} has schema version {second}, not {first}");
    }
    let (first, second) = (&first.bytes, &second.bytes);
    let same = first.iter().zip(second).take_while(|(a, b)| a == b).count();
    if first.len() == second.len() {
        format!("{name} differs from byte {same} on")
    } else {
        let (first, second) = (first.len(), second.len());
        format!("{name} has {second} bytes, not {first}, and differs from byte {same} on")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(key_group: Option<u32>, bytes: &[u8]) -> StateChunk {
        StateChunk {
            name: "sums".to_owned(),
            schema_version: 1,
            key_group,
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn the_first_difference_is_named() {
        let (three, four) = (chunk(Some(3), b"abc"), chunk(Some(4), b"abc"));
        let both = [three.clone(), four.clone()];
        let changed = [three.clone(), chunk(Some(4), b"abd")];
        let longer = [three.clone(), chunk(Some(4), b"abcd")];
        let said = |second: &[StateChunk]| difference(&both, second).unwrap_or_default();
        assert_eq!(said(&both), "");
        assert_eq!(
            said(&changed),
            "chunk `sums` of key group 4 differs from byte 2 on"
        );
        assert_eq!(
            said(&longer),
            "chunk `sums` of key group 4 has 4 bytes, not 3, and differs from byte 3 on"
        );
        assert_eq!(
            said(std::slice::from_ref(&four)),
            "chunk `sums` of key group 3 is missing"
        );
        assert_eq!(
            said(&[three.clone(), four.clone(), chunk(Some(9), b"")]),
            "chunk `sums` of key group 9 is new"
        );
        assert_eq!(said(&[four, three]), "its chunks are in another order");
    }

    #[test]
    fn the_order_of_chunks_can_be_left_out_of_account() {
        let (keyed, other) = (chunk(Some(3), b"a"), chunk(None, b"b"));
        let (first, second) = ([keyed.clone(), other.clone()], [other, keyed]);
        assert_eq!(difference_in_any_order(&first, &second), None);
    }
}
