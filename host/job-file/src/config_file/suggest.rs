//! "Did you mean": the known name that the user most likely meant. Pure.

/// The most known names that are listed.
const MOST_LISTED: usize = 20;

/// Returns the number of letters that may be wrong: half of them, from 1 to 3.
fn allowed_distance(name: &str) -> usize {
    (name.chars().count() / 2).clamp(1, 3)
}

/// Returns the known name nearest to `name`, if one is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let normal = name.to_lowercase().replace('_', "-");
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&normal, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= allowed_distance(candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns the help for an unknown name: the near name, or all known ones.
pub fn expected<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(near) = nearest(name, known.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let known: Vec<String> = known.into_iter().map(|name| format!("`{name}`")).collect();
    match known.as_slice() {
        [] => None,
        [only] => Some(format!("expected {only}")),
        some if some.len() <= MOST_LISTED => Some(format!("expected one of {}", some.join(", "))),
        many => {
            let (listed, others) = many.split_at(MOST_LISTED);
            let others = others.len();
            let listed = listed.join(", ");
            Some(format!("expected one of {listed} and {others} others"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 3] = ["interval", "timeout", "min-pause"];

    #[test]
    fn a_slip_of_the_finger_is_understood() {
        for (slip, meant) in [
            ("intervall", "interval"),
            ("itnerval", "interval"),
            ("min_pause", "min-pause"),
            ("Timeout", "timeout"),
        ] {
            assert_eq!(nearest(slip, KEYS), Some(meant), "{slip}");
        }
    }

    #[test]
    fn a_name_far_from_all_gets_the_list() {
        assert_eq!(
            expected("colour", KEYS).as_deref(),
            Some("expected one of `interval`, `timeout`, `min-pause`")
        );
        assert_eq!(expected("x", ["main"]).as_deref(), Some("expected `main`"));
        assert_eq!(expected("x", []), None);
    }
}
