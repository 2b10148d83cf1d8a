"""An HTTPS server for MTA-STS policies (RFC 8461 §3.3).

Run as `sts_server.py ADDRESS STATE`. STATE is JSON: {host name: {"policy": text, "chain": file}}.
The host is that of SNI; no other is served.
"""

import http.server
import json
import ssl
import sys


class Policies(http.server.BaseHTTPRequestHandler):
    """GET /.well-known/mta-sts.txt of the host the client named."""

    def do_GET(self):  # noqa: N802  the base class names it
        host = self.headers.get("Host", "").partition(":")[0]
        policy = self.server.state.get(host, {}).get("policy")
        if policy is None or self.path != "/.well-known/mta-sts.txt":
            self.send_error(404)
            return
        body = policy.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


def main(address, path):
    """Serve for ever."""
    with open(path) as file:
        state = json.load(file)
    contexts = {}
    for host, one in state.items():
        contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[host].load_cert_chain(one["chain"])
    outer = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def choose(connection, name, _context):
        if name not in contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = contexts[name]
        return None

    outer.sni_callback = choose
    server = http.server.ThreadingHTTPServer((address, 443), Policies)
    server.state = state
    server.socket = outer.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
