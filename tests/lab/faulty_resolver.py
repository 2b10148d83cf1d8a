#!/usr/bin/python3
"""faulty_resolver.py ADDRESS RESOLVER FAULT: a resolver that is good in everything but one thing.

It listens on port 53 of ADDRESS, over UDP and TCP, hands every question on to RESOLVER, and spoils the
replies as FAULT says; see FAULTS. Prints "ready" once it listens, and "asked" for every question over UDP.
"""

import itertools
import socket
import socketserver
import struct
import sys
import threading
import time

CNAME, SOA, MX, AAAA, RRSIG, TLSA = 5, 6, 15, 28, 46, 52
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5
PRIVATE_TYPE = 65280  # in the place of a type that is to be unseen: offsets stay as they are

_count = itertools.count()


def skip_name(message, at):
    """The offset behind the name at `at`."""
    while True:
        length = message[at]
        if length >= 0xC0:
            return at + 2
        at += 1 + length
        if length == 0:
            return at


def question(message):
    """Name (wire form, lower case) and type."""
    end = skip_name(message, 12)
    return message[12:end].lower(), struct.unpack_from("!H", message, end)[0]


def records(message):
    """(offset of the type, type, offset of the data) of every record."""
    counts = struct.unpack_from("!4H", message, 4)
    at = 12
    for _ in range(counts[0]):
        at = skip_name(message, at) + 4
    for _ in range(sum(counts[1:])):
        at = skip_name(message, at)
        kind, _, _, length = struct.unpack_from("!HHIH", message, at)
        yield at, kind, at + 10
        at += 10 + length


def rcode(message):
    return message[3] & 15


def bare(message, code):
    """The question with that RCODE and nothing else."""
    end = skip_name(message, 12) + 4
    flags = struct.unpack_from("!H", message, 2)[0] & 0xFDD0 | 0x8080 | code
    return message[:2] + struct.pack("!5H", flags, 1, 0, 0, 0) + message[12:end]


def without_signatures(message, over):
    out = bytearray(message)
    for at, kind, data in records(message):
        if kind == RRSIG and struct.unpack_from("!H", message, data)[0] in over:
            struct.pack_into("!H", out, at, PRIVATE_TYPE)
    return bytes(out)


def nxdomain_as_servfail(asked, reply):
    """Docker 24.0.0."""
    return bare(reply, SERVFAIL) if rcode(reply) == NXDOMAIN else reply


def strips_alias_signatures(asked, reply):
    return without_signatures(reply, {CNAME})


def strips_tlsa_signatures(asked, reply):
    return without_signatures(reply, {TLSA})


def spoils_tlsa(asked, reply):
    """A byte of the data is another one."""
    out = bytearray(reply)
    for _, kind, data in records(reply):
        if kind == TLSA:
            out[data + 10] ^= 0x55
    return bytes(out)


def drops_tlsa(asked, reply):
    return None if question(asked)[1] == TLSA else reply


def refuses_tlsa(asked, reply):
    return bare(reply, REFUSED) if question(asked)[1] == TLSA else reply


def denies_some(asked, reply):
    """NXDOMAIN for every third name below the top."""
    name, _ = question(asked)
    labels = name.count(b"\x04test")
    return bare(reply, NXDOMAIN) if labels and sum(name) % 3 == 0 else reply


def servfail_to_a_third(asked, reply):
    return bare(reply, SERVFAIL) if next(_count) % 3 == 0 else reply


def wrong_id(asked, reply):
    if next(_count) % 5:
        return reply
    return bytes([reply[0] ^ 0x55]) + reply[1:]


def empty_denials(asked, reply):
    return bare(reply, rcode(reply)) if not struct.unpack_from("!H", reply, 6)[0] else reply


def slow(asked, reply):
    time.sleep(2)
    return reply


def vouches_for_bogus(asked, reply):
    """Sets AD on everything that it has data for; see `handed_on`."""
    return reply[:3] + bytes([reply[3] | 0x20]) + reply[4:]


FAULTS = {
    one.__name__.replace("_", "-"): one
    for one in (
        nxdomain_as_servfail,
        strips_alias_signatures,
        strips_tlsa_signatures,
        spoils_tlsa,
        drops_tlsa,
        refuses_tlsa,
        denies_some,
        servfail_to_a_third,
        wrong_id,
        empty_denials,
        slow,
        vouches_for_bogus,
    )
}
FAULTS["silent"] = lambda asked, reply: None
FAULTS["none"] = lambda asked, reply: reply


def handed_on(asked, fault):
    """What is asked of the good resolver: with checking disabled (CD) where bogus data are to come."""
    return asked[:3] + bytes([asked[3] | 0x10]) + asked[4:] if fault == "vouches-for-bogus" else asked


def exactly(sock, size):
    out = b""
    while len(out) < size:
        more = sock.recv(size - len(out))
        if not more:
            return b""
        out += more
    return out


def main(address, resolver, fault):
    spoil = FAULTS[fault]

    def over_tcp(asked):
        with socket.create_connection((resolver, 53), 5) as other:
            other.sendall(struct.pack("!H", len(asked)) + asked)
            head = exactly(other, 2)
            return exactly(other, struct.unpack("!H", head)[0]) if head else b""

    class Udp(socketserver.BaseRequestHandler):
        def handle(self):
            asked, sock = self.request
            print("asked", flush=True)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                other.settimeout(5)
                other.connect((resolver, 53))
                other.send(handed_on(asked, fault))
                reply = spoil(asked, other.recv(65535))
            if reply:
                sock.sendto(reply, self.client_address)

    class Tcp(socketserver.BaseRequestHandler):
        def handle(self):
            head = exactly(self.request, 2)
            if not head:
                return
            asked = exactly(self.request, struct.unpack("!H", head)[0])
            reply = spoil(asked, over_tcp(handed_on(asked, fault)))
            if reply:
                self.request.sendall(struct.pack("!H", len(reply)) + reply)

    class UdpServer(socketserver.ThreadingUDPServer):
        daemon_threads = True
        max_packet_size = 65535

    class TcpServer(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    servers = (UdpServer((address, 53), Udp), TcpServer((address, 53), Tcp))
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
