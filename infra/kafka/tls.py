"""A certificate authority of our own and a broker's certificate, for tests of TLS."""

import shutil
import subprocess
from pathlib import Path

from infra.processes import ServiceError

DAYS = "825"
REQUEST = ("-newkey", "rsa:2048", "-nodes", "-sha256")


def certificates(folder: Path) -> tuple[Path, Path]:
    """Return the CA's certificate, and the broker's key with its certificates, both as PEM."""
    authority, broker = folder / "ca.pem", folder / "broker.pem"
    if broker.is_file():
        return authority, broker
    folder.mkdir(parents=True, exist_ok=True)
    authority_key, key, request, signed = (
        folder / name for name in ("ca.key", "broker.key", "broker.csr", "broker.crt")
    )
    extension = folder / "broker.ext"
    extension.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n", encoding="utf-8")
    subject = ("-subj", "/CN=Rollcall test authority")
    openssl("req", "-x509", *REQUEST, "-days", DAYS, *subject, "-keyout", authority_key,
            "-out", authority)  # fmt: skip
    openssl("req", *REQUEST, "-subj", "/CN=127.0.0.1", "-keyout", key, "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority_key,
            "-CAcreateserial", "-days", DAYS, "-sha256", "-extfile", extension,
            "-out", signed)  # fmt: skip
    whole = "".join(path.read_text(encoding="utf-8") for path in (key, signed, authority))
    broker.touch(mode=0o600)
    broker.write_text(whole, encoding="utf-8")
    return authority, broker


def openssl(*arguments: str | Path) -> None:
    """Run openssl; say what it said when it fails."""
    binary = shutil.which("openssl")
    if binary is None:
        msg = "TLS needs openssl; on Debian and Ubuntu: apt-get install openssl"
        raise ServiceError(msg)
    done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
        [binary, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        msg = f"openssl {arguments[0]} failed: {done.stderr}"
        raise ServiceError(msg)
