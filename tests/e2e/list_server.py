#!/usr/bin/python3
"""A source of a list of domains: `list_server.py STATE PORT` answers every GET on 127.0.0.1 with what the JSON file
STATE says at that moment: status, body. Each request becomes a JSON line of STATE.log: path, token.
"""

import http.server
import json
import sys

STATE, PORT = sys.argv[1], int(sys.argv[2])


class Visit(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(f"{STATE}.log", "a") as log:
            log.write(json.dumps({"path": self.path, "token": self.headers.get("Authorization")}) + "\n")
        with open(STATE) as file:
            state = json.load(file)
        body = state.get("body", "").encode()
        self.send_response(state.get("status", 200))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", PORT), Visit).serve_forever()
