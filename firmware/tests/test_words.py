"""Every sentence stands in both languages, with the same gap, and every code that is raised has one."""

import os

import meterseal_fixture
from meterseal_fixture.words import SENTENCES, sentence

RAISED = ("Refused(", "MeterFault(", "BenchFault(", "complain(")


def test_every_sentence_is_one_in_both_languages_with_the_same_gap():
    """The panel's contract: always one sentence in both languages; a full stop ends each."""
    for code, (chinese, english) in SENTENCES.items():
        assert chinese.endswith("。") and english.endswith("."), code
        assert chinese.count("%s") == english.count("%s") <= 1, code
        assert any(ord(letter) > 0x2E80 for letter in chinese), code
        assert all(ord(letter) < 0x80 for letter in english), code


def test_the_gap_is_filled_in_both():
    """Arithmetic of text: position 3 appears in both sentences."""
    chinese, english = sentence("meter.silent", 3)
    assert "3" in chinese and "3" in english and "%" not in chinese + english


def test_a_sentence_without_a_gap_ignores_the_detail():
    """keep.full has no gap; the sentence is the table's."""
    assert sentence("keep.full", 7) == SENTENCES["keep.full"]


def test_every_code_that_the_panel_may_show_has_its_sentence():
    """Read from the sources: the text that follows each call which ends in an error line."""
    folder = meterseal_fixture.__file__.rsplit("/", 1)[0]
    found = set()
    for name in os.listdir(folder):
        if name.endswith(".py"):
            with open(folder + "/" + name) as file:
                source = file.read()
            for call in RAISED:
                for rest in source.split(call + '"')[1:]:
                    found.add(rest.split('"')[0])
    assert len(found) > 15
    assert [code for code in found if code not in SENTENCES] == []
    # These three are raised by class, with the class's own code.
    assert all(code in SENTENCES for code in ("run.stopped", "front_end.silent", "bench.no_flow"))
