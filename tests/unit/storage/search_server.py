"""A strict search server on loopback: it judges requests as the real products do, and misbehaves where a test tells it to."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# What a scripted request gets: a status for all of it, or None to end the connection without an answer.
Refusal = int | None
PRODUCTS = {
    "opensearch": {"version": {"distribution": "opensearch", "number": "2.19.6"}, "tagline": "The OpenSearch Project: https://opensearch.org/"},
    "elasticsearch": {"version": {"number": "8.19.21", "build_flavor": "default"}, "tagline": "You Know, for Search"},
}


class SearchServer(ThreadingHTTPServer):
    """`stored` is index → id → body. `script` holds what becomes of the next bulk requests; `judge` gives each document a status and a reason."""

    daemon_threads = True

    def __init__(self, product: str = "opensearch", version: str = "", user: str = "", certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scheme = "https" if certificate else "http"
        if certificate:  # and its key, in one file
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        info = json.loads(json.dumps(PRODUCTS[product]))
        info["version"]["number"] = version or info["version"]["number"]
        self.info, self.product = {"name": "one", "cluster_name": "squall", **info}, product
        self.major = int(info["version"]["number"].split(".")[0])
        self.user, self.probe_status = user, 200
        self.stored: dict[str, dict[str, Any]] = {}
        self.script: list[Refusal] = []
        self.judge: Callable[[str, dict[str, Any]], tuple[int, str]] = lambda index, body: (201, "")
        self.most_bytes = 10**9
        self.requests: list[tuple[str, str, int]] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    @property
    def bulks(self) -> list[int]:
        """The documents of each bulk request that was looked at."""
        return [count for _, path, count in self.requests if path == "/_bulk"]

    def __enter__(self) -> SearchServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, as one does that does not trust the certificate, is no matter for standard error."""

    def understands(self, media: str) -> bool:
        """Vendor types are for Elasticsearch alone, and for its version or the one before."""
        if "vnd.elasticsearch" not in media:
            return media.partition(";")[0] in ("application/json", "application/x-ndjson")
        return self.product == "elasticsearch" and media.rpartition("=")[2] in (str(self.major), str(self.major - 1))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece
    server: SearchServer

    def do_GET(self) -> None:
        self.server.requests.append(("GET", self.path, 0))
        if self._allowed():
            self._answer(self.server.probe_status, self.server.info)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = self.path.partition("?")[0]
        refusal = self.server.script.pop(0) if self.server.script else 200
        if refusal is None:
            self.close_connection = True
        elif refusal != 200:
            self._answer(refusal, {"error": {"reason": "scripted"}, "status": refusal})
        elif len(body) > self.server.most_bytes:
            self._answer(413, {"error": "too large"})
        elif self._allowed():
            self._bulk(path, body.decode())

    do_PUT = do_POST  # the official client's way

    def _bulk(self, path: str, text: str) -> None:
        lines = text.split("\n")
        if lines.pop() or len(lines) % 2:
            self._answer(400, {"error": "The bulk request must be terminated by a newline"})
            return
        self.server.requests.append(("POST", path, len(lines) // 2))
        items = [self._one(json.loads(action)["index"], json.loads(body)) for action, body in zip(lines[::2], lines[1::2], strict=True)]
        self._answer(200, {"errors": any(item["index"]["status"] > 299 for item in items), "items": items})

    def _one(self, action: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        status, reason = self.server.judge(action["_index"], body)
        if status > 299:
            return {"index": {"status": status, "error": {"type": "mapper_parsing_exception", "reason": reason}}}
        self.server.stored.setdefault(action["_index"], {})[action["_id"]] = body
        return {"index": {"status": status}}

    def _allowed(self) -> bool:
        signed = f"Basic {base64.b64encode(self.server.user.encode()).decode()}"
        if self.server.user and self.headers.get("Authorization") != signed:
            self._answer(401, {"error": {"reason": "unable to authenticate"}})
        elif not all(self.server.understands(self.headers[name]) for name in ("Accept", "Content-Type") if self.headers.get(name, "*/*") != "*/*"):
            self._answer(406 if self.server.product == "opensearch" or self.server.major < 8 else 400, {"error": "Content-Type is not supported"})
        else:
            return True
        return False

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        media = self.headers.get("Accept", "")
        self.send_header("Content-Type", media if "vnd" in media else "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.server.product == "elasticsearch" and self.server.info["version"]["number"] >= "7.14":
            self.send_header("X-Elastic-Product", "Elasticsearch")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing to standard error."""
