//! A small file system, so that a disk can be really full or really read-only without harm to the
//! machine. A process holds the mount namespace in which it lives; root can make one, and any user
//! where users may make namespaces.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Returns a command that starts another one with the directory `from` also mounted at `to`. Both
/// are relative to its working directory.
#[must_use]
pub fn bind_mount(from: &str, to: &str) -> Vec<String> {
    mounting(&format!("mount --bind '{from}' '{to}'"))
}

/// Returns a command that starts another one with `directory` mounted read-only. The directory is
/// relative to its working directory.
#[must_use]
pub fn read_only(directory: &str) -> Vec<String> {
    let it = format!("'{directory}'");
    mounting(&format!(
        "mount --bind {it} {it} && mount -o remount,bind,ro {it}"
    ))
}

fn mounting(mount: &str) -> Vec<String> {
    let script = format!("{mount} && exec \"$0\" \"$@\"");
    let words = ["unshare", namespaces(), "sh", "-c", &script];
    words.map(str::to_owned).to_vec()
}

/// Returns the options with which `unshare` may mount file systems.
fn namespaces() -> &'static str {
    if is_root() { "-m" } else { "-Urm" }
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

/// A mount namespace with a file system in memory at one directory.
#[derive(Debug)]
pub struct SmallDisk {
    holder: Child,
    mounted_at: PathBuf,
    is_root: bool,
}

impl SmallDisk {
    /// Mounts an empty disk of `kib` KiB at `directory`, which must exist.
    ///
    /// # Panics
    ///
    /// If the system allows neither root's nor a user's mount namespace.
    #[must_use]
    pub fn mount(directory: &Path, kib: u32) -> Self {
        let script = format!("mount -t tmpfs -o size={kib}k none \"$0\" && echo ready && exec cat");
        let mut holder = Command::new("unshare")
            .args([namespaces(), "sh", "-c", &script])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("util-linux is installed");
        let mut said = [0; 6];
        let stdout = holder.stdout.as_mut().expect("it was asked for");
        let read = stdout.read_exact(&mut said);
        assert!(
            read.is_ok() && &said == b"ready\n",
            "no mount namespace can be made here: neither as root nor with `unshare -Urm`"
        );
        Self {
            holder,
            mounted_at: directory.to_owned(),
            is_root: is_root(),
        }
    }

    /// Returns a command that starts another one inside the disk's mount namespace.
    #[must_use]
    pub fn wrapper(&self) -> Vec<String> {
        let target = format!("--target={}", self.holder.id());
        let mut words = vec!["nsenter".to_owned(), target, "--mount".to_owned()];
        if !self.is_root {
            words.extend(["--user".to_owned(), "--preserve-credentials".to_owned()]);
        }
        words
    }

    /// Returns the disk's path, as seen from outside.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.outside(&self.mounted_at)
    }

    /// Returns an absolute path in the namespace, as seen from outside.
    ///
    /// # Panics
    ///
    /// If the path is not absolute.
    #[must_use]
    pub fn outside(&self, path: &Path) -> PathBuf {
        let inside = path.strip_prefix("/").expect("the path is absolute");
        let root = format!("/proc/{}/root", self.holder.id());
        Path::new(&root).join(inside)
    }

    /// Makes the disk read-only, or writable again.
    ///
    /// # Panics
    ///
    /// If the system refuses.
    pub fn set_read_only(&self, is_read_only: bool) {
        let options = if is_read_only {
            "remount,ro"
        } else {
            "remount,rw"
        };
        let wrapper = self.wrapper();
        let status = Command::new(&wrapper[0])
            .args(&wrapper[1..])
            .args(["mount", "-o", options])
            .arg(&self.mounted_at)
            .status();
        assert!(status.is_ok_and(|status| status.success()), "{options}");
    }

    /// Writes a file that fills the disk, and returns its path.
    ///
    /// # Panics
    ///
    /// If the disk does not become full.
    #[must_use]
    pub fn fill(&self) -> PathBuf {
        let path = self.path().join(".ballast");
        let mut file = std::fs::File::create(&path).expect("a file can be made");
        let piece = [0; 512];
        let full = (0..1 << 20).any(|_| file.write_all(&piece).is_err());
        assert!(full, "the disk is not small");
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The namespace ends with its last process.
        drop(self.holder.kill());
        drop(self.holder.wait());
    }
}
