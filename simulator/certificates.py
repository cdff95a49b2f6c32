"""The keys and certificates of one simulated cluster: a small authority of its own, made once."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

_LIFETIME = datetime.timedelta(days=3650)
_SERVICE_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


@dataclass(frozen=True)
class Certificates:
    """Paths of the PEM files of one cluster."""

    authority: Path
    server_certificate: Path
    server_key: Path
    service_account_key: Path


def ensure_certificates(directory: Path, service_ip: str) -> Certificates:
    """Return the cluster's certificates, making them when they are not there.

    Args:
        directory: Where they are kept; made when missing.
        service_ip: The address that pods know the API server by (the first of the service range).

    Returns:
        The paths. Private keys are readable by their owner alone.
    """
    certificates = Certificates(
        authority=directory / "authority.crt",
        server_certificate=directory / "server.crt",
        server_key=directory / "server.key",
        service_account_key=directory / "service-account.key",
    )
    if not certificates.authority.exists():
        directory.mkdir(parents=True, exist_ok=True)
        _make(certificates, service_ip)
    return certificates


def _make(certificates: Certificates, service_ip: str) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def name(common_name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])

    def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
        return key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )

    def write_private(path: Path, pem: bytes) -> None:
        path.touch(mode=0o600)
        path.write_bytes(pem)

    begins = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = (
        x509.CertificateBuilder()
        .subject_name(name("servestack-simulator"))
        .issuer_name(name("servestack-simulator"))
        .public_key(authority_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(authority_key, hashes.SHA256())
    )
    server_key = ec.generate_private_key(ec.SECP256R1())
    addresses = [x509.IPAddress(ipaddress.ip_address(ip)) for ip in ("127.0.0.1", service_ip)]
    server = (
        x509.CertificateBuilder()
        .subject_name(name("kube-apiserver"))
        .issuer_name(authority.subject)
        .public_key(server_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, _SERVICE_NAMES), *addresses]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    write_private(certificates.server_key, private_pem(server_key))
    certificates.server_certificate.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    write_private(certificates.service_account_key, private_pem(ec.generate_private_key(ec.SECP256R1())))
    # Last: its presence says that all are there.
    certificates.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
