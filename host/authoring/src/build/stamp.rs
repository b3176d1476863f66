//! The stamp of a component: the digest of the sources that it was built from.
//!
//! The stamp is a custom section at the end, which the engine ignores, so that a component keeps
//! it wherever it is copied. FORMAT: section id 0, size, name `tidegate:source-digest`, 32 bytes of
//! BLAKE3 (see [`super::sources`]). A component without a stamp comes from other tools, or its
//! sources changed while it was built.

use super::sources::DIGEST_BYTES;

const NAME: &[u8] = b"tidegate:source-digest";
/// The bytes of a section's content: the length of the name, the name and the digest.
const CONTENT_BYTES: usize = 1 + NAME.len() + DIGEST_BYTES;
/// The bytes of the section, with its id and its size.
pub(super) const STAMP_BYTES: usize = 2 + CONTENT_BYTES;

/// Returns the component with a stamp at its end.
pub(super) fn stamped(mut component: Vec<u8>, digest: &[u8; DIGEST_BYTES]) -> Vec<u8> {
    component.extend(head());
    component.extend(digest);
    component
}

/// Returns the digest in the stamp at the end of a component.
pub(super) fn digest(component: &[u8]) -> Option<[u8; DIGEST_BYTES]> {
    let (_, stamp) = component.split_at_checked(unstamped_len(component)?)?;
    stamp.last_chunk().copied()
}

/// Returns the component without a stamp at its end.
pub(super) fn unstamped(component: &[u8]) -> &[u8] {
    let len = unstamped_len(component).unwrap_or(component.len());
    &component[..len]
}

/// Returns the length of the component before its stamp; `None` if it has no stamp.
fn unstamped_len(component: &[u8]) -> Option<usize> {
    let len = component.len().checked_sub(STAMP_BYTES)?;
    component[len..].starts_with(&head()).then_some(len)
}

/// Returns the section up to the digest. One byte each is enough for its two lengths.
fn head() -> Vec<u8> {
    const { assert!(CONTENT_BYTES < 128) };
    let lengths = [CONTENT_BYTES, NAME.len()].map(|length| length.to_le_bytes()[0]);
    [&[0, lengths[0], lengths[1]], NAME].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamped_component_is_the_same_component_with_a_digest() {
        let plain = wat::parse_str("(component)").expect("it is right");
        let component = stamped(plain.clone(), &[7; DIGEST_BYTES]);
        assert_eq!(digest(&component), Some([7; DIGEST_BYTES]));
        assert_eq!(unstamped(&component), plain);
        let mut sections = Vec::new();
        for section in wasmparser::Parser::new(0).parse_all(&component) {
            let section = section.expect("it is still a component");
            if let wasmparser::Payload::CustomSection(section) = section {
                sections.push((section.name().to_owned(), section.data().to_vec()));
            }
        }
        let expected = ("tidegate:source-digest".to_owned(), vec![7; DIGEST_BYTES]);
        assert_eq!(sections, [expected]);
    }

    #[test]
    fn a_component_without_a_stamp_has_no_digest() {
        let plain = wat::parse_str("(component)").expect("it is right");
        assert_eq!(digest(&plain), None);
        assert_eq!(unstamped(&plain), plain);
        let mut more = stamped(plain, &[7; DIGEST_BYTES]);
        more.push(0);
        assert_eq!(digest(&more), None, "the stamp is not at the end");
        assert_eq!(digest(&[]), None);
    }
}
