"""Web configurations of a real Prometheus for tests: certificates of a private authority, user and password."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USER, PASSWORD = "judge", "s3cret-password"
# bcrypt of PASSWORD, with few rounds.
_BCRYPT = "$2b$04$zjB2hokrdeM1EDYPShaWwOeL88gy06h34jc33rf/hGUhWhd3HGLh."


@dataclass(frozen=True)
class Authority:
    """A private certificate authority in a folder."""

    directory: Path
    name: str = "ca"

    def __post_init__(self) -> None:
        self._openssl(self.name, "-addext", "basicConstraints=critical,CA:TRUE")

    @property
    def file(self) -> str:
        """Its own certificate."""
        return str(self.directory / f"{self.name}.pem")

    def issued(self, name: str) -> tuple[str, str]:
        """Certificate and key of a server on 127.0.0.1, or of a client."""
        self._openssl(name, "-CA", self.file, "-CAkey", str(self.directory / f"{self.name}.key"), "-addext", "subjectAltName=IP:127.0.0.1")
        return str(self.directory / f"{name}.pem"), str(self.directory / f"{name}.key")

    def _openssl(self, name: str, *further: str) -> None:
        files = ["-keyout", str(self.directory / f"{name}.key"), "-out", str(self.directory / f"{name}.pem")]
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
        subprocess.run(["openssl", "req", "-x509", "-days", "2", "-subj", f"/CN={name}", *key, *files, *further], check=True, capture_output=True)


def tls(authority: Authority, *, clients: bool = False) -> dict[str, Any]:
    """A web configuration with a certificate of that authority; with `clients`, theirs must be of it, too."""
    certificate, key = authority.issued("server")
    wanted = {"client_auth_type": "RequireAndVerifyClientCert", "client_ca_file": authority.file} if clients else {}
    return {"tls_server_config": {"cert_file": certificate, "key_file": key, **wanted}}


def basic_auth() -> dict[str, Any]:
    """A web configuration that lets USER with PASSWORD in."""
    return {"basic_auth_users": {USER: _BCRYPT}}
