"""A certificate authority for one bed: every certificate and key is made anew and lives as long as the bed."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = datetime.timedelta(days=30)


@dataclass(frozen=True)
class Pair:
    """A certificate with its key, both as PEM."""

    certificate: bytes
    key: bytes

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write NAME.crt and NAME.key (only the owner reads the key); their paths."""
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        certificate.write_bytes(self.certificate)
        write_secret(key, self.key)
        return certificate, key


class Authority:
    """Signs server and client certificates."""

    def __init__(self, name: str = "swiftlet-testbed") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name, ())
        self._certificate = _sign(self._name, self._name, self._key.public_key(), self._key, _authority_extensions())
        self.certificate = self._certificate.public_bytes(serialization.Encoding.PEM)
        """What clients trust, as PEM."""

    def server(self, name: str, addresses: Sequence[str], names: Sequence[str] = ()) -> Pair:
        """A certificate for a server reached by these IP addresses and DNS names; also good as a client's."""
        there: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        there += [x509.DNSName(each) for each in names]
        return self._issue(name, (), x509.SubjectAlternativeName(there))

    def client(self, user: str, groups: Sequence[str] = ()) -> Pair:
        """A certificate that Kubernetes reads as this user in these groups."""
        return self._issue(user, groups, None)

    def _issue(self, name: str, groups: Sequence[str], alternative: x509.SubjectAlternativeName | None) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
        extensions: list[tuple[x509.ExtensionType, bool]] = [(x509.BasicConstraints(ca=False, path_length=None), True)]
        if alternative is not None:
            usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
            extensions.append((alternative, False))
        extensions.append((x509.ExtendedKeyUsage(usages), False))
        signed = _sign(_name(name, groups), self._name, key.public_key(), self._key, extensions)
        return Pair(signed.public_bytes(serialization.Encoding.PEM), private_pem(key))


def signing_key() -> tuple[bytes, bytes]:
    """A private key and its public key, as PEM: the API server signs ServiceAccount tokens with them."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private_pem(key), public


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as PEM, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, from its first byte on."""
    path.touch(mode=0o600)
    path.write_bytes(content)


def _authority_extensions() -> list[tuple[x509.ExtensionType, bool]]:
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return [(x509.BasicConstraints(ca=True, path_length=0), True), (usage, True)]


def _name(common_name: str, groups: Sequence[str]) -> x509.Name:
    """Kubernetes reads the common name as the user, each organization as a group."""
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _sign(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=public_key)
    builder = builder.serial_number(x509.random_serial_number())
    # A minute of slack: the clock that checks need not be the clock that signed.
    builder = builder.not_valid_before(now - datetime.timedelta(minutes=1)).not_valid_after(now + LIFETIME)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256())
