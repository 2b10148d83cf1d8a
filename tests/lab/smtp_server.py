"""A scripted SMTP server that does what real servers refuse to do.

Run as `smtp_server.py STATE SOCKET`. STATE is JSON: a list of {"host", "addresses", "mode",
"chains"}. Whoever connects to the unix socket SOCKET makes it read STATE again and is told "ok" or
what went wrong. Certificates are read at every connection, so a renamed file is live at once.

Modes, what is sent: normal; multiline (banner), ansi (control characters in banner and EHLO);
nostarttls, hidden (STARTTLS works all the same), stripped (STARTTLS reads XXXXXXXA), lowercase,
longehlo (a line of 5000 octets); tempfail (454), syntax (501), ok250 (to STARTTLS);
garbage, reject (554), busy (421), tarpit (banner after 20 s), drip (banner one octet a second),
close-banner, close-starttls; endless (250- lines without end), longline (one line without end),
helo-only; strict-helo (as Exim, no underscore in the name); selective (no STARTTLS for clients that call themselves
"far.…"). Of TLS: inject (plaintext right behind the 220 to STARTTLS), late-inject (after the ClientHello), stall (no handshake), tls11, tls12, tls13, anonymous, sni (the right chain only for the
right name), unrecognized (an alert for any name), ask-client (for a certificate), need-client,
tls-busy (421 to EHLO under TLS).
"""

import json
import os
import selectors
import socket
import ssl
import sys
import threading

MODES = (
    "normal",
    "multiline",
    "ansi",
    "nostarttls",
    "hidden",
    "stripped",
    "lowercase",
    "longehlo",
    "tempfail",
    "syntax",
    "ok250",
    "garbage",
    "reject",
    "busy",
    "tarpit",
    "drip",
    "close-banner",
    "close-starttls",
    "endless",
    "longline",
    "helo-only",
    "strict-helo",
    "selective",
    "inject",
    "late-inject",
    "stall",
    "tls11",
    "tls12",
    "tls13",
    "anonymous",
    "sni",
    "unrecognized",
    "ask-client",
    "need-client",
    "tls-busy",
)

PORT = 25
IDLE = 120  # seconds without a command before a session is dropped
TARPIT = 20  # seconds before a tarpit's banner
FLOOD = 64 << 20  # octets after which an endless reply gives up: far beyond any sane limit


class Session:
    """One connection. Speaks SMTP as the mode says, until the client leaves or the mode does."""

    def __init__(self, connection, place):
        self.socket = connection
        self.host, self.mode, self.chains = place["host"], place["mode"], place["chains"]
        self.buffer = b""
        self.secure = False
        self.is_far = False

    def say(self, text):
        """Send one line or several."""
        self.socket.sendall(text.encode() + b"\r\n")

    def hear(self):
        """The next command line without its end; None when the client is gone."""
        while b"\n" not in self.buffer:
            if len(self.buffer) > 8192:
                return None
            chunk = self.socket.recv(4096)
            if not chunk:
                return None
            self.buffer += chunk
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.strip().decode("latin-1")

    def hold(self, seconds):
        """Do nothing for a while. False when the client left meanwhile."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(4096):
                pass
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(IDLE)

    def run(self):
        """The whole session."""
        if not self.greet():
            return
        while (line := self.hear()) is not None:
            verb = line.split(" ")[0].upper()
            if verb == "QUIT":
                self.say("221 2.0.0 Bye")
                return
            if verb == "STARTTLS":
                if not self.start_tls():
                    return
            elif verb in ("EHLO", "HELO"):
                self.introduce(verb, line[5:])
            elif verb == "DATA":
                self.take_message()
            elif verb in ("MAIL", "RCPT", "RSET", "NOOP"):
                self.say("250 2.0.0 Ok")
            else:
                self.say("502 5.5.2 Command not recognised")

    def greet(self):
        """The banner. False: the session ends here."""
        banner = f"220 {self.host} ESMTP scripted"
        if self.mode == "garbage":
            self.socket.sendall(b"\x00\x01\xff\xfe SSH-2.0-nothing \x1b[31mhere\r\n")
            return False
        if self.mode in ("reject", "busy"):
            self.say(
                {
                    "reject": f"554 5.7.1 {self.host} no SMTP service here",
                    "busy": f"421 4.3.2 {self.host} too busy, try again later",
                }[self.mode]
            )
            return False
        if self.mode == "tarpit" and not self.hold(TARPIT):
            return False
        if self.mode == "drip":
            for octet in (banner + "\r\n").encode():
                self.socket.sendall(bytes([octet]))
                if not self.hold(1):
                    return False
            return True
        if self.mode == "multiline":
            self.say(f"220-{self.host} speaks\r\n220-in several lines\r\n220 at last")
        elif self.mode == "ansi":
            self.say(f"220 {self.host} \x1b[2J\x1b[31mred\x07 <script>alert(1)</script> \x9b31m")
        else:
            self.say(banner)
        return self.mode != "close-banner"

    def introduce(self, verb, name):
        """The answer to EHLO or HELO."""
        if self.mode == "strict-helo" and "_" in name:
            self.say(f"501 Syntactically invalid {verb} argument(s)")
        elif self.mode == "tls-busy" and self.secure:
            self.say("421 4.3.2 busy under TLS")
        elif verb == "HELO":
            self.say(f"250 {self.host}")
        elif self.mode == "helo-only":
            self.say("502 5.5.1 EHLO not implemented")
        elif self.mode == "endless":
            for count in range(FLOOD // 32):
                self.say(f"250-X-EXTENSION-{count:012d}")
        elif self.mode == "longline":
            self.socket.sendall(b"250-")
            for _ in range(FLOOD >> 16):
                self.socket.sendall(b"A" * 65536)
        else:
            self.is_far = self.mode == "selective" and name.startswith("far.")
            extensions = ["PIPELINING", "SIZE 10240000", "8BITMIME"]
            keyword = {"stripped": "XXXXXXXA", "lowercase": "starttls now", "nostarttls": None, "hidden": None}.get(
                self.mode, "STARTTLS"
            )
            if keyword and not self.secure and not self.is_far:
                extensions.insert(1, keyword)
            if self.mode == "longehlo":
                extensions.insert(0, "X-LONG " + "A" * 5000)
            lines = [self.host, *extensions]
            self.say("\r\n".join(f"250{' ' if i == len(lines) - 1 else '-'}{line}" for i, line in enumerate(lines)))

    def start_tls(self):
        """STARTTLS as the mode has it. False: the session ends here."""
        refusals = {
            "tempfail": "454 4.7.0 TLS not available due to temporary reason",
            "syntax": "501 5.5.4 Syntax error (no parameters allowed)",
            "nostarttls": "502 5.5.1 Command not implemented",
            "stripped": '500 5.5.2 Command unrecognized: "XXXXXXXA"',
        }
        if self.is_far:
            self.say(refusals["nostarttls"])
            return True
        if self.secure or self.mode in refusals:
            self.say(refusals.get(self.mode, "503 5.5.1 TLS already active"))
            return True
        ready = "250 2.0.0 Go on" if self.mode == "ok250" else "220 2.0.0 Ready to start TLS"
        if self.mode == "inject":
            ready += "\r\n250-injected.invalid\r\n250 X-INJECTED"  # one segment with the 220
        self.say(ready)
        if self.mode == "close-starttls":
            return False
        if self.mode == "stall":
            self.hold(IDLE)
            return False
        if self.mode == "late-inject":
            self.socket.recv(4096)
            self.say("250 injected.invalid")
            return False
        # Whatever was pipelined in plaintext before the handshake must not be believed after it.
        self.buffer = b""
        self.socket = self.context().wrap_socket(self.socket, server_side=True)
        self.secure = True
        return True

    def context(self):
        """TLS as the mode has it."""

        def serving(chains):
            one = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            for chain in chains:
                one.load_cert_chain(chain)
            return one

        right = serving(self.chains)
        place = os.path.dirname(self.chains[0])
        if self.mode == "tls11":
            right.set_ciphers("DEFAULT:@SECLEVEL=0")
            right.minimum_version, right.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        elif self.mode == "tls12":
            right.maximum_version = ssl.TLSVersion.TLSv1_2
        elif self.mode == "tls13":
            right.minimum_version = ssl.TLSVersion.TLSv1_3
        elif self.mode == "anonymous":
            right.maximum_version = ssl.TLSVersion.TLSv1_2
            right.set_ciphers("aNULL:@SECLEVEL=0")
        elif self.mode in ("ask-client", "need-client"):
            right.verify_mode = ssl.CERT_OPTIONAL if self.mode == "ask-client" else ssl.CERT_REQUIRED
            right.load_verify_locations(os.path.join(place, "..", "root.pem"))
        elif self.mode == "unrecognized":
            right.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        elif self.mode == "sni":
            other = serving([os.path.join(place, "mx.healthy.test.ecdsa.pem")])

            def choose(connection, name, _context):
                if name == self.host:
                    connection.context = right

            other.sni_callback = choose
            return other
        return right

    def take_message(self):
        """DATA: swallow the message."""
        self.say("354 End data with <CR><LF>.<CR><LF>")
        while (line := self.hear()) is not None and line != ".":
            pass
        if line == ".":
            self.say("250 2.0.0 Ok: thrown away")


def serve(connection, place):
    """A session in its own thread; no fault of it concerns the others."""
    session = Session(connection, place)
    try:
        connection.settimeout(IDLE)
        session.run()
    except (OSError, ssl.SSLError):
        pass
    finally:
        session.socket.close()


def listen(address):
    """A listening socket at port 25 of an address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listener.bind((address, PORT))
    listener.listen(64)
    return listener


class Server:
    """The listening sockets, kept equal to what STATE says."""

    def __init__(self, state):
        self.state = state
        self.selector = selectors.DefaultSelector()
        self.listeners = {}  # address -> socket
        self.places = {}  # address -> its entry of STATE

    def reload(self):
        """Open and close listeners until they are those of STATE."""
        with open(self.state) as file:
            entries = json.load(file)
        self.places = {address: entry for entry in entries for address in entry["addresses"]}
        for address in set(self.listeners) - set(self.places):
            listener = self.listeners.pop(address)
            self.selector.unregister(listener)
            listener.close()
        for address in set(self.places) - set(self.listeners):
            listener = listen(address)
            self.listeners[address] = listener
            self.selector.register(listener, selectors.EVENT_READ, address)

    def run(self, control_path):
        """Serve for ever."""
        self.reload()
        control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        if os.path.exists(control_path):
            os.unlink(control_path)
        control.bind(control_path)
        control.listen(8)
        self.selector.register(control, selectors.EVENT_READ, None)
        while True:
            for key, _ in self.selector.select():
                if key.fileobj.fileno() < 0:
                    continue  # closed by a reload in this very turn
                connection, _ = key.fileobj.accept()
                if key.data is not None:
                    threading.Thread(target=serve, args=(connection, self.places[key.data]), daemon=True).start()
                    continue
                try:
                    self.reload()
                    answer = "ok"
                except (OSError, ValueError, KeyError) as error:
                    answer = f"failed {error}"
                try:
                    connection.sendall(answer.encode())
                except OSError:
                    pass
                connection.close()


def ask_reload(control_path):
    """For others: make the running server read its state. Raises OSError when it could not."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
        control.settimeout(10)
        control.connect(control_path)
        answer = control.recv(4096).decode()
    if answer != "ok":
        raise OSError(f"scripted server: {answer}")


if __name__ == "__main__":
    Server(sys.argv[1]).run(sys.argv[2])
