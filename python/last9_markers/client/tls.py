"""The trusted root certificates: the system's, certifi's and the configured ones together."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping

from last9_markers.client import ca_files
from last9_markers.core.log import BuildLog
from last9_markers.messages import options as option_messages
from last9_markers.messages import progress

#: Each names a PEM file, or a folder of them, and adds to the others.
VARIABLES = ("LAST9_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR")

#: Where systems keep their roots: a Python that was built elsewhere does not know its host's place.
_SYSTEM_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class TrustStore:
    """A TLS context that grows.

    Parsing some 150 roots takes 25 to 35 ms a file, as long as everything else a marker does. A folder of hashed certificates
    costs nothing until it is needed: if the system has one, the files are read only after a certificate did not verify.

    ``remarks`` holds the faults of the configured files that stop no marker: the connection test reports them.
    """

    def __init__(self, environ: Mapping[str, str], log: BuildLog) -> None:
        # Not `create_default_context`: from 3.13 on it refuses the CA certificates of many a company (VERIFY_X509_STRICT), and
        # it would write the session keys to SSLKEYLOGFILE.
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._complete = False
        self._log = log
        self._folders: list[tuple[str, str]] = []
        self.remarks: list[str] = []
        for variable in VARIABLES:
            for path in _paths(variable, environ.get(variable, "")):
                self._add_configured(variable, path, log)
        folder = ssl.get_default_verify_paths().openssl_capath
        if os.name != "nt" and ca_files.is_hashed(folder):
            self.context.load_verify_locations(capath=folder)
            log.debug(progress.roots([f"the folder {folder}"]))
        else:
            self.complete()

    def complete(self) -> bool:
        """Add what has not been read yet. False if that was done before, so that a retry is useless."""
        if self._complete:
            return False
        self._complete = True
        self.context.load_default_certs()
        for variable, folder in self._folders:
            self._read_folder(variable, folder)
        read = ["Python's defaults"]
        for path in {os.path.realpath(file) for file in _SYSTEM_FILES if os.path.exists(file)}:
            try:
                ca_files.add_file(self.context, path)
                read.append(path)
            except (OSError, ssl.SSLError):
                continue
        # `contents`, not `where`: inside a zip the latter leaves a temporary file behind on every run.
        import certifi

        self.context.load_verify_locations(cadata=certifi.contents())
        self._log.debug(progress.roots([*read, "certifi"]))
        return True

    def _add_configured(self, variable: str, path: str, log: BuildLog) -> None:
        try:
            if os.path.isdir(path):
                self._add_folder(variable, path)
            else:
                self._remark(option_messages.ca_damaged(variable, path, ca_files.add_file(self.context, path)))
            log.debug(progress.roots([f"{variable}: {path}"]))
        except (OSError, ssl.SSLError, ValueError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
            log.warning(option_messages.ca_unusable(variable, path, str(reason)))

    def _add_folder(self, variable: str, folder: str) -> None:
        self.context.load_verify_locations(capath=folder)
        if ca_files.is_hashed(folder):
            # What lies beside the hash links is read only if they are not enough.
            self._folders.append((variable, folder))
        else:
            self._read_folder(variable, folder)

    def _read_folder(self, variable: str, folder: str) -> None:
        try:
            good, bad = ca_files.add_folder(self.context, folder)
        except OSError:
            return
        if not good and not ca_files.is_hashed(folder):
            self._remark(option_messages.ca_folder_empty(variable, folder))
        self._remark(option_messages.ca_damaged(variable, folder, bad))

    def _remark(self, text: str) -> None:
        if text and text not in self.remarks:
            self.remarks.append(text)
            self._log.debug(text)


def _paths(variable: str, value: str) -> list[str]:
    parts = value.split(os.pathsep) if variable == "SSL_CERT_DIR" else [value]
    return [part.strip() for part in parts if part.strip()]
