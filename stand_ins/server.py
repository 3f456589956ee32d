"""How the stand-ins run: as small servers on loopback."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import TCPServer


@contextmanager
def running(server: TCPServer) -> Iterator[None]:
    """Has a server answer until the end, which it notices at once and does not have to look for."""
    has_ended = threading.Event()

    def serve() -> None:
        while not has_ended.is_set():
            server.handle_request()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        has_ended.set()
        with socket.create_connection(server.server_address[:2]):  # type: ignore[arg-type]  # IPv4
            thread.join()
        server.server_close()
