"""The broker, by a handshake of its own beside the edge's connection; nothing is said after it.

An MQTT CONNECT would take over the running edge's session, so none is sent. TLS 1.2 on purpose: there the broker says
within the handshake that it refuses a certificate.
"""

import socket
import ssl

from meterseal_edge.doctor.faults import Found, fault
from meterseal_edge.errors import BadSettings
from meterseal_edge.settings import Settings
from meterseal_edge.site import tls

WAIT_S = 5
WRONG_NAME = {62, 64}  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


def broker(settings: Settings) -> Found:
    """`broker.away`, or what is wrong with the handshake."""
    at = f"{settings.host}:{settings.port}"
    try:
        context = tls.context(settings)
    except BadSettings:
        return  # certificates.py says which file
    try:
        with socket.create_connection((settings.host, settings.port), WAIT_S) as opened:
            if context is not None:
                context.maximum_version = ssl.TLSVersion.TLSv1_2
                context.wrap_socket(opened, server_hostname=settings.host).close()
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in WRONG_NAME:
            yield fault("tls.name", settings.host)
        else:
            yield fault("tls.untrusted", at, error.verify_message)
    except ssl.SSLError as error:
        yield fault("tls.refused", at, error.reason or error)
    except OSError as error:
        yield fault("broker.away", at, error.strerror or error)
