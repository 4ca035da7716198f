"""The short programs that run on a board, in its raw REPL. Each prints one Python literal; none ever prints a secret.

Paths are absolute. Keys are made, written and read on the board alone: what leaves it is their public halves.
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
READ = "with open({path!r}, 'rb') as file:\n    print(repr(file.read()))"
RENAME = "import os\nos.rename({old!r}, {new!r})"
REMOVE = "import os\nos.remove({path!r})"

REMOVE_TREE = """
import os
def remove(folder):
    for entry in list(os.ilistdir(folder)):
        path = folder + "/" + entry[0]
        if entry[1] & 0x4000:
            remove(path)
        else:
            os.remove(path)
    os.rmdir(folder)
if {folder!r} in [entry[0] for entry in os.ilistdir("/")]:
    remove("/" + {folder!r})
"""

SETTING = """
import json
with open("/state/settings.json") as file:
    print(repr(json.load(file).get({name!r})))
"""

# What follows runs the firmware's own modules, from the slot that starts. `say` prints what `work` gives; what went
# wrong is a tuple (code, detail), which no work gives.
FIRMWARE = """
import sys
sys.path.insert(0, {slot!r})
from meterseal_fixture.errors import FixtureError
def say(work, *given):
    try:
        print(repr(work(*given)))
    except FixtureError as wrong:
        print(repr((wrong.code, str(wrong.detail))))
"""

# `key()` is the signer of the key file, of the key in the element, or of the TLS key. ValueError for a damaged file.
KEY_FILE = """
from meterseal_fixture.signer.software_p256 import SoftwareSigner
def key():
    with open("/state/key", "rb") as file:
        return SoftwareSigner(file.read())
"""
KEY_OF_TLS = """
from meterseal_fixture.signer.csr import secret_in
from meterseal_fixture.signer.software_p256 import SoftwareSigner
def key():
    with open("/state/tls_key.der", "rb") as file:
        return SoftwareSigner(secret_in(file.read()))
"""
KEY_IN_ELEMENT = """
from board import Board
from meterseal_fixture.signer.atecc608 import ElementSigner
def key():
    return ElementSigner(Board.i2c(), {element})
"""

# The public key x || y; b"" for a damaged key.
PUBLIC = """
def public():
    try:
        return key().public_xy
    except ValueError:
        return b""
say(public)
"""

# A PKCS#10 request, DER, signed on the board.
REQUEST = """
from meterseal_fixture.signer.csr import request
say(lambda: request(key(), {names!r}))
"""

# The signing key's word on a TLS request, 64 bytes.
BIND = """
say(lambda: key().sign({message!r}))
"""

# [what keeps the slot from being a signer or "", True if it has its key for ever]
ELEMENT_STATE = """
from board import Board
from meterseal_fixture.signer.atecc608 import SLOT_LOCKED, Element, unfit
def state():
    config = Element(Board.i2c()).config()
    return [unfit(config, {element}), not config[SLOT_LOCKED + {element} // 8] >> {element} % 8 & 1]
say(state)
"""

# For ever: both zones are locked, a key is made inside, its slot is locked. After a cut it may be run again.
SET_UP_ELEMENT = """
from board import Board
from meterseal_fixture.signer.atecc608 import Element, new_key, provision
def set_up():
    element = Element(Board.i2c())
    provision(element, ({element},))
    return new_key(element, {element})
say(set_up)
"""

# os.urandom is not random on an ESP32 whose radio is off (Espressif's "Random Number Generation"), so it goes on.
# The file's mode is looked at while it is still empty; file systems of boards have no modes and say 0.
MAKE = """
import os
from meterseal_fixture.signer.software_p256 import SoftwareSigner, new_secret
def drawn():
    radio = None
    if sys.platform == "esp32":
        import network
        radio = network.WLAN(network.STA_IF)
        radio.active(True)
    try:
        return new_secret(os.urandom)
    finally:
        if radio:
            radio.active(False)
def make(path, form):
    open(path + ".new", "wb").close()
    if os.stat(path + ".new")[0] & 0o077:
        os.remove(path + ".new")
        return False
    with open(path + ".new", "wb") as file:
        file.write(form(drawn()))
    os.rename(path + ".new", path)
    return True
"""
MAKE_KEY = """
say(make, "/state/key", bytes)
"""
MAKE_TLS_KEY = """
from meterseal_fixture.signer.csr import key_file
say(make, "/state/tls_key.der", lambda secret: key_file(secret, SoftwareSigner(secret).public_xy))
"""
