"""nginx's settings for the page, where people shall see it from elsewhere: TLS before it, and each one's own address.

The edge takes X-Forwarded-For from its own machine alone, and here it is what nginx saw, never what a client says: who
tries passwords makes only itself wait. Events are passed on as they come. Certificate and key are the company's own,
laid beside this file; the site's authority is for machines, and no browser should believe it.
"""

from pathlib import Path
from urllib.parse import urlsplit

from meterseal_edge.errors import BadSettings, BadSite
from meterseal_edge.settings import check_origin

FILE, CERTIFICATE, KEY = "meterseal.conf", "page.pem", "page.key"
HTTPS = 443
TEXT = """\
# The page of a MeterSeal edge: link this file into /etc/nginx/sites-enabled/. Beside it belong page.pem (certificate
# and those between it and an authority that the browsers believe) and page.key.
server {{
    listen {port} ssl;
    listen [::]:{port} ssl;
    server_name {host};
    ssl_certificate {folder}/{certificate};
    ssl_certificate_key {folder}/{key};
    ssl_protocols TLSv1.2 TLSv1.3;
    client_max_body_size 64k;

    location = /metrics {{
        return 403;
    }}
    location / {{
        proxy_pass http://127.0.0.1:{page_port};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto https;
        proxy_buffering off;
        proxy_read_timeout 1h;
    }}
}}
"""


def web_file(folder: Path, origin: str, page_port: int) -> str:
    """The file for a page that browsers see as `origin`; BadSite where that is not https."""
    if not origin.startswith("https://"):
        raise BadSite(f"{origin!r} is no https address: give https://NAME or https://NAME:PORT")
    try:
        check_origin(folder / FILE, origin)
    except BadSettings as error:
        raise BadSite(str(error)) from None
    url = urlsplit(origin)
    words = {"port": url.port or HTTPS, "host": url.hostname, "folder": folder, "page_port": page_port}
    return TEXT.format(certificate=CERTIFICATE, key=KEY, **words)
