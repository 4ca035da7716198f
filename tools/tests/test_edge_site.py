"""`meterseal edge init`, `enrol`, `renew`, `revoke`, `doctor` as a person types them, and a real fixture let in."""

import json
import re
from contextlib import closing
from pathlib import Path

import pytest
from edge.tests.secured import DOWN, SITE, UP, Caller, Requests, csr, of_edge, openssl_key, requests, running
from edge.tests.site import wait_until
from firmware.tests.cpython.edge_side import read
from tools.tests.board_bench import Bench, make_image, run
from tools.tests.test_provision import write_site

from meterseal_edge.people.roll import FILE, Roll
from meterseal_edge.site import identities, request
from meterseal_edge.site.layout import Layout
from meterseal_protocol.keys import PrivateKey
from meterseal_tools.boards.identity import fingerprint
from meterseal_tools.services import free_port
from meterseal_tools.sim.bench import BenchSpec
from meterseal_tools.sim.rig import Rig
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan


def init(folder: Path, *more: object) -> list[object]:
    """The words of `edge init` for a site on loopback."""
    names = ["edge", "init", folder, "--site", SITE, "--edge", "EDGE1", "--host", "127.0.0.1"]
    door = ["--listen", "127.0.0.1", "--port", free_port(), "--page-port", free_port()]
    return [*names, "--registry", "http://127.0.0.1:9", *door, *more]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A site made on the command line."""
    done = run(*init(tmp_path / "site"))
    assert done.exit_code == 0, done.stderr
    return Layout(tmp_path / "site")


def brought(folder: Path, signing: PrivateKey, name: str = "W1") -> tuple[Path, Requests]:
    """The three files that `provision` keeps; the path of the TLS request."""
    found = requests(signing, name)
    for end, content in ((".csr", found.signing), (".tls.csr", found.tls), (".tls.proof", found.proof)):
        (folder / f"{name}{end}").write_bytes(content)
    return folder / f"{name}.tls.csr", found


def test_init_says_what_is_next_and_refuses_a_second_time_in_one_sentence(tmp_path: Path) -> None:
    """Design section 13: one sentence that says what and what to do; exit 1, nothing changed."""
    words = init(tmp_path / "site")
    first = run(*words)
    assert first.exit_code == 0 and "edge.cosekey" in first.output and "anchors.cbor" in first.output
    before = (tmp_path / "site" / "ca.pem").read_bytes()
    second = run(*words)
    assert second.exit_code == 1
    assert second.stderr.count("\n") == 1 and "was left as it is" in second.stderr
    assert (tmp_path / "site" / "ca.pem").read_bytes() == before


def test_enrol_shows_the_fingerprint_of_the_label_but_for_the_digits_that_it_asks_for(
    layout: Layout, tmp_path: Path
) -> None:
    """Whoever has not looked at the label can't know them: they are nowhere on the screen."""
    signing = PrivateKey.generate()
    path, _ = brought(tmp_path, signing)
    digits = signing.thumbprint.hex()
    done = run("edge", "enrol", layout.folder, path, typed=f"{digits[-8:-4]} {digits[-4:].upper()}\n")
    assert done.exit_code == 0, done.stderr
    assert fingerprint(signing.thumbprint)[:-10] in done.output
    shown = done.output.split("type the last 8 digits")[0]
    assert digits[-8:-4] not in shown and digits[-4:] not in shown
    assert (
        f"meterseal provision --port PORT --tls {layout.issued / 'W1.pem'} {layout.folder / 'ca.pem'}"
        in done.output
    )
    [row] = identities.load(layout.identities).rows
    assert (row.name, row.key) == ("W1", signing.thumbprint)
    listed = run("edge", "enrolled", layout.folder).output
    assert f"W1\t{fingerprint(signing.thumbprint)}\t有效 live" in listed
    assert run("edge", "revoke", layout.folder, "W1").exit_code == 0
    with closing(Roll(layout.state / FILE)) as roll:
        acts = [
            (what, json.loads(about))
            for what, about in roll.all("SELECT what, about FROM act ORDER BY number")
        ]
    enrolled = {"fixture": "W1", "key": digits, "beside": False}
    assert acts == [("fixture enrolled", enrolled), ("fixture revoked", {"fixture": "W1"})]


@pytest.mark.parametrize("typed", ["", "00000000", "first"])
def test_wrong_digits_issue_nothing(layout: Layout, tmp_path: Path, typed: str) -> None:
    """Exit 64; the first digits, which are on the screen, are not the last."""
    signing = PrivateKey.generate()
    path, _ = brought(tmp_path, signing)
    words = signing.thumbprint.hex()[:8] if typed == "first" else typed
    done = run("edge", "enrol", layout.folder, path, typed=f"{words}\n")
    assert done.exit_code in {1, 64}
    assert list(layout.issued.iterdir()) == []
    assert identities.load(layout.identities).rows == ()


def test_a_tls_request_without_its_proof_is_refused(layout: Layout, tmp_path: Path) -> None:
    """The TLS key alone is nobody's: its fingerprint is on no label."""
    path, _ = brought(tmp_path, PrivateKey.generate())
    (tmp_path / "W1.tls.proof").unlink()
    done = run("edge", "enrol", layout.folder, path)
    assert done.exit_code == 1
    assert "W1.tls.proof is missing" in done.stderr


def test_files_of_two_boards_are_refused_before_anybody_is_asked(layout: Layout, tmp_path: Path) -> None:
    """A swapped stick: the label's own key did not sign this TLS request."""
    path, _ = brought(tmp_path, PrivateKey.generate())
    path.write_bytes(requests(PrivateKey.generate(), "W1").tls)
    done = run("edge", "enrol", layout.folder, path)
    assert done.exit_code == 1 and "does not bind" in done.stderr
    assert "fingerprint" not in done.output


def test_one_key_for_both_is_enrolled_by_its_own_request(layout: Layout, tmp_path: Path) -> None:
    """A device with a single key hands out one PKCS#10 file."""
    signing = PrivateKey.generate()
    (tmp_path / "one.csr").write_bytes(csr(openssl_key(signing), "W5"))
    done = run(
        "edge", "enrol", layout.folder, tmp_path / "one.csr", typed=signing.thumbprint.hex()[-8:] + "\n"
    )
    assert done.exit_code == 0, done.stderr
    assert identities.load(layout.identities).rows[0].key == signing.thumbprint


def test_revoke_and_renew_say_what_they_did(layout: Layout, tmp_path: Path) -> None:
    """Two renewals: the second finds nothing. A revoked fixture is not renewed, and a misspelt name is refused."""
    signing = PrivateKey.generate()
    path, _ = brought(tmp_path, signing)
    run("edge", "enrol", layout.folder, path, typed=signing.thumbprint.hex()[-8:] + "\n")
    first = run("edge", "renew", layout.folder, "--within", "800d")
    assert first.exit_code == 0 and "W1.pem" in first.output and "3 张证书已续期" in first.output
    assert "0 张证书已续期" in run("edge", "renew", layout.folder).output
    assert run("edge", "renew", layout.folder, "--within", "soon").exit_code == 64
    done = run("edge", "revoke", layout.folder, "W1")
    assert done.exit_code == 0 and "已吊销 revoked: W1" in done.output and "no broker runs" in done.output
    assert "已吊销 revoked" in run("edge", "enrolled", layout.folder).output
    assert "2 张证书已续期" in run("edge", "renew", layout.folder, "--within", "800d").output
    wrong = run("edge", "revoke", layout.folder, "W7")
    assert wrong.exit_code == 1 and wrong.stderr.count("\n") == 1


def test_a_folder_that_is_no_site_gets_one_sentence(tmp_path: Path) -> None:
    """Every verb, on a folder of something else."""
    (tmp_path / "x.csr").write_bytes(csr(openssl_key(PrivateKey.generate()), "W1"))
    for words in (("enrolled",), ("renew",), ("revoke", "W1"), ("enrol", tmp_path / "x.csr")):
        done = run("edge", words[0], tmp_path, *words[1:])
        assert done.exit_code == 1 and done.stderr.count("\n") == 1, done.stderr


def test_doctor_says_each_fault_twice_and_ends_by_the_worst(layout: Layout, tmp_path: Path) -> None:
    """Chinese, then English; 2 where something is broken, 1 where something wants care."""
    done = run("edge", "doctor", layout.settings)
    assert done.exit_code == 2
    lines = done.output.splitlines()
    codes = [line.split(":")[0] for line in lines]
    assert codes[::2] == codes[1::2] and "X broker.away" in codes and "! backup.none" in codes
    assert all(re.search("[\u4e00-\u9fff]", line) for line in lines[::2])
    assert run("edge", "doctor", tmp_path / "nothing.json").exit_code == 2


def test_a_fixture_of_real_micropython_is_provisioned_enrolled_let_in_and_revoked(tmp_path: Path) -> None:
    """From `edge init` on an empty folder to a boot statement through the site's own broker, by the commands of
    docs/how-to/set-up-an-edge.md; then `revoke`, and the same fixture is turned away.
    """
    done = run(*init(tmp_path / "site"))
    assert done.exit_code == 0, done.stderr
    layout, bench = Layout(tmp_path / "site"), Bench(tmp_path)
    board = bench.board()
    assert run("flash", make_image(tmp_path / "image"), "--port", board.port).exit_code == 0
    port = json.loads(layout.settings.read_text())["port"]
    with running(layout) as broker, Rig(BenchSpec(kinds.WATER, 8)) as rig:
        edge = Caller(layout, broker.port, of_edge(layout))
        assert edge.let_in()
        edge.listen(UP.format("+"))
        lines = {"capture": rig.capture_line, "mbus": rig.mbus_line, "panel": rig.panel_line}
        fields = {name: f'"{line.path}"' for name, line in lines.items()}
        fields |= {"site": f'"{SITE}"', "fixture": '"W1"', "host": '"127.0.0.1"', "positions": "8"}
        fields |= {"port": str(port), "edge_key": f'"{layout.folder / "edge.cosekey"}"'}
        site = write_site(tmp_path / "site.toml", **fields)
        first = run("provision", "--port", board.port, "--settings", site, "--out", tmp_path)
        assert first.exit_code == 0, first.output + first.stderr
        label = (tmp_path / "labels" / f"{board.unique_id}.txt").read_text().replace(" ", "").split()
        request_file = tmp_path / f"{board.unique_id}.tls.csr"
        enrolled = run("edge", "enrol", layout.folder, request_file, typed=f"{label[-1][-8:]}\n")
        assert enrolled.exit_code == 0, enrolled.output + enrolled.stderr
        words = re.findall(r"--tls (\S+) (\S+)", enrolled.output)[0]
        second = run("provision", "--port", board.port, "--tls", *words, "--out", tmp_path)
        assert second.exit_code == 0, second.output + second.stderr
        board.unplug()
        state = board.store.path / "state"
        text = (state / "settings.json").read_text().replace('"/state', f'"{state}')
        (tmp_path / "fixture.json").write_text(text)
        rig.start_fixture(tmp_path / "fixture.json")
        rig.panel.wait_event("boot")
        rig.panel.wait(lambda message: message.get("link") == "up")
        wait_until(lambda: bool(edge.heard), "the boot statement")
        boot = read(scan(edge.heard[0][1], 65536)[0])
        assert boot.typ == L.KIND_BOOT
        key = PrivateKey((state / "key").read_bytes())
        key.public.verify(boot.signed, boot.signature)
        assert identities.load(layout.identities).rows[0].key == key.thumbprint
        renewed = run("edge", "renew", layout.folder, "--within", "9999d")
        assert renewed.exit_code == 0 and "the edge sends it" in renewed.output, renewed.output
        certificate = (layout.renewed / "W1.der").read_bytes()
        assert certificate != (state / "tls_certificate.der").read_bytes()
        edge.say(DOWN.format("W1"), encode([["certificate", certificate]]))
        rig.panel.wait_event("noted")
        assert (state / "tls_certificate.der").read_bytes() == certificate
        assert run("edge", "revoke", layout.folder, "W1").exit_code == 0
        broker.told()
        broker.stop()
        broker.start()
        wait_until(lambda: "certificate verify failed" in broker.says(), "the refusal")
        assert "as W1" not in broker.says().rpartition("terminating")[2]
        edge.close()
    bench.close()


def test_what_a_board_hands_out_is_bound_by_the_key_on_its_label(tmp_path: Path) -> None:
    """The proof is made on the board, and read here as `enrol` reads it."""
    bench = Bench(tmp_path)
    board = bench.board()
    (tmp_path / "edge.cosekey").write_bytes(b"")
    assert run("flash", make_image(tmp_path / "image"), "--port", board.port).exit_code == 0
    site = write_site(tmp_path / "site.toml", edge_key=f'"{PrivateKey.generate().public_xy.hex()}"')
    assert run("provision", "--port", board.port, "--settings", site, "--out", tmp_path).exit_code == 0
    files = [
        (tmp_path / f"{board.unique_id}{end}").read_bytes() for end in (".tls.csr", ".csr", ".tls.proof")
    ]
    asked = request.read(*files)
    assert asked.key.thumbprint == PrivateKey((board.store.path / "state/key").read_bytes()).thumbprint
    assert asked.key.xy[:32] != asked.public.public_numbers().x.to_bytes(32, "big")
    bench.close()
