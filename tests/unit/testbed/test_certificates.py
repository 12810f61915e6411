import stat
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from testbed.certificates import Authority, Pair, signing_key


def read(pair: Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate)


def usages(certificate: x509.Certificate) -> set[x509.ObjectIdentifier]:
    return set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_a_client_is_a_user_in_groups() -> None:
    subject = read(Authority().client("jane", ["devs", "ops"])).subject
    assert [name.value for name in subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["jane"]
    assert [name.value for name in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == ["devs", "ops"]


def test_a_client_cannot_pose_as_a_server() -> None:
    assert usages(read(Authority().client("jane"))) == {ExtendedKeyUsageOID.CLIENT_AUTH}


def test_a_server_is_good_for_its_addresses_and_names() -> None:
    certificate = read(Authority().server("api", ["127.0.0.1", "10.96.0.1"], ["localhost"]))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1"), ip_address("10.96.0.1")]
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert ExtendedKeyUsageOID.SERVER_AUTH in usages(certificate)


def test_the_authority_signed_it_and_another_did_not() -> None:
    authority, other = Authority("same name"), Authority("same name")
    signed = read(authority.client("jane"))
    signed.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate))
    with pytest.raises(InvalidSignature):
        signed.verify_directly_issued_by(x509.load_pem_x509_certificate(other.certificate))


def test_only_the_owner_reads_the_key(tmp_path: Path) -> None:
    certificate, key = Authority().client("jane").write(tmp_path, "jane")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert load_pem_private_key(key.read_bytes(), None)
    assert certificate == tmp_path / "jane.crt"


def test_the_signing_key_is_a_pair() -> None:
    private, public = signing_key()
    theirs = load_pem_private_key(private, None).public_key()
    assert theirs == load_pem_public_key(public)
