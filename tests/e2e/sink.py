#!/usr/bin/python3
"""A webhook receiver that keeps what it is told: `sink.py FILE [--port PORT]`.

Every POST becomes a JSON line of FILE: at (Unix time), path, headers (names in lower case), body (as
text), answer. The answer is 200, unless FILE.orders has a line `PATH ANSWER`: a status, or `hang`, which holds the
request until the line is gone or 60 s have passed.
"""

import argparse
import http.server
import json
import os
import threading
import time

HOLD = 60  # seconds
REPLY = b'{"id": 7}'  # as Grafana's API would name what it made


def received(file, path):
    """What came at a path so far, in order; `json` is the body parsed, None when it is no JSON."""
    if not os.path.exists(file):
        return []
    with open(file) as lines:
        found = [json.loads(line) for line in lines if line.endswith("\n")]
    for one in found:
        try:
            one["json"] = json.loads(one["body"])
        except ValueError:
            one["json"] = None
    return [one for one in found if one["path"] == path]


def octets(one):
    """The body as it came, for its signature."""
    return one["body"].encode("utf-8", "surrogateescape")


def order(file, path=None, answer=None):
    """Have a running sink answer otherwise at a path; without one, as usual everywhere."""
    with open(f"{file}.orders.new", "w") as out:
        out.write(f"{path} {answer}\n" if path else "")
    os.rename(f"{file}.orders.new", f"{file}.orders")


class Sink(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port, file):
        super().__init__(("127.0.0.1", port), Visit)
        self.file, self.lock = file, threading.Lock()

    def ordered(self, path):
        """What to answer at a path."""
        try:
            with open(f"{self.file}.orders") as file:
                orders = dict(line.split() for line in file)
        except FileNotFoundError:
            orders = {}
        return orders.get(path, "200")

    def keep(self, record):
        with self.lock, open(self.file, "a") as file:
            file.write(json.dumps(record) + "\n")


class Visit(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.receive("POST")

    def do_PATCH(self):
        self.receive("PATCH")

    def receive(self, method):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.server.ordered(self.path)
        self.server.keep(
            {
                "at": time.time(),
                "path": self.path,
                "method": method,
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "body": body.decode("utf-8", "surrogateescape"),
                "answer": answer,
            }
        )
        if answer == "hang":
            end = time.monotonic() + HOLD
            while self.server.ordered(self.path) == "hang" and time.monotonic() < end:
                time.sleep(0.1)
            self.close_connection = True
            return
        self.answer(int(answer))

    def do_GET(self):
        if self.path == "/":
            self.answer(200)  # for who asks whether we are there
        else:
            self.receive("GET")

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", str(len(REPLY)))
        self.end_headers()
        self.wfile.write(REPLY)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--port", type=int, default=9099)
    options = parser.parse_args()
    Sink(options.port, options.file).serve_forever()


if __name__ == "__main__":
    main()
