"""The test CA: root, intermediate, one leaf per host; and TLSA data computed from what is served.

Under RUN/pki: root and inter (.pem, .key); live/HOST.KIND.pem and next/HOST.KIND.pem, each holding
private key, leaf, intermediate in that order, the form Postfix's smtpd_tls_chain_files wants.
"""

import base64
import hashlib
import os
import subprocess

_CONFIG = "[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=unused\n"
_KEYS = {"ecdsa": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["-newkey", "rsa:2048"]}


def _issue(pki, out, subject, extensions, key="ecdsa", issuer=None, days=200):
    """One `openssl req -x509`: new key and certificate at out.key and out.pem."""
    command = [
        "openssl",
        "req",
        "-x509",
        "-config",
        f"{pki}/openssl.cnf",
        *_KEYS[key],
        "-nodes",
        "-keyout",
        f"{out}.key",
        "-out",
        f"{out}.pem",
        "-days",
        str(days),
        "-sha256",
        "-subj",
        subject if subject.startswith("/") else f"/CN={subject}",
    ]
    if issuer:
        command += ["-CA", f"{pki}/{issuer}.pem", "-CAkey", f"{pki}/{issuer}.key"]
    for extension in extensions:
        command += ["-addext", extension]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"openssl for {subject}: {done.stderr.strip()}")


def create_ca(pki):
    """Make the root and the intermediate."""
    for place in ("live", "next"):
        os.makedirs(f"{pki}/{place}")
    _write(f"{pki}/openssl.cnf", _CONFIG)
    ca = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
    _issue(pki, f"{pki}/root", "danelaw lab root", ca, days=3650)
    _issue(pki, f"{pki}/inter", "danelaw lab intermediate", ca, issuer="root", days=1825)


def add_intermediate(pki, name):
    """Make another intermediate of the root, of an organisation as CAs of the Web have one."""
    ca = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
    _issue(pki, f"{pki}/{name}", f"/O=danelaw lab/CN={name}", ca, issuer="root", days=1825)


def kinds(key):
    """The certificate kinds of a host whose key is "ecdsa", "rsa" or "dual"."""
    return ["ecdsa", "rsa"] if key == "dual" else [key]


def _names(host, kind):
    """Subject CN and SAN of a leaf."""
    san = {
        "othername": "elsewhere.test",
        "othersan": "elsewhere.test",
        "cnonly": "",
        "nexthop": host.partition(".")[2],
    }.get(kind, host)
    return ("elsewhere.test" if kind == "othername" else host), san


def issue(pki, place, host, key, cert="", sends="inter", issuer="inter", days=200):
    """Make new key(s) and certificate(s) for a host, at place "live" or "next".

    cert: "" (sound), expired, othername, othersan (the CN alone is the host's), cnonly (no SAN),
    nexthop (the domain above the host). sends: what stands behind the leaf. issuer: the intermediate.
    """
    subject, san = _names(host, cert)
    behind = {"leaf": [], "inter": [issuer], "root": [issuer, "root"], "many": [issuer] * 300}[sends]
    for kind in kinds(key):
        out = f"{pki}/{place}/.{host}.{kind}"
        extensions = ["basicConstraints=CA:FALSE", "keyUsage=digitalSignature", "extendedKeyUsage=serverAuth"]
        if san:
            extensions.insert(0, f"subjectAltName=DNS:{san}")
        _issue(pki, out, subject, extensions, key=kind, issuer=issuer, days=days)
        if cert == "expired":
            _backdate(pki, out, extensions)
        parts = [_read(f"{out}.key"), _read(f"{out}.pem"), *[_read(f"{pki}/{ca}.pem") for ca in behind]]
        _write(f"{out}.all", "".join(parts))
        # One rename, so that no connection ever sees a key without its certificate.
        os.rename(f"{out}.all", chain_file(pki, place, host, kind))
        os.unlink(f"{out}.key")
        os.unlink(f"{out}.pem")


def _backdate(pki, out, extensions):
    """Issue the certificate of a key again, over since 2021."""
    _write(f"{out}.ext", "\n".join(extensions) + "\n")
    _write(f"{out}.index", "")
    _write(
        f"{out}.cnf",
        "[ca]\ndefault_ca=d\n[d]\npolicy=p\ndefault_md=sha256\nunique_subject=no\nrand_serial=yes\n"
        f"new_certs_dir={os.path.dirname(out)}\ndatabase={out}.index\n[p]\ncommonName=supplied\n",
    )
    steps = (
        ["openssl", "x509", "-x509toreq", "-in", f"{out}.pem", "-signkey", f"{out}.key", "-out", f"{out}.csr"],
        [
            "openssl",
            "ca",
            "-batch",
            "-notext",
            "-config",
            f"{out}.cnf",
            "-cert",
            f"{pki}/inter.pem",
            "-keyfile",
            f"{pki}/inter.key",
            "-startdate",
            "20200101000000Z",
            "-enddate",
            "20210101000000Z",
            "-extfile",
            f"{out}.ext",
            "-in",
            f"{out}.csr",
            "-out",
            f"{out}.pem",
        ],
    )
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(step[:3])}: {done.stderr.strip()}")


def chain_file(pki, place, host, kind):
    """Where the chain of a host lies."""
    return f"{pki}/{place}/{host}.{kind}.pem"


def has_next(pki, host, key):
    """Whether a next certificate was prepared."""
    return all(os.path.exists(chain_file(pki, "next", host, kind)) for kind in kinds(key))


def deploy_next(pki, host, key):
    """The prepared certificate(s) go live."""
    for kind in kinds(key):
        os.rename(chain_file(pki, "next", host, kind), chain_file(pki, "live", host, kind))


def tlsa(pki, place, host, key, usage=3, selector=1, mtype=1, of=""):
    """TLSA record data for a host: usages 0 and 2 take the intermediate, 1 and 3 the leaf.

    of: root (the root instead), rsa (the other key of a dual host), pem (the leaf's PEM text).
    """
    if usage in (0, 2):
        certificate = read_certificates(f"{pki}/{'root' if of == 'root' else 'inter'}.pem")[0]
    else:
        path = chain_file(pki, place, host, of if of == "rsa" else kinds(key)[0])
        certificate = read_certificates(path)[0]
    if of == "pem":
        text = base64.encodebytes(certificate).decode().replace("\n", "")
        lines = [text[i : i + 64] for i in range(0, len(text), 64)]
        pem = "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
        return f"{usage} {selector} {mtype} " + hashlib.sha256(pem.encode()).hexdigest()
    return f"{usage} {selector} {mtype} " + association(certificate, selector, mtype)


def association(certificate, selector, mtype):
    """Certificate association data in hex from a DER certificate. RFC 6698 §2.1.4."""
    data = public_key(certificate) if selector == 1 else certificate
    if mtype == 1:
        data = hashlib.sha256(data).digest()
    elif mtype == 2:
        data = hashlib.sha512(data).digest()
    return data.hex()


def read_certificates(path):
    """The DER certificates of a PEM file, in order."""
    blocks = _read(path).split("-----BEGIN CERTIFICATE-----")[1:]
    return [base64.b64decode(block.split("-----END")[0]) for block in blocks]


def public_key(certificate):
    """The SubjectPublicKeyInfo of a DER certificate, header included."""
    _, body, _ = _element(certificate, 0)  # Certificate
    _, at, _ = _element(certificate, body)  # TBSCertificate
    tag, _, end = _element(certificate, at)
    if tag == 0xA0:  # explicit version
        at = end
    for _ in range(5):  # serial, algorithm, issuer, validity, subject
        _, _, at = _element(certificate, at)
    _, _, end = _element(certificate, at)
    return certificate[at:end]


def _element(data, at):
    """Tag, start of content and end of the DER element at an offset."""
    length, start = data[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        length, start = int.from_bytes(data[start : start + octets], "big"), start + octets
    return data[at], start, start + length


def _read(path):
    with open(path) as file:
        return file.read()


def _write(path, text):
    with open(path, "w") as file:
        file.write(text)
