//! The files beside a followed file, among which its continuation is looked for after a rotation.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;

use super::super::Input;
use super::super::input_root::Found;
use super::directory_of;
use super::position::{MARK_BYTES, Mark};
use super::tail::Tail;
use super::tail_reader::{continues, holds};
use crate::file_source::position::read_before;

/// The largest number of files of one directory that are looked at.
const MOST_SIBLINGS: usize = 10_000;

/// A file beside a followed one.
pub(super) struct Sibling {
    pub(super) name: String,
    pub(super) found: Found,
}

/// Lists the regular files in the directory of `name`, in order.
pub(super) fn siblings(input: &Input, name: &str) -> io::Result<Vec<Sibling>> {
    let directory = directory_of(name);
    let Some(relative) = input.glob.relative(name) else {
        return Ok(Vec::new());
    };
    let listed = input.root.list(directory_of(relative), MOST_SIBLINGS)?;
    let to_sibling = |(file, found): (String, Found)| Sibling {
        name: format!("{directory}{file}"),
        found,
    };
    Ok(listed.into_iter().map(to_sibling).collect())
}

/// Finds the file that was renamed, by its inode.
pub(super) fn renamed(siblings: &[Sibling], tail: &Tail) -> Option<String> {
    let mut same = siblings
        .iter()
        .filter(|sibling| tail.is(&sibling.found) && sibling.name != tail.name);
    same.next().map(|sibling| sibling.name.clone())
}

/// Finds a file, of those that are not `known`, that begins with the bytes that were read of a file
/// found as `origin`: a copy, or the file itself under another inode.
pub(super) fn copy<'a>(
    input: &Input,
    siblings: &'a [Sibling],
    (origin, mark): (&str, Mark),
    known: &BTreeSet<(u64, u64)>,
) -> io::Result<Option<&'a Sibling>> {
    for sibling in siblings {
        let is_known = known.contains(&sibling.found.identity);
        if is_known || !is_copys_name(&sibling.name, origin) {
            continue;
        }
        let Some(file) = opened(input, &sibling.name)? else {
            continue;
        };
        if mark.position > 0 && continues(&file, sibling.found.length, mark)? {
            return Ok(Some(sibling));
        }
    }
    Ok(None)
}

/// The relation of a file to the followed files beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copied {
    /// It is a copy of none.
    No,
    /// It is a copy of all that was read of one, and maybe of more. It waits: if the other file is
    /// truncated, the copy has the rest of it.
    Ahead,
    /// It is a copy of what was read.
    Behind,
}

/// Returns whether a file of this length is a copy, whole or in the making, of a followed file
/// whose name is the beginning of its own.
pub(super) fn copied(
    input: &Input,
    (name, found): (&str, &Found),
    tails: &[Tail],
) -> io::Result<Copied> {
    let others = tails.iter().filter(|tail| {
        tail.mark.position > 0
            && tail.identity != found.identity
            // The new file of a name may well begin as the old one did.
            && name != tail.origin
            && is_copys_name(name, &tail.origin)
    });
    for tail in others {
        let Some(new) = opened(input, name)? else {
            return Ok(Copied::No);
        };
        if continues(&new, found.length, tail.mark)? {
            return Ok(Copied::Ahead);
        }
        if found.length < tail.mark.position && is_beginning(input, &new, found.length, tail)? {
            return Ok(Copied::Behind);
        }
    }
    Ok(Copied::No)
}

/// Returns true if the first bytes of a new file, up to `length`, are those of a followed one.
fn is_beginning(input: &Input, new: &File, length: u64, tail: &Tail) -> io::Result<bool> {
    let by_name;
    let old = match &tail.file {
        Some(file) => file,
        None => {
            by_name = opened(input, &tail.name)?;
            match &by_name {
                Some(file) => file,
                None => return Ok(false),
            }
        }
    };
    let covered = usize::try_from(length).map_or(MARK_BYTES, |bytes| bytes.min(MARK_BYTES));
    let head = read_before(new, covered as u64, covered)?;
    let last = read_before(new, length, covered)?;
    Ok(holds(old, 0, &head)? && holds(old, length - covered as u64, &last)?)
}

/// Returns the mark at the end of a file of this length.
pub(super) fn mark_at_end(input: &Input, name: &str, length: u64) -> io::Result<Mark> {
    let Some(file) = opened(input, name)? else {
        return Ok(Mark::default());
    };
    let covered = usize::try_from(length).map_or(MARK_BYTES, |bytes| bytes.min(MARK_BYTES));
    let head = read_before(&file, covered as u64, covered)?;
    Ok(Mark::new(
        length,
        &head,
        &read_before(&file, length, covered)?,
    ))
}

/// Returns true if a copy of a file may have this name: it begins with the name of the file, as in
/// `app.log.1`. Contents alone do not decide, since two files may well begin alike.
fn is_copys_name(name: &str, of: &str) -> bool {
    name.starts_with(of)
}

/// Opens a regular file; `None` if it is gone.
fn opened(input: &Input, name: &str) -> io::Result<Option<File>> {
    let Some(relative) = input.glob.relative(name) else {
        return Ok(None);
    };
    match input.root.find(relative) {
        Ok(found) if found.is_file => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    match input.root.open_file(relative) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        file => file.map(Some),
    }
}
