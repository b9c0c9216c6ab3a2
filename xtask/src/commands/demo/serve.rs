//! A server of the files of one folder, for browsers on this machine: their modules do not load from `file:`.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// Types of files by their extensions; browsers reject modules of another type.
const TYPES: [(&str, &str); 6] = [
    ("html", "text/html; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("wasm", "application/wasm"),
    ("svg", "image/svg+xml"),
];
/// Time for a request: browsers open connections that they never use.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest line of a request.
const LONGEST: usize = 8192;

/// A folder that is served, to this machine only.
pub struct Server {
    listener: TcpListener,
    folder: Arc<Path>,
}

impl Server {
    /// Opens the port; 0 takes a free one.
    ///
    /// # Errors
    /// The port is in use.
    pub fn new(folder: &Path, port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).with_context(|| format!("port {port}"))?;
        Ok(Self { listener, folder: folder.into() })
    }

    /// Returns the address of the folder.
    pub fn address(&self) -> Result<String> {
        Ok(format!("http://{}/", self.listener.local_addr()?))
    }

    /// Answers requests until the program ends.
    pub fn run(self) {
        for stream in self.listener.incoming().flatten() {
            let folder = Arc::clone(&self.folder);
            // A browser that ends a connection early is no error here.
            thread::spawn(move || _ = answer(&stream, &folder));
        }
    }
}

/// Answers the one request of a connection.
fn answer(mut stream: &TcpStream, folder: &Path) -> Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    let mut reader = BufReader::new(std::io::Read::take(stream, LONGEST as u64));
    reader.read_line(&mut line)?;
    // The headers say nothing that changes the answer, but unread bytes would reset the connection.
    let mut rest = String::new();
    while reader.read_line(&mut rest)? > 2 {
        rest.clear();
    }
    let found = path(folder, &line).and_then(|file| Some((media_type(&file), fs::read(file).ok()?)));
    let (status, (media_type, body)) = match found {
        Some(found) => ("200 OK", found),
        None => ("404 Not Found", ("text/plain", b"not found".to_vec())),
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n")?;
    stream.write_all(b"Cache-Control: no-store\r\nConnection: close\r\n\r\n")?;
    Ok(stream.write_all(&body)?)
}

/// Returns the file that a request asks for, which is below the folder.
fn path(folder: &Path, request: &str) -> Option<PathBuf> {
    let target = request.strip_prefix("GET /")?.split([' ', '?']).next()?;
    let target = Path::new(if target.is_empty() { "index.html" } else { target });
    let is_below = target.components().all(|component| matches!(component, Component::Normal(_)));
    is_below.then(|| folder.join(target))
}

fn media_type(file: &Path) -> &'static str {
    let extension = file.extension().and_then(|extension| extension.to_str());
    let row = TYPES.iter().find(|(name, _)| Some(*name) == extension);
    row.map_or("application/octet-stream", |(_, media_type)| media_type)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn requests_stay_below_the_folder() {
        let file = |request: &str| path(Path::new("/site"), request);
        assert_eq!(file("GET / HTTP/1.1\r\n"), Some("/site/index.html".into()));
        assert_eq!(file("GET /a/b.js?x=1 HTTP/1.1\r\n"), Some("/site/a/b.js".into()));
        assert_eq!(file("GET /../secret HTTP/1.1\r\n"), None);
        assert_eq!(file("GET /a/../../secret HTTP/1.1\r\n"), None);
        assert_eq!(file("GET //etc/passwd HTTP/1.1\r\n"), None);
        assert_eq!(file("POST / HTTP/1.1\r\n"), None);
    }

    #[test]
    fn files_come_with_their_type_and_others_are_not_found() {
        let folder = std::env::temp_dir().join(format!("serve-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a.js"), "export {}").unwrap();
        let server = Server::new(&folder, 0).unwrap();
        let address = server.listener.local_addr().unwrap();
        thread::spawn(|| server.run());
        let get = |target: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        let found = get("/a.js");
        assert!(found.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/javascript"), "{found}");
        assert!(found.ends_with("\r\n\r\nexport {}"), "{found}");
        assert!(get("/b.js").starts_with("HTTP/1.1 404"));
        fs::remove_dir_all(folder).unwrap();
    }
}
