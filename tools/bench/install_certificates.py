"""The two ways in which a machine stores trusted certificates, as OpenSSL settings for one server process."""

import hashlib
import os
import shutil
from pathlib import Path

import certifi
from cryptography import x509


def in_a_file(folder: Path, trusted: Path) -> dict[str, str]:
    """Write Mozilla's certificates and this one to one file, as Debian and most container images do."""
    bundle = folder / "trusted.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes() + trusted.read_bytes())
    return {"SSL_CERT_FILE": str(bundle), "SSL_CERT_DIR": os.devnull}


def in_a_folder(folder: Path, trusted: Path) -> dict[str, str]:
    """Write a folder whose files are named by the hash of the subject: OpenSSL opens only those that it needs."""
    hashed = folder / "trusted"
    hashed.mkdir(exist_ok=True)
    shutil.copy(trusted, hashed / f"{_subject_hash(trusted)}.0")
    return {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": str(hashed)}


def _subject_hash(certificate: Path) -> str:
    """Hash the subject as `openssl x509 -subject_hash` does: without the two bytes that begin its sequence.

    OpenSSL writes the names in lower case first; this name is a number.
    """
    subject = x509.load_pem_x509_certificate(certificate.read_bytes()).subject.public_bytes()
    digest = hashlib.sha1(subject[2:], usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"
