"""The short programs that run on a board, in its raw REPL. Each prints one Python literal; none ever prints a secret.

Paths are absolute. The signing key is made, written and read on the board alone: what leaves it is its public half.
"""

# First of all: a hashlib.py that lies on the board would be imported before MicroPython's own.
OWN_MODULES = "import sys\nsys.path[:] = ['.frozen']"

IDENTITY = """
import machine
print(repr(machine.unique_id().hex()))
"""

# (path without the leading slash, bytes) of every file.
LIST = """
import os
def walk(folder):
    for entry in os.ilistdir(folder or "/"):
        path = folder + "/" + entry[0]
        if entry[1] & 0x4000:
            walk(path)
        else:
            print(repr((path[1:], os.stat(path)[6])), end=",")
print("[", end="")
walk("")
print("]")
"""

HASH = """
import hashlib
def hash_of(path):
    digest, block = hashlib.sha256(), memoryview(bytearray(1024))
    with open(path, "rb") as file:
        count = file.readinto(block)
        while count:
            digest.update(block[:count])
            count = file.readinto(block)
    return digest.digest()
print(repr(hash_of({path!r})))
"""

FOLDERS = """
import os
for folder in {folders!r}:
    try:
        os.mkdir(folder)
    except OSError as error:
        if error.errno != 17:
            raise
"""

OPEN = """
from binascii import a2b_base64 as bytes_of
file = open({path!r}, "wb")
"""

WRITE = "file.write(bytes_of({text!r})) and None"
CLOSE = "file.close()"
RENAME = "import os\nos.rename({old!r}, {new!r})"
REMOVE = "import os\nos.remove({path!r})"

# os.urandom is not random on an ESP32 whose radio is off (Espressif's "Random Number Generation"), so it goes on.
# The file's mode is looked at while it is still empty; file systems of boards have no modes and say 0.
MAKE_KEY = """
import os, sys
sys.path.insert(0, "/a")
from meterseal_fixture.signer.curve_p256 import N
def draw():
    radio = None
    if sys.platform == "esp32":
        import network
        radio = network.WLAN(network.STA_IF)
        radio.active(True)
    secret = os.urandom(32)
    while not 0 < int.from_bytes(secret, "big") < N:
        secret = os.urandom(32)
    if radio:
        radio.active(False)
    return secret
def make():
    open("/state/key.new", "wb").close()
    if os.stat("/state/key.new")[0] & 0o077:
        os.remove("/state/key.new")
        return False
    with open("/state/key.new", "wb") as file:
        file.write(draw())
    os.rename("/state/key.new", "/state/key")
    return True
print(repr(make()))
"""

# The public key x || y; b"" for a damaged key.
PUBLIC = """
import sys
sys.path.insert(0, "/a")
from meterseal_fixture.signer.software_p256 import SoftwareSigner
def public():
    with open("/state/key", "rb") as file:
        secret = file.read()
    try:
        return SoftwareSigner(secret).public_xy
    except ValueError:
        return b""
print(repr(public()))
"""

# A PKCS#10 request, DER, signed on the board.
REQUEST = """
import sys
sys.path.insert(0, "/a")
from meterseal_fixture.signer.csr import request
from meterseal_fixture.signer.software_p256 import SoftwareSigner
def asked():
    with open("/state/key", "rb") as file:
        return request(SoftwareSigner(file.read()), {names!r})
print(repr(asked()))
"""
