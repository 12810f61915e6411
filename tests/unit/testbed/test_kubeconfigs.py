import json
import stat
from pathlib import Path

from kubernetes import client, config
from testbed.certificates import Authority
from testbed.kubeconfigs import by_certificate, by_token, kubeconfig, write_kubeconfig


def test_the_official_client_reads_it(tmp_path: Path) -> None:
    document = kubeconfig("https://127.0.0.1:1234", Authority().certificate, by_token("secret"), "team")
    path = write_kubeconfig(tmp_path / "new" / "jane.kubeconfig", document)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    configuration = client.Configuration()
    config.load_kube_config(str(path), client_configuration=configuration)
    assert configuration.host == "https://127.0.0.1:1234"
    assert configuration.api_key["BearerToken"] == "Bearer secret"
    _, active = config.list_kube_config_contexts(str(path))
    assert active["context"]["namespace"] == "team"


def test_a_certificate_and_its_key_are_embedded(tmp_path: Path) -> None:
    authority = Authority()
    pair = authority.client("jane")
    document = kubeconfig("https://127.0.0.1:1234", authority.certificate, by_certificate(pair))
    configuration = client.Configuration()
    config.load_kube_config_from_dict(json.loads(document), client_configuration=configuration)
    assert Path(configuration.cert_file).read_bytes() == pair.certificate
    assert Path(configuration.key_file).read_bytes() == pair.key
    assert Path(configuration.ssl_ca_cert).read_bytes() == authority.certificate
