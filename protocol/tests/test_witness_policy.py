"""C2SP tlog-policy files: its example with keys filled in, and every rule of it broken once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.errors import BadKey, BadNote
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.note_key import PLAIN, TIMED, NoteSigner
from meterseal_protocol.quorum import LogTrust, Quorum
from meterseal_protocol.witness_policy import WitnessPolicy, read_policy
from meterseal_wire.suites import ED25519


def signer(name: str, number: int, kind: int) -> NoteSigner:
    """A key of that number under a name."""
    return NoteSigner(name, PrivateKey(bytes(31) + bytes([number]), ED25519), kind)


LOG = signer("edge/EDGE1", 1, PLAIN).key
X = [signer(f"x.example/{n}", 10 + n, TIMED).key for n in range(3)]
Y = [signer(f"y.example/{n}", 20 + n, TIMED).key for n in range(3)]
# C2SP tlog-policy, Example policy.
EXAMPLE = f"""log {LOG}

witness X1 {X[0]}
witness X2 {X[1]}
witness X3 {X[2]}
group X-witnesses 2 X1 X2 X3

witness Y1 {Y[0]}
witness Y2 {Y[1]}
witness Y3 {Y[2]}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""
NESTED = Quorum(2, (Quorum(2, tuple(X)), Quorum(1, tuple(Y))))
W1, W2 = f"witness a {X[0]}\n", f"witness b {X[1]}\n"


def test_c2sps_example_policy_is_read() -> None:
    """Two of the X witnesses and any of the Y witnesses; two levels of groups."""
    policy = read_policy(EXAMPLE.encode())
    assert policy == WitnessPolicy((LOG,), NESTED)
    assert policy.trust("edge/EDGE1") == LogTrust("edge/EDGE1", (LOG,), NESTED)


@pytest.mark.parametrize(
    "text, quorum",
    [
        ("quorum none\n", None),
        ("quorum none", None),
        (W1 + "quorum a\n", Quorum(1, (X[0],))),
        (W1 + W2 + "group g 1 a b\nquorum g\n", Quorum(1, (X[0], X[1]))),
        (W1 + W2 + "group g 2 a b\nquorum g\n", Quorum(2, (X[0], X[1]))),
        (W1 + W2 + "group g all a b\nquorum g\n", Quorum(2, (X[0], X[1]))),
        (
            "# a comment \xff\n\n \t \n  #x\n\t" + W1.replace(" ", " \t ") + "quorum\ta  \n",
            Quorum(1, (X[0],)),
        ),
        (f"witness a {X[0]} https://witness.example/\nquorum a\n", Quorum(1, (X[0],))),
        ("# \x80\x20\x7e\nquorum none\n", None),
        ("#" + "x" * (65_536 - 14) + "\nquorum none\n", None),
        (f"witness ä {X[0]}\nquorum ä\n", Quorum(1, (X[0],))),
        ("quorum none\n" + W1, None),
    ],
)
def test_forms_that_a_policy_may_have(text: str, quorum: Quorum | None) -> None:
    """A witness as the quorum, `any` and `all`, whitespace, comments, URLs, names beyond ASCII, no quorum at all."""
    assert read_policy(text.encode("latin-1")).quorum == quorum


@pytest.mark.parametrize(
    "text",
    [
        "",
        W1,
        W1 + "quorum a\nquorum a\n",
        W1 + "quorum b\n",
        "quorum a\n" + W1,
        W1 + "quorum\n",
        W1 + "quorum a b\n",
        "group g 1 a\n" + W1 + "quorum g\n",
        W1 + "group g 0 a\nquorum g\n",
        W1 + "group g 2 a\nquorum g\n",
        W1 + "group g 01 a\nquorum g\n",
        W1 + "group g +1 a\nquorum g\n",
        W1 + "group g some a\nquorum g\n",
        W1 + "group g 1\nquorum g\n",
        W1 + "group g all\nquorum g\n",
        W1 + "group g 1 g\nquorum g\n",
        W1 + "group g 1 a a\nquorum g\n",
        W1 + W2 + "group g 1 a b\ngroup h 1 a g\nquorum h\n",
        W1 + "group g 1 none\nquorum g\n",
        W1 + W1.replace("witness a", "witness b") + "quorum a\n",
        W1 + W2.replace("witness b", "witness a") + "quorum a\n",
        W1.replace("witness a", "witness none") + "quorum none\n",
        W1 + "group a 1 a\nquorum a\n",
        f"witness a {LOG}\nquorum a\n",
        f"log {X[0]}\nquorum none\n",
        f"log {LOG}\nlog {LOG}\nquorum none\n",
        f"witness a {X[0]} url more\nquorum a\n",
        f"log {LOG} url more\nquorum none\n",
        "log\nquorum none\n",
        "log x+y+z\nquorum none\n",
        "watch a b\nquorum none\n",
        "Quorum none\n",
        "quorum none\r\n",
        "quorum none\x00\n",
        "quorum none\x7f\n",
        "# \x01\nquorum none\n",
        "# \x1f\nquorum none\n",
        "# \x7f\nquorum none\n",
        "# a carriage return\r\nquorum none\n",
        "quorum\u00a0none\n",
        "#" + "x" * (65_536 - 13) + "\nquorum none\n",
    ],
)
def test_a_policy_that_breaks_a_rule_is_refused(text: str) -> None:
    """Definitions stand above their use; names and keys once; 1 <= k <= n; one quorum; one character set."""
    with pytest.raises((BadNote, BadKey)):
        read_policy(text.encode())


def test_trust_needs_a_listed_log_and_a_quorum() -> None:
    """Nobody is believed by accident."""
    with pytest.raises(BadKey, match="edge/EDGE2"):
        read_policy(EXAMPLE.encode()).trust("edge/EDGE2")
    with pytest.raises(BadKey, match="no quorum"):
        read_policy(f"log {LOG}\nquorum none\n".encode()).trust("edge/EDGE1")


@given(
    st.lists(
        st.sampled_from(["log", "witness", "group", "quorum", "none", "a", "b", "1", "all", str(X[0]), "\n"])
    )
)
def test_any_lines_of_known_words_are_a_policy_or_refused(words: list[str]) -> None:
    """No other error, whatever the order."""
    try:
        read_policy(" ".join(words).encode())
    except (BadNote, BadKey):
        return


@given(st.binary(max_size=60))
def test_any_bytes_are_a_policy_or_refused(raw: bytes) -> None:
    """No other error, whatever the bytes."""
    try:
        read_policy(EXAMPLE.encode() + raw)
    except (BadNote, BadKey):
        return
