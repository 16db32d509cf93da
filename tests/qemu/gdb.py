# SPDX-License-Identifier: BSD-2-Clause
"""As much of QEMU's debugger socket as it takes to write guest-physical memory and device registers."""

import socket


class Gdb:
    """Connecting stops the guest; leaving the `with` block lets it go on."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))

    def __enter__(self):
        assert self.ask("Qqemu.PhyMemMode:1") == "OK"
        return self

    def __exit__(self, *_):
        self.ask("D")
        self.socket.close()

    def receive(self):
        """The text of the next packet."""
        data = b""
        while data[-3:-2] != b"#":
            data += self.socket.recv(1)
        self.socket.sendall(b"+")
        return data[data.rindex(b"$") + 1:-3].decode()

    def ask(self, packet):
        """Sends one packet; the text of the answer. That the guest has stopped is not one."""
        checksum = sum(packet.encode()) & 0xff
        self.socket.sendall(f"${packet}#{checksum:02x}".encode())
        answer = self.receive()
        return self.receive() if answer.startswith("T") else answer

    def write(self, address, value, length):
        data = value.to_bytes(length, "little").hex()
        assert self.ask(f"M{address:x},{length:x}:{data}") == "OK"
