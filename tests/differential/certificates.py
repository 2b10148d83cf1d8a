"""Certificates for recipes: a root, intermediates, leaves of every key type, and TLSA data made from them."""

import datetime
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_NOW = datetime.datetime.utcnow()
_DAY = datetime.timedelta(days=1)
_DATES = {"ok": (-30, 200), "expired": (-400, -30), "future": (30, 400)}
_MAKERS = {
    "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "rsa1024": lambda: rsa.generate_private_key(65537, 1024),
}
_KEPT = {"ecdsa": 1 << 30, "rsa": 4, "rsa1024": 2}  # how many keys of a type are made: RSA keys are dear


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def spki(certificate):
    return certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


class Authority:
    def __init__(self):
        self.keys = {}
        self.count = 0
        self.ca = {}  # name -> (certificate, key)
        self._make_ca("root", "root", "ok")
        self._make_ca("oldroot", "oldroot", "expired")
        self._make_ca("other", "root", "ok")
        self._make_ca("inter", "root", "ok")
        self._make_ca("oldinter", "root", "expired")
        self._make_ca("notca", "root", "ok", is_ca=False)
        self._make_ca("underold", "oldroot", "ok")

    def key(self, kind):
        """A key of a kind; RSA keys come around again."""
        pool = self.keys.setdefault(kind, [])
        if len(pool) < _KEPT.get(kind, 4):
            pool.append(_MAKERS[kind]())
            return pool[-1]
        self.count += 1
        return pool[self.count % len(pool)]

    def _make_ca(self, name, issuer, dates, is_ca=True):
        key = self.key("ecdsa")
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"differential {name}")])
        by = self.ca.get(issuer, (None, key))
        builder = self._builder(subject, by[0].subject if by[0] else subject, key, dates)
        builder = builder.add_extension(x509.BasicConstraints(is_ca, None), True)
        if is_ca:
            builder = builder.add_extension(
                x509.KeyUsage(False, False, False, False, False, True, True, False, False), True
            )
        self.ca[name] = (builder.sign(by[1], hashes.SHA256()), key)

    def _builder(self, subject, issuer, key, dates):
        start, end = _DATES[dates]
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_NOW + start * _DAY)
            .not_valid_after(_NOW + end * _DAY)
        )

    def leaf(self, spec, key_kind, common_name, names):
        """(leaf, its key, what is sent behind it, {"inter", "root"} for TLSA) as a recipe's cert has it."""
        key = self.key(key_kind)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])
        issuer = {"oldroot": "underold"}.get(spec["issuer"], spec["issuer"])
        by = (None, key) if issuer == "self" else self.ca[issuer]
        builder = self._builder(subject, by[0].subject if by[0] else subject, key, spec["dates"])
        builder = builder.add_extension(x509.BasicConstraints(False, None), True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
        leaf = builder.sign(by[1], None if isinstance(by[1], ed25519.Ed25519PrivateKey) else hashes.SHA256())
        root = self.ca["oldroot" if spec["issuer"] == "oldroot" else "root"][0]
        inter = root if issuer in ("root", "self") else self.ca[issuer][0]
        behind = (
            []
            if issuer == "self"
            else []
            if spec["sends"] == "leaf"
            else {
                "inter": [inter],
                "inter+root": [inter, root],
                "root": [root],
                "root+inter": [root, inter],
                "inter+inter": [inter, inter],
                "other": [self.ca["other"][0]],
            }[spec["sends"]]
        )
        return leaf, key, behind, {"inter": inter, "root": root}


def pem(key, certificates):
    """Key and chain as OpenSSL loads them."""
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (text + b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)).decode()


def tlsa(record, leaf, anchors, salt):
    """The data of a TLSA record in hex. salt: makes what is wrong different each time."""
    _, selector, mtype, of = record
    if of == "empty":
        return ""
    if of == "junk":
        return hashlib.sha256(salt.encode()).hexdigest() * 2
    if of == "wrong":
        data = hashlib.sha512(salt.encode()).digest() * 2
    else:
        certificate = leaf if of not in anchors else anchors[of]
        data = der(certificate) if selector == 0 else spki(certificate)
    if mtype in (1, 3, 255) or mtype > 3:
        data = hashlib.sha256(data).digest()
    elif mtype == 2:
        data = hashlib.sha512(data).digest()
    return (data[:-1] if of == "short" else data + b"\1" if of == "long" else data).hex()
