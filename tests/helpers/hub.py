"""A server on this machine that speaks as much of the Hugging Face hub's protocol as its real client needs."""

import hashlib
import socket
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
"""The commit of every repository, which is also its branch main."""


class Hub(ThreadingHTTPServer):
    """Serves `folder/<repo>/<file>` as the hub does: metadata by HEAD, large files by a redirect, and ranges of a file.

    `cut`: number of connections to break off half-way; `rest`: an event that the second half of a large file waits for; `etag`:
    what it states instead of the truth; `ranges`: the first bytes of the ranges requested; `log`: method and path of
    requests."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Answer)
        self.folder, self.cut, self.rest, self.etag, self.ranges, self.log = folder, 0, None, None, [], []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.reply(body=False)

    def do_GET(self):
        self.reply(body=True)

    def reply(self, body):
        server = self.server
        path_sent = self.raw_requestline.split()[1].decode()  # self.path has one slash at its beginning, however many were sent
        server.log.append((self.command, path_sent))
        parts = path_sent.removeprefix("/").split("/")
        large = parts[0] == "cdn"
        if large:
            path = server.folder / "/".join(parts[1:])
        elif len(parts) == 5 and parts[2] == "resolve" and parts[3] in ("main", COMMIT):
            path = server.folder / parts[0] / parts[1] / parts[4]
        else:
            path = server.folder / "not there"
        if not path.is_file():
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = path.read_bytes()
        is_large = path.suffix in (".bin", ".safetensors")
        git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        etag = server.etag or (hashlib.sha256(data).hexdigest() if is_large else git)
        if is_large and not large:
            self.send_response(302)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("X-Linked-Etag", f'"{etag}"')
            self.send_header("X-Linked-Size", str(len(data)))
            self.send_header("Location", f"{server.url}/cdn/{path.relative_to(server.folder)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        first = 0
        if "Range" in self.headers:
            first = int(self.headers["Range"].removeprefix("bytes=").split("-")[0])
            server.ranges.append(first)
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{etag}"')
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        if not body:
            return
        half = first + (len(data) - first) // 2
        if is_large and server.cut:
            server.cut -= 1
            self.wfile.write(data[first:half])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.wfile.write(data[first:half])
        if is_large and server.rest:
            server.rest.wait()
        with suppress(ConnectionError):  # the client may have been killed
            self.wfile.write(data[half:])
