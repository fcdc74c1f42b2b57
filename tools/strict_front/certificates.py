"""The certificates of a farm on this machine: an authority of its own, as a company has one."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificates:
    """Files of an authority and of the server that it vouches for."""

    authority: Path
    server: Path
    key: Path

    @classmethod
    def make(cls, folder: Path) -> Certificates:
        """Make them in a folder."""
        authority = trustme.CA()
        server = authority.issue_cert("127.0.0.1", "localhost", "host.docker.internal")
        made = cls(folder / "authority.pem", folder / "server.pem", folder / "server.key")
        authority.cert_pem.write_to_path(made.authority)
        for part in server.cert_chain_pems:
            part.write_to_path(made.server, append=True)
        server.private_key_pem.write_to_path(made.key)
        return made

    def own(self) -> ssl.SSLContext:
        """What a server shows."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server, self.key)
        return context

    def trusted(self) -> ssl.SSLContext:
        """What a client trusts."""
        return ssl.create_default_context(cafile=self.authority)
