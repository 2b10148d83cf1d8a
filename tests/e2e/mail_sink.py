#!/usr/bin/python3
"""A mail server that keeps what it takes: `mail_sink.py FOLDER CHAIN PORT`, at 127.0.0.1 with TLS at once. CHAIN is a file
with key and certificate. Every mail becomes FOLDER/N.eml, N from 0; a file is there when the mail was answered for.
"""

import email
import email.policy
import os
import socketserver
import ssl
import sys


def received(folder):
    """The mails so far, in order, parsed."""
    names = [name for name in os.listdir(folder) if name.endswith(".eml")] if os.path.isdir(folder) else []
    out = []
    for name in sorted(names, key=lambda one: int(one.removesuffix(".eml"))):
        with open(f"{folder}/{name}", "rb") as file:
            out.append(email.message_from_binary_file(file, policy=email.policy.default))
    return out


class Visit(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def data(self):
        """Up to the lone dot, without it and without the dots that were doubled."""
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def handle(self):
        self.say("220 sink.test ESMTP")
        while line := self.rfile.readline():
            verb = line.strip().upper().split(b" ")[0].split(b":")[0]
            if verb == b"DATA":
                self.say("354 go on")
                self.keep(self.data())
            self.say("221 bye" if verb == b"QUIT" else "250 sink.test")
            if verb == b"QUIT":
                return

    def keep(self, mail):
        folder = self.server.folder
        name = f"{folder}/{len(os.listdir(folder))}"
        with open(f"{name}.new", "wb") as file:
            file.write(mail)
        os.rename(f"{name}.new", f"{name}.eml")


class Sink(socketserver.TCPServer):
    allow_reuse_address = True

    def __init__(self, folder, chain, port):
        self.folder = folder
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(chain)
        super().__init__(("127.0.0.1", port), Visit)

    def get_request(self):
        connection, peer = super().get_request()
        connection.settimeout(20)
        return self.tls.wrap_socket(connection, server_side=True), peer


if __name__ == "__main__":
    os.makedirs(sys.argv[1], exist_ok=True)
    Sink(sys.argv[1], sys.argv[2], int(sys.argv[3])).serve_forever()
