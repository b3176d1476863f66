//! Tests of the names of followed files.

use super::*;

#[test]
fn the_directory_of_a_name_is_all_before_its_last_part() {
    for (name, directory) in [("a", ""), ("in/a", "in/"), ("/a", "/"), ("/x/y/a", "/x/y/")] {
        assert_eq!(directory_of(name), directory);
    }
}
