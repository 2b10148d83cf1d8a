#!/usr/bin/python3
"""Mailbox services as scripted: `mailbox_server.py STATE`. STATE is JSON, a list of {"address", "port", "protocol",
"chain", "mode"}, read again at every connection, the chain (key and certificates, PEM) as well.

Protocols: imap, pop3, sieve (each with STARTTLS); imaps, pop3s (TLS at once). Modes: normal; nostarttls; refuse (NO to
STARTTLS); bye (the greeting is a refusal); inject (octets in clear behind the answer to STARTTLS); endless (capabilities
without end); silent (no greeting); busy (a refusal under TLS).
"""

import json
import socketserver
import ssl
import sys
import threading
import time

STATE = sys.argv[1]

GREETINGS = {
    "imap": ("* OK [CAPABILITY IMAP4rev1{tls}] ready", "* BYE too many connections"),
    "pop3": ("+OK ready", "-ERR [SYS/TEMP] later"),
    "sieve": ('"IMPLEMENTATION" "scripted"\r\n"SASL" ""{tls}\r\nOK "ready"', 'BYE "too many"'),
}
OFFERS = {"imap": " STARTTLS", "pop3": "STLS", "sieve": '\r\n"STARTTLS"'}
AGREES = {"imap": "a2 OK begin", "pop3": "+OK begin", "sieve": 'OK "begin"'}
REFUSES = {"imap": "a2 NO not now", "pop3": "-ERR not now", "sieve": 'NO "not now"'}


def row(address, port):
    with open(STATE) as file:
        return next(one for one in json.load(file) if (one["address"], one["port"]) == (address, port))


class Visit(socketserver.BaseRequestHandler):
    def say(self, text):
        self.connection.sendall((text + "\r\n").encode())

    def hear(self):
        line = b""
        while not line.endswith(b"\n"):
            octet = self.connection.recv(1)
            if not octet:
                raise ConnectionError
            line += octet
        return line.decode("latin-1").strip()

    def begin_tls(self, one):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(one["chain"])
        self.connection = context.wrap_socket(self.connection, server_side=True)

    def greet(self, protocol, one, offers):
        good, bad = GREETINGS[protocol]
        self.say(bad if one["mode"] == "bye" else good.format(tls=OFFERS[protocol] if offers else ""))

    def list_capabilities(self, protocol, one, tag, offers):
        lines = {"imap": [f"* CAPABILITY IMAP4rev1{OFFERS['imap'] if offers else ''}", f"{tag} OK done"]}
        lines["pop3"] = ["+OK", "TOP", *([OFFERS["pop3"]] if offers else []), "."]
        if one["mode"] == "endless":
            while True:
                self.say("* CAPABILITY X" if protocol == "imap" else "X" * 100)
        for line in lines[protocol]:
            self.say(line)

    def handle(self):
        self.connection = self.request
        one = row(*self.server.server_address[:2])
        try:
            self.talk(one)
        except (OSError, ConnectionError, ValueError):
            pass

    def talk(self, one):
        protocol = one["protocol"]
        if one["mode"] == "silent":
            time.sleep(3600)
        is_secure = protocol.endswith("s")
        if is_secure:
            protocol = protocol[:-1]
            self.begin_tls(one)
            if one["mode"] == "busy":
                return self.say(GREETINGS[protocol][1])
        offers = not is_secure and one["mode"] != "nostarttls"
        self.greet(protocol, one, offers)
        while True:
            tag, _, command = self.hear().rpartition(" ")
            command = command.upper()
            if command in ("CAPABILITY", "CAPA"):
                self.list_capabilities(protocol, one, tag, offers)
            elif command in ("STARTTLS", "STLS") and offers:
                if one["mode"] == "refuse":
                    self.say(REFUSES[protocol])
                    continue
                extra = "\r\n* OK injected" if one["mode"] == "inject" else ""
                self.say(AGREES[protocol] + extra)
                self.begin_tls(one)
                offers = False
                if protocol == "sieve":
                    self.greet(protocol, one, offers)
            elif command in ("LOGOUT", "QUIT"):
                return None
            else:
                self.say("?")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main():
    with open(STATE) as file:
        places = [(one["address"], one["port"]) for one in json.load(file)]
    servers = [Server(place, Visit) for place in places]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


main()
