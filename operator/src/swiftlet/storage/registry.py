"""Every URI scheme by its name: a new one is a module beside this one, and a word in SCHEMES."""

from swiftlet.storage.configmap import ConfigMap
from swiftlet.storage.file import LocalPath
from swiftlet.storage.hf import Hub
from swiftlet.storage.oci import Oci
from swiftlet.storage.pvc import Claim
from swiftlet.storage.s3 import S3
from swiftlet.storage.scheme import Scheme
from swiftlet.storage.uri import Uri

LOCAL = LocalPath()
"""What a text without a scheme is."""
SCHEMES: dict[str, Scheme] = {scheme.name: scheme for scheme in (ConfigMap(), Claim(), Hub(), S3(), Oci(), LOCAL)}
"""In the order in which people are told of them."""


def parse_uri(text: str) -> Uri:
    """Take apart a URI that is well formed by its scheme; of an unknown scheme, authority and path."""
    name, separator, rest = text.partition("://")
    if not separator:
        return LOCAL.split(text)
    if scheme := SCHEMES.get(name):
        return scheme.split(rest)
    authority, _, path = rest.partition("/")
    return Uri(name, authority, path)


def scheme_of(uri: Uri) -> Scheme:
    """The URI's scheme; for one that nobody knows, as a newer release may have stored it, one without any ability."""
    return SCHEMES.get(uri.scheme) or Scheme()
