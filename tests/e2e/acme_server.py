"""An ACME server that knows nothing but renewalInfo (RFC 9773), and does what a file says.

Run as `acme_server.py CHAIN STATE LOG` at https://127.0.0.1:14000. STATE is JSON, read at every request:
{"window": [start, end]} (RFC 3339) answers /ari/ID with it; "retry_after": text is that field;
"directory" / "ari": {"status": 503} or {"body": text}, or {"huge": true} or {"slow": true}, is what comes in place
of it. LOG gets each request: a line with its path, and one with the names of its header fields.
"""

import http.server
import json
import ssl
import sys
import time

BASE = "https://127.0.0.1:14000"


class Acme(http.server.BaseHTTPRequestHandler):
    """The directory, and renewal information of every certificate."""

    def do_GET(self):  # noqa: N802  the base class names it
        with open(self.server.log, "a") as log:
            log.write(f"{self.path}\n {' '.join(sorted(name.lower() for name in self.headers))}\n")
        with open(self.server.state) as file:
            state = json.load(file)
        if self.path == "/directory":
            self.answer(state.get("directory", {}), {"renewalInfo": f"{BASE}/ari"}, None)
        elif self.path.startswith("/ari/"):
            start, end = state.get("window", ["", ""])
            window = {"suggestedWindow": {"start": start, "end": end}, "explanationURL": "https://acme.test/why"}
            self.answer(state.get("ari", {}), window, state.get("retry_after"))
        else:
            self.send_error(404)

    def answer(self, instead, usual, retry_after):
        """What the state says, or what is usual."""
        body = instead.get("body", json.dumps(usual)).encode()
        if "huge" in instead:
            body = b" " * 200_000 + body
        self.send_response(instead.get("status", 200))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if retry_after is not None:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        if "slow" in instead:
            for octet in body:
                self.wfile.write(bytes([octet]))
                self.wfile.flush()
                time.sleep(1)
        else:
            self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


def main(chain, state, log):
    """Serve for ever."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 14000), Acme)
    server.daemon_threads = True
    server.state, server.log = state, log
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
