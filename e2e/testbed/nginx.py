"""nginx before a server, as an ingress controller sets it up: TLS ends there, and what it was asked is passed on."""

from testbed.beds import Bed
from testbed.certificates import Authority
from testbed.debian import debian
from testbed.listening import wait_for
from testbed.processes import Command, Process

NAME = "swiftlet.localhost"
"""Resolved to this machine by browsers, and no loopback name to the page. Source: RFC 6761, 6.3."""
CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{}}
http {{
  access_log {folder}/nginx-access.log;
  client_body_temp_path {folder}/nginx-body;
  proxy_temp_path {folder}/nginx-proxy;
  fastcgi_temp_path {folder}/nginx-fastcgi;
  uwsgi_temp_path {folder}/nginx-uwsgi;
  scgi_temp_path {folder}/nginx-scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; "" close; }}
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_http_version 1.1;
      proxy_set_header Host {host};
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Scheme $scheme;
      proxy_set_header X-Real-IP $remote_addr;
    }}
  }}
}}
"""
"""Headers and upgrade as in ingress-nginx's template. Source: rootfs/etc/nginx/template/nginx.tmpl of that project."""


class Nginx:
    """A running proxy that ends with the bed."""

    def __init__(self, bed: Bed, upstream: int, host: str = "$http_host") -> None:
        """upstream: port of the server behind. host: the name that the server is asked under; nginx's variables count.
        Raises MissingProgramError, and TestBedError when it ends."""
        port = bed.free_port()
        self.host, self.address = f"{NAME}:{port}", f"https://127.0.0.1:{port}"
        """The Host that it is asked for, and where whoever resolves no names below localhost reaches it."""
        self.url = f"https://{self.host}"
        authority, name = Authority(), f"nginx-{port}"
        self.ca = bed.folder / f"{name}-ca.crt"
        self.ca.write_bytes(authority.certificate)
        certificate, key = authority.server(NAME, ["127.0.0.1"], [NAME]).write(bed.folder, name)
        file, folder = bed.folder / f"{name}.conf", bed.folder
        values = {"folder": folder, "port": port, "upstream": upstream, "host": host}
        file.write_text(CONFIGURATION.format(certificate=certificate, key=key, **values))
        command = [str(debian("nginx")), "-p", str(folder), "-e", "stderr", "-c", str(file)]
        wait_for(Process(bed, Command(name, command, {})), port)
