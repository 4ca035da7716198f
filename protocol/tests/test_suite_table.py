"""Nothing but the suite table names an algorithm (design section 5): the sources themselves are read.

Comments and docstrings may name what they like. A name in code must be on the list below, with the reason why it is
right there; an entry that excuses nothing fails too.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SOURCES = [
    path
    for package in ("protocol", "edge", "registry", "firmware", "tools")
    for path in sorted((REPOSITORY / package / "src").rglob("*"))
    if path.is_file() and "egg-info" not in str(path) and "__pycache__" not in str(path)
]
PYTHON = [path for path in SOURCES if path.suffix == ".py"]
PAGES = [
    path
    for path in SOURCES
    if path.suffix in {".js", ".html", ".webmanifest", ".svg", ".toml", ".yaml", ".sql"}
]

ALGORITHM = re.compile(
    r"ES(256|384|512)|EdDSA|Ed25519|Ed448|ECDSA|SECP\d+|P-?256|prime256|(?<![a-z])SM[23](?![a-z0-9])|RS256",
    re.IGNORECASE,
)
# COSE's numbers of algorithms, ours and foreign, and the curve of our own; small ones are also other things, so they
# count only where a header's alg is spoken of on the same line.
NUMBERS = {-7, -8, -9, -19, -35, -36, -37, -257, -70102, -70202}
# What a hash of a statement or of a key would be taken of, by the names these have in our code.
SIGNED = re.compile(r"^(raw|join|statement|message|protected|parcel|cose|cose_key|key|xy|public_xy|public)$")

PROTOCOL, WIRE = "protocol/src/meterseal_protocol", "protocol/src/meterseal_wire"
TOOLS, EDGE = "tools/src/meterseal_tools", "edge/src/meterseal_edge"
FIXTURE, PAGE = "firmware/src/meterseal_fixture", "registry/src/meterseal_registry/pages/certificate.js"
NAMES = {
    f"{WIRE}/suites.py": "the table",
    f"{PROTOCOL}/signing/__init__.py": "the rows' cryptography on CPython, by row",
    f"{PROTOCOL}/signing/esp256.py": "one row's cryptography",
    f"{PROTOCOL}/signing/lanes.py": "one row's cryptography, eight at a time",
    f"{PROTOCOL}/signing/ed25519.py": "one row's cryptography",
    f"{PROTOCOL}/signing/sm2.py": "one row's cryptography",
    f"{PROTOCOL}/verify.py": "other people's messages: -7 and -8, each on the curve of one row",
    f"{PROTOCOL}/note_key.py": "C2SP fixes the algorithm of a signed note by its signature type",
    f"{PROTOCOL}/testing/watched.py": "keys of signed notes, whose algorithm C2SP fixes",
    f"{PROTOCOL}/testing/suites.py": "public vectors call algorithms by their makers' names",
    f"{FIXTURE}/signer/software_p256.py": "the fixture's own signer and verifier of the first row",
    f"{FIXTURE}/signer/csr.py": "X.509's own names of curve and algorithm, in a request for the first row's key",
    f"{TOOLS}/boards/identity.py": "the file name of the fixture's signer on a board, and the row that it is of",
    f"{TOOLS}/boards/onboard.py": "a program for the board that uses the fixture's signer",
    f"{TOOLS}/boards/site_file.py": "trust anchors in a site file are keys of the first row",
    f"{TOOLS}/provision.py": "a board's key is of the first row",
    f"{FIXTURE}/main.py": "chooses the fixture's signer",
    PAGE: "the browser's second implementation, of the rows that WebCrypto has",
    f"{EDGE}/pages/signing.js": "the browser's signer of the first row, by WebCrypto",
    f"{EDGE}/people/keys.py": "a person's key is of the first row, the one that every browser signs with",
    f"{EDGE}/site/authority.py": "X.509's name of the curve of the site's TLS keys",
    f"{EDGE}/site/eviction.py": "the curve of a TLS key for one connection",
    f"{EDGE}/site/founding.py": "X.509's name of the curve of the site's TLS keys",
    f"{EDGE}/site/request.py": "X.509's name of the curve in a request for the first row's key",
    f"{EDGE}/site/broker_file.py": "TLS's names of cipher suites in mosquitto's configuration",
}
# Where SHA-256 is called by its name on something that could be a statement or a key, and why it is right there.
HASHES = {
    f"{PROTOCOL}/judge/decide.py": "the digest of a decision's inputs: over identities, not over statements",
    f"{PROTOCOL}/judge/policy.py": "the draw of a sampling, the same for everybody whatever their keys are",
    f"{PROTOCOL}/signing/esp256.py": "that row's own hash, which its second library wants done before",
    f"{PROTOCOL}/signing/lanes.py": "the same, for eight at a time",
    f"{PROTOCOL}/rules/pack.py": "a rule pack's raw bytes: contents are SHA-256 in every suite",
    "edge/src/meterseal_edge/refusal.py": "damaged bytes: contents, since nothing says of which suite they would be",
    "edge/src/meterseal_edge/mark.py": "a slot of the mark: contents, to see a torn write",
    "edge/src/meterseal_edge/keybook.py": "the name of a file, never compared with an identity",
    f"{FIXTURE}/signer/atecc608.py": "that row's own hash, which the element wants done before",
    "tools/src/meterseal_tools/audit_log.py": "a folder's list of files",
}


def place(path: Path) -> str:
    """Path from the repository's root."""
    return path.relative_to(REPOSITORY).as_posix()


def docstrings(tree: ast.AST) -> set[int]:
    """Ids of the nodes that are docstrings."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(id(first.value))
    return found


def words(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of every name and string of Python code, docstrings left out."""
    tree = ast.parse(source)
    skipped = docstrings(tree)
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Name):
            yield line, node.id
        elif isinstance(node, ast.Attribute):
            yield line, node.attr
        elif isinstance(node, ast.alias):
            yield line, f"{node.name} {node.asname or ''}"
        elif isinstance(node, ast.ImportFrom):
            yield line, node.module or ""
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield line, node.name
        elif isinstance(node, ast.arg | ast.keyword):
            yield line, node.arg or ""
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in skipped
        ):
            yield line, node.value if isinstance(node.value, str) else node.value.decode("latin-1")


def numbers(source: str) -> Iterator[tuple[int, int]]:
    """(line, number) of every negative number of NUMBERS on a line that speaks of alg, or beyond -65536 anywhere."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.UnaryOp) or not isinstance(node.op, ast.USub):
            continue
        if isinstance(node.operand, ast.Constant) and isinstance(node.operand.value, int):
            number = -node.operand.value
            spoken_of = re.search(r"alg|cose|es256", lines[node.lineno - 1], re.IGNORECASE)
            if number in NUMBERS and (spoken_of or number < -65536):
                yield node.lineno, number


def hashed(source: str) -> Iterator[tuple[int, str]]:
    """(line, name) of every call of a hash by its name over something that is called like a statement or a key."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if not re.search(r"sha[-_]?256|sm3", called, re.IGNORECASE):
            continue
        for inner in (item for argument in node.args for item in ast.walk(argument)):
            name = inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "id", "")
            if SIGNED.match(name):
                yield node.lineno, name


def hits() -> dict[str, set[str]]:
    """Place -> what of it names an algorithm, over all sources."""
    found: dict[str, set[str]] = {}
    for path in PYTHON:
        for _, text in words(path.read_text("utf-8")):
            if ALGORITHM.search(text):
                found.setdefault(place(path), set()).add(text[:60])
    for path in PAGES:
        # A page's comments are lines of their own, and ours name no algorithm in a label.
        for line in path.read_text("utf-8").splitlines():
            code = re.sub(r"^\s*(//|#|--|\*).*|\s#.*", "", line)
            if ALGORITHM.search(code):
                found.setdefault(place(path), set()).add(code.strip()[:60])
    return found


def test_the_sources_are_there() -> None:
    """A search that reads nothing would find nothing."""
    assert len(PYTHON) > 150
    assert {place(path) for path in SOURCES} >= set(NAMES) | set(HASHES)


def test_nothing_else_names_an_algorithm() -> None:
    """Names and strings of the code: where one stands that is not on the list, the table is not the only place."""
    found = hits()
    assert {name: texts for name, texts in found.items() if name not in NAMES} == {}


def test_the_list_of_names_excuses_nothing_that_is_gone() -> None:
    """An entry without a hit is struck off."""
    assert set(NAMES) - set(hits()) == set()


def test_no_statement_and_no_key_is_hashed_by_a_name() -> None:
    """Identity and thumbprint are the suite's hash: SHA-256 by name is for contents and trees (RFC 9162)."""
    found = {place(path): list(hashed(path.read_text("utf-8"))) for path in PYTHON}
    named = {name: rows for name, rows in found.items() if rows}
    assert {name: rows for name, rows in named.items() if name not in HASHES} == {}
    assert set(HASHES) - set(named) == set()


def test_nothing_else_spells_an_algorithm_as_a_number() -> None:
    """-9 or -19 where a header is made or read, and our own two numbers anywhere."""
    found = {place(path): list(numbers(path.read_text("utf-8"))) for path in PYTHON}
    spelled = {name for name, rows in found.items() if rows}
    assert spelled <= set(NAMES), {name: found[name] for name in spelled - set(NAMES)}


@pytest.mark.parametrize(
    "code",
    [
        "ALG_ESP256 = 1",
        "from x import SECP256R1",
        "curve = 'P-256'",
        "def verify_ed25519(): pass",
        "f(alg='ES256')",
        "import gmssl as sm2",
        "x.ECDSA(y)",
        "name = b'SM2'",
    ],
)
def test_the_search_finds_what_it_is_for(code: str) -> None:
    """Each of these, planted, would be found; a test that cannot fail proves nothing."""
    assert any(ALGORITHM.search(text) for _, text in words(code))


@pytest.mark.parametrize(
    "code", ["header = {alg: -9}", "if alg == -19: pass", "X = -70102", "curve = [-70202]"]
)
def test_the_search_finds_numbers(code: str) -> None:
    """The same for numbers."""
    assert list(numbers(code))


@pytest.mark.parametrize(
    "code",
    [
        "sha256(join(a, b, c))",
        "hashlib.sha256(statement.raw)",
        "sha256(encode(key.cose))",
        "x = _sha256(public_xy)",
    ],
)
def test_the_search_finds_hashes(code: str) -> None:
    """The same for hashes of statements and keys."""
    assert list(hashed(code))


def test_the_search_lets_prose_and_other_numbers_be() -> None:
    """Docstrings, comments and a temperature of minus nine name no algorithm."""
    code = '"""ESP256 and SM2."""\n# Ed25519\ndef f():\n    """P-256."""\n    return -9\n'
    assert not any(ALGORITHM.search(text) for _, text in words(code))
    assert not list(numbers(code))
    assert not list(hashed("sha256(plan) + sha256(b'\\x00' + leaf) + suite.hash(raw)"))
