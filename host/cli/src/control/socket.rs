//! The socket file `control.sock` in a checkpoint directory.
//!
//! The path of a socket may have 107 bytes. The client and the server reach a longer one through a
//! handle to its directory, as `/proc/self/fd/N/control.sock`.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use tokio::net::{UnixListener, UnixSocket, UnixStream};

/// The file's name.
const NAME: &str = "control.sock";
/// The most bytes of a path in a socket address, without the zero at its end.
const LONGEST_PATH: usize = 107;
/// The most connections that wait to be accepted.
const BACKLOG: u32 = 16;

/// A path to the socket file that fits into an address.
#[derive(Debug)]
pub(crate) struct SocketPath {
    path: PathBuf,
    /// Keeps the number in the path valid.
    _directory: Option<File>,
}

impl SocketPath {
    /// Returns the path to the socket file of a checkpoint directory, which must exist.
    pub(crate) fn of(directory: &Path) -> io::Result<Self> {
        let path = directory.join(NAME);
        if path.as_os_str().len() <= LONGEST_PATH {
            return Ok(Self {
                path,
                _directory: None,
            });
        }
        let directory = File::open(directory)?;
        Ok(Self {
            path: format!("/proc/self/fd/{}/{NAME}", directory.as_raw_fd()).into(),
            _directory: Some(directory),
        })
    }

    /// Listens on the socket, in place of a left-over one. Must be called within a tokio runtime.
    pub(crate) fn listen(&self) -> io::Result<UnixListener> {
        self.remove()?;
        let socket = UnixSocket::new_stream()?;
        // Linux gives the file the mode of the socket, so it is never open to others.
        rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
        socket.bind(&self.path)?;
        socket.listen(BACKLOG)
    }

    /// Connects to the listening process.
    pub(crate) async fn connect(&self) -> io::Result<UnixStream> {
        UnixStream::connect(&self.path).await
    }

    /// Removes the socket file; fails if the name belongs to anything else.
    pub(crate) fn remove(&self) -> io::Result<()> {
        match std::fs::symlink_metadata(&self.path) {
            Ok(found) if found.file_type().is_socket() => std::fs::remove_file(&self.path),
            Ok(_) => Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!("{NAME} is not a socket"),
            )),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn a_leftover_socket_is_replaced_and_only_its_user_may_connect() {
        let directory = tempfile::tempdir().unwrap();
        let socket = SocketPath::of(directory.path()).unwrap();
        drop(socket.listen().unwrap());
        assert!(
            socket.connect().await.is_err(),
            "nobody listens on a leftover"
        );
        let _listener = socket.listen().unwrap();
        socket.connect().await.unwrap();
        let mode = std::fs::metadata(directory.path().join(NAME))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_path_that_is_too_long_for_an_address_works() {
        let directory = tempfile::tempdir().unwrap();
        let deep = directory.path().join("d".repeat(90)).join("e".repeat(90));
        std::fs::create_dir_all(&deep).unwrap();
        let _listener = SocketPath::of(&deep).unwrap().listen().unwrap();
        SocketPath::of(&deep).unwrap().connect().await.unwrap();
        SocketPath::of(&deep).unwrap().remove().unwrap();
        assert!(!deep.join(NAME).exists());
    }

    #[tokio::test]
    async fn what_is_not_a_socket_is_not_removed() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(NAME), "mine").unwrap();
        let socket = SocketPath::of(directory.path()).unwrap();
        assert_eq!(
            socket.listen().unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        assert_eq!(std::fs::read(directory.path().join(NAME)).unwrap(), b"mine");
    }
}
