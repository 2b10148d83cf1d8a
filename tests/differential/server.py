"""The mail servers of all recipes in one process: `server.py STATE READY`.

STATE is JSON: address -> {host, chains, tls, sni, banner, ehlo, helo, starttls, after}. What is said is a text whose
lines are divided by "|"; {host} is the host's name; the line "close" ends the connection. Every mail is accepted and
thrown away. To a client that calls itself PLAIN, STARTTLS is not offered: whoever delivers all the same did not insist.
"""

import json
import resource
import selectors
import socket
import ssl
import sys
import threading
import warnings

PLAIN = "plain.test"
PORT, IDLE = 25, 30
IP_FREEBIND, IPV6_FREEBIND = 15, 78


class Session:
    def __init__(self, connection, place):
        self.socket, self.place = connection, place
        self.buffer, self.secure = b"", False

    def say(self, script):
        """Send a script. False: it ended with "close"."""
        lines = script.replace("{host}", self.place["host"]).split("|")
        is_closed = lines[-1] == "close"
        text = "".join(line + "\r\n" for line in (lines[:-1] if is_closed else lines))
        if text:
            self.socket.sendall(text.encode())
        return not is_closed

    def hear(self):
        while b"\n" not in self.buffer:
            chunk = self.socket.recv(4096)
            if not chunk:
                return None
            self.buffer += chunk
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.strip().decode("latin-1")

    def run(self):
        if not self.say(self.place["banner"]):
            return
        while (line := self.hear()) is not None:
            verb, _, argument = line.partition(" ")
            if not self.answer(verb.upper(), argument):
                return

    def answer(self, verb, argument):
        if verb == "EHLO":
            return self.say(self.place["after"] if self.secure else self.ehlo(argument))
        if verb == "HELO":
            return self.say(self.place["helo"])
        if verb == "STARTTLS":
            return self.start_tls()
        if verb == "DATA":
            self.say("354 Go on")
            while (line := self.hear()) is not None and line != ".":
                pass
            return line is not None and self.say("250 2.0.0 Taken " + ("over TLS" if self.secure else "in clear"))
        if verb == "QUIT":
            self.say("221 2.0.0 Bye")
            return False
        return self.say("250 2.0.0 Ok" if verb in ("MAIL", "RCPT", "RSET", "NOOP") else "502 5.5.2 What?")

    def ehlo(self, name):
        script = self.place["ehlo"]
        if name.lower() != PLAIN or "STARTTLS" not in script.upper():
            return script
        lines = [line for line in script.split("|") if "STARTTLS" not in line.upper()]
        return "|".join(lines if lines and lines[-1][3:4] in (" ", "") else [*lines, "250 OK"])

    def start_tls(self):
        script, mode = self.place["starttls"], self.place["tls"]
        if self.secure:
            return self.say("503 5.5.1 Already")
        last = script.split("|")[-1]
        is_accepted = last[:1] == "2" and last[3:4] in ("", " ")
        if is_accepted and mode == "inject":
            script += "|250-injected.invalid|250 X-INJECTED"
        if not self.say(script):
            return False
        if not is_accepted:
            return True
        if mode == "close":
            return False
        if mode == "garbage":
            return self.say("this is no TLS|close")
        if mode == "stall":
            self.hear()
            self.hear()
            return False
        self.buffer = b""
        self.socket = self.context().wrap_socket(self.socket, server_side=True)
        self.secure = True
        return mode != "late-close"

    def context(self):
        mode, version = self.place["tls"], ssl.TLSVersion
        one = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        one.set_ciphers(
            "aNULL:@SECLEVEL=0" if mode == "anonymous" else "DHE:@SECLEVEL=0" if mode == "dh" else "DEFAULT:@SECLEVEL=0"
        )
        for chain in self.place["chains"]:
            one.load_cert_chain(chain)
        one.maximum_version = {
            "tls10": version.TLSv1,
            "tls11": version.TLSv1_1,
            "tls12": version.TLSv1_2,
            "anonymous": version.TLSv1_2,
            "dh": version.TLSv1_2,
        }.get(mode, version.MAXIMUM_SUPPORTED)
        one.minimum_version = version.TLSv1_3 if mode == "tls13" else version.TLSv1
        if mode in ("ask-client", "need-client"):
            one.verify_mode = ssl.CERT_OPTIONAL if mode == "ask-client" else ssl.CERT_REQUIRED
            one.load_verify_locations(self.place["chains"][0])
        elif mode == "alert":
            one.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        elif mode == "sni":
            one.sni_callback = (
                lambda _, name, __: None if name == self.place["sni"] else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            )
        return one


def serve(connection, place):
    session = Session(connection, place)
    try:
        connection.settimeout(IDLE)
        session.run()
    except (OSError, ValueError):
        pass
    finally:
        session.socket.close()


def listen(address):
    """A listening socket; the address need not be any interface's."""
    is_six = ":" in address
    one = socket.socket(socket.AF_INET6 if is_six else socket.AF_INET, socket.SOCK_STREAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.IPPROTO_IPV6 if is_six else socket.IPPROTO_IP, IPV6_FREEBIND if is_six else IP_FREEBIND, 1)
    one.bind((address, PORT))
    one.listen(64)
    return one


def main(state, ready):
    with open(state) as file:
        places = json.load(file)
    warnings.simplefilter("ignore", DeprecationWarning)  # of old TLS versions, which some are to speak
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    threading.stack_size(512 << 10)
    selector = selectors.DefaultSelector()
    for address, place in places.items():
        selector.register(listen(address), selectors.EVENT_READ, place)
    with open(ready, "w"):
        pass
    while True:
        for key, _ in selector.select():
            connection, _ = key.fileobj.accept()
            threading.Thread(target=serve, args=(connection, key.data), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
