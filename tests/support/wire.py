"""What lies between a client and a server on a socket of Unix, and can be cut: then nothing comes through, and nobody is
told.
"""

import contextlib
import os
import shutil
import socket
import tempfile
import threading


class Wire:
    def __init__(self, server, name):
        """server: the folder of the server's socket; name: that of the socket, in it and in `dir`."""
        self.dir = tempfile.mkdtemp(prefix="danelaw-wire-")
        self._server = os.path.join(server, name)
        self._is_whole = threading.Event()
        self._is_whole.set()
        self._sockets = [socket.socket(socket.AF_UNIX)]
        self._sockets[0].bind(os.path.join(self.dir, name))
        self._sockets[0].listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        self._is_whole.clear()

    def mend(self):
        self._is_whole.set()

    def close(self):
        self.mend()
        for one in list(self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._sockets[0].accept()
                far = socket.socket(socket.AF_UNIX)
                self._sockets += [near, far]
                threading.Thread(target=self._carry, args=(near, far, True), daemon=True).start()

    def _carry(self, source, sink, is_first=False):
        with contextlib.suppress(OSError):
            if is_first:
                self._is_whole.wait()
                sink.connect(self._server)
                threading.Thread(target=self._carry, args=(sink, source), daemon=True).start()
            while True:
                octets = source.recv(65536)
                self._is_whole.wait()
                if not octets:
                    break
                sink.sendall(octets)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
