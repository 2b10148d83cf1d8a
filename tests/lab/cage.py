"""The cage: namespaces that hold a lab, ways in, and a teardown nothing can escape.

A lab is one PID namespace (so that killing its first process kills everything in it), one network
namespace (so that ports 53 and 25 are free) and one mount namespace (so that /etc/resolv.conf and
/proc are the lab's). Nothing is mounted or named outside; a janitor process, which nobody signals,
waits for the owner to end in whatever way and then removes the files.
"""

import ctypes
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET = 0x00020000, 0x20000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags):
    """unshare(2)."""
    _check(_libc.unshare(flags), "unshare")


def setns(path, kind):
    """Join the namespace behind a /proc/PID/ns/... path."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    _check(_libc.setns(fd, kind), f"setns {path}")
    os.close(fd)


def mount(source, target, kind=None, flags=0):
    """mount(2) without data."""
    encode = lambda text: text.encode() if text is not None else None
    _check(_libc.mount(encode(source), encode(target), encode(kind), ctypes.c_ulong(flags), None), f"mount {target}")


def die_with_parent(number=signal.SIGKILL):
    """Ask the kernel to signal this process when its parent ends."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0), "prctl")


def start_janitor(paths, directory):
    """Fork the janitor. Returns (pid, fd): write the first process's pid to fd, close it to clean.

    paths are removed (files or trees); directory, if given, is removed when it is then empty.
    """
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid:
        os.close(read_end)
        return pid, write_end
    os.setsid()
    os.close(write_end)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # Holding the owner's output open would keep a reader of its pipe waiting.
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    text = b""
    while chunk := os.read(read_end, 64):
        text += chunk
    if text:
        _end_process(int(text))
    for path in paths:
        if os.path.isdir(path):
            shutil.rmtree(path, ignore_errors=True)
        elif os.path.lexists(path):
            os.unlink(path)
    if directory:
        try:
            os.rmdir(directory)
        except OSError:
            pass  # somebody else's file is in it
    os._exit(0)


def _end_process(pid):
    """Kill the first process of a PID namespace and wait (10 s at most) until all of it is gone."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(fd, signal.SIGKILL)
        select.select([fd], [], [], 10)
    except ProcessLookupError:
        pass
    os.close(fd)


def start_first(build, secret_fds=()):
    """Start the first process of a new cage and in it build(). Returns (pid, fd).

    fd yields what build() returned ("ok ..."), or "failed ...", then ends. The calling process's
    later children are born in the new PID namespace. secret_fds are closed in the cage.
    """
    unshare(CLONE_NEWPID)
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write_end)
        return pid, read_end
    try:
        die_with_parent()
        os.setsid()
        for fd in (read_end, *secret_fds):
            os.close(fd)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        unshare(CLONE_NEWNET | CLONE_NEWNS)
        mount("none", "/", None, MS_REC | MS_PRIVATE)
        mount("proc", "/proc", "proc")
        if os.fork() == 0:
            _run_build(build, write_end)
        os.close(write_end)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        while True:
            try:
                os.wait()
            except ChildProcessError:
                time.sleep(3600)  # a cage without daemons: nothing to reap until one is started
    except BaseException as error:
        os.write(write_end, f"failed {error}".encode())
    os._exit(1)


def _run_build(build, fd):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    try:
        text = "ok " + (build() or "")
    except BaseException as error:
        import traceback

        text = f"failed {type(error).__name__}: {error}\n{traceback.format_exc()}"
    os.write(fd, text.encode())
    os._exit(0)


def use_resolver(path):
    """Inside a cage: make /etc/resolv.conf this file."""
    mount(path, os.path.realpath("/etc/resolv.conf"), None, MS_BIND)


def add_users(run, users, groups):
    """Inside a cage: have these users and groups, where this machine does not know them."""
    for path, names, line in (
        ("/etc/group", groups, "{name}:x:{number}:\n"),
        ("/etc/passwd", users, "{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n"),
    ):
        with open(path) as file:
            text = file.read()
        entries = [entry.split(":") for entry in text.splitlines() if entry.count(":") >= 2]
        known, used = {entry[0] for entry in entries}, {entry[2] for entry in entries}
        free = (number for number in range(64000, 65000) if str(number) not in used)
        added = [line.format(name=name, number=next(free)) for name in names if name not in known]
        if not added:
            continue
        copy = f"{run}/{os.path.basename(path)}"
        with open(copy, "w") as file:
            file.write(text + ("" if text.endswith("\n") else "\n") + "".join(added))
        mount(copy, path, None, MS_BIND)


def raise_loopback(addresses6):
    """Inside a cage: bring lo up and give it IPv6 addresses."""
    lines = ["link set lo up"] + [f"addr add {a}/128 dev lo nodad" for a in addresses6]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)


def inode(pid):
    """The identity of a process's network namespace."""
    return os.stat(f"/proc/{pid}/ns/net").st_ino


def run_inside(pid, action, join_pids=True, secret_fds=()):
    """Fork, join the cage of process pid, run action() there. Returns the child's pid.

    action returns an exit status or never returns (exec). join_pids is False for the owner, whose
    children are born in the cage's PID namespace anyway.
    """
    where = os.getcwd()
    keep = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    if join_pids:
        setns(f"/proc/{pid}/ns/pid", CLONE_NEWPID)
    child = os.fork()
    if child:
        if join_pids:
            _check(_libc.setns(keep, CLONE_NEWPID), "setns back")
        os.close(keep)
        return child
    status = 125
    try:
        die_with_parent()
        for fd in (keep, *secret_fds):
            os.close(fd)
        net, mnt = (os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY) for kind in ("net", "mnt"))
        _check(_libc.setns(net, CLONE_NEWNET), "setns net")
        _check(_libc.setns(mnt, CLONE_NEWNS), "setns mnt")
        os.close(net)
        os.close(mnt)
        os.chdir(where)
        status = action() or 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException as error:
        print(f"lab: {type(error).__name__}: {error}", file=sys.stderr)
        status = 125
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def wait_for(child):
    """Wait for a child, handing on signals meant for us. Returns an exit status as a shell would."""

    def hand_on(number, _frame):
        os.kill(child, number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, hand_on)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else 128 - code


def start_relay(pid, listener, port, secret_fds=()):
    """Fork a relay: connections to listener (a socket of the world outside) reach port inside."""
    child = os.fork()
    if child:
        return child
    die_with_parent()
    for fd in secret_fds:
        os.close(fd)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    setns(f"/proc/{pid}/ns/net", CLONE_NEWNET)
    while True:
        outside, _ = listener.accept()
        threading.Thread(target=_relay_one, args=(outside, port), daemon=True).start()


def _relay_one(outside, port):
    try:
        inside = socket.create_connection(("127.0.0.1", port), 10)
    except OSError:
        outside.close()
        return
    inside.settimeout(None)
    back = threading.Thread(target=_pump, args=(inside, outside), daemon=True)
    back.start()
    _pump(outside, inside)
    back.join()
    outside.close()
    inside.close()


def _pump(source, sink):
    """Copy one direction until its end, then pass the end on."""
    try:
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
