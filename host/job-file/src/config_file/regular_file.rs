//! Opens a file that a user names, to read all of it: a regular file of a disk and nothing else.
//!
//! A pipe or a device could wait for ever or act when it is opened, and files that the kernel makes
//! up, such as `/proc/kmsg`, are regular by name only. So the kind is looked at before the file is
//! opened, and again once it is, for the name may mean another file by then; and opening never
//! waits.

use std::fs::{File, FileType};
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// File systems whose files are made up by the kernel, with the numbers that it calls them by.
const MADE_UP: [(i128, &str); 8] = [
    (0x9fa0, "procfs"),
    (0x6265_6572, "sysfs"),
    (0x6462_6720, "debugfs"),
    (0x7472_6163, "tracefs"),
    (0x7363_6673, "securityfs"),
    (0x0027_e0eb, "cgroupfs"),
    (0x6367_7270, "cgroup2fs"),
    (0x6265_6570, "configfs"),
];

/// Opens a regular file.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    refuse_other_kinds(std::fs::metadata(path)?.file_type())?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    refuse_other_kinds(file.metadata()?.file_type())?;
    let kind = i128::from(rustix::fs::fstatfs(&file)?.f_type);
    match MADE_UP.iter().find(|(number, _)| *number == kind) {
        Some((_, name)) => Err(io::Error::other(format!(
            "it is made up by the kernel ({name}) and not a file of a disk"
        ))),
        None => Ok(file),
    }
}

fn refuse_other_kinds(kind: FileType) -> io::Result<()> {
    let what = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a named pipe and not a regular file"
    } else if kind.is_socket() {
        "a socket and not a regular file"
    } else {
        "a device and not a regular file"
    };
    Err(io::Error::other(format!("it is {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_a_disk_are_opened() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "x").unwrap();
        open(&file).unwrap();
        let socket = directory.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, what) in [
            (directory.path(), "a directory"),
            (&socket, "a socket"),
            (Path::new("/dev/zero"), "a device"),
            (Path::new("/proc/self/environ"), "procfs"),
        ] {
            let error = open(path).unwrap_err().to_string();
            assert!(error.contains(what), "{}: {error}", path.to_string_lossy());
        }
    }
}
