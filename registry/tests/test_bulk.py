"""A spreadsheet of serials: what is read from it, what is answered, and what a spreadsheet could do with that."""

import csv
import io

import pytest
from registry.tests.conftest import BAD_PPM, METER, Office

from meterseal_protocol.status import INVALID
from meterseal_registry.bulk import ANSWER, MOST_ROWS, Line, answer, decoded, meters_in, place, safe, to_csv
from meterseal_registry.errors import BadRequest

OTHER = "87654321"


@pytest.mark.parametrize(
    "text,meters",
    [
        ("meter\nDEMO.1\nDEMO.2\n", ["DEMO.1", "DEMO.2"]),
        ("DEMO.1\nDEMO.2", ["DEMO.1", "DEMO.2"]),
        ("DEMO.1\r\nDEMO.2\r\n", ["DEMO.1", "DEMO.2"]),
        ("DEMO.1\rDEMO.2\r", ["DEMO.1", "DEMO.2"]),
        ("\n\n meter \n\n demo.1 \n,\n", ["DEMO.1"]),
        ("address,表号\nRoad 1,DEMO.1\nRoad 2,DEMO.2", ["DEMO.1", "DEMO.2"]),
        ("no,Serial,x\n1,DEMO.1,a\n2", ["DEMO.1", ""]),
        ('x,METER\n"Road 1, left",DEMO.1\n"two\nlines",DEMO.2', ["DEMO.1", "DEMO.2"]),
        ("ＤＥＭＯ．１２\n", ["DEMO.12"]),
    ],
)
def test_meters_are_read_from_a_column_or_a_list(text: str, meters: list[str]) -> None:
    """Design section 2: a spreadsheet with 10 000 serials; section 9: ids are NFKC, upper case, without blanks."""
    assert meters_in(text) == meters


@pytest.mark.parametrize("text", ["", "\n \n", ",\n,,"])
def test_an_empty_file_is_refused(text: str) -> None:
    """One sentence that says what to give."""
    with pytest.raises(BadRequest, match="column named meter"):
        meters_in(text)


def test_what_the_csv_reader_cannot_read_is_refused() -> None:
    """Python's csv module limits a field to 131 072 characters."""
    with pytest.raises(BadRequest, match="cannot be read as CSV"):
        meters_in("meter\n" + "x" * 131_073)


def test_as_many_rows_as_allowed_and_not_one_more() -> None:
    """100 000 meters under a header."""
    rows = ["DEMO.1"] * MOST_ROWS
    assert len(meters_in("\n".join(["meter", *rows]))) == MOST_ROWS
    with pytest.raises(BadRequest, match="100001 meters; split it at 100000"):
        meters_in("\n".join(["meter", *rows, "DEMO.2"]))


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030"])
def test_a_file_in_another_encoding_is_refused_with_advice(encoding: str) -> None:
    """Excel saves GBK or UTF-16 where it is not asked for CSV UTF-8."""
    with pytest.raises(BadRequest, match="save it as CSV UTF-8"):
        decoded("表号\nDEMO.1".encode(encoding))


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    """Excel's CSV UTF-8 begins with EF BB BF."""
    assert meters_in(decoded(b"\xef\xbb\xbf" + "表号\nDEMO.1".encode())) == ["DEMO.1"]


def test_the_place_is_a_code_of_up_to_six_digits() -> None:
    """GB/T 2260: 33 is Zhejiang, 330110 Yuhang."""
    assert (place(None), place(""), place("33"), place("330110")) == (None, None, "33", "330110")
    for text in ("3301101", "Zhejiang", "33 ", "３３", "-1"):
        with pytest.raises(BadRequest, match="GB/T 2260"):
            place(text)


def test_each_meter_gets_its_own_answer_in_the_order_asked(office: Office) -> None:
    """Valid; refused with the judge's reason; unknown: never a yes."""
    office.offer(*office.run())
    office.offer(*office.run(BAD_PPM, OTHER))
    lines = answer(office.record, [f"DEMO.{OTHER}", METER, "DEMO.1", ""], "330110", office.now_s)
    assert [line.answer for line in lines] == ["not_valid", "valid", "cannot_say", "cannot_say"]
    assert [line.codes for line in lines] == ["error.limit", "", "registry.not_found", "registry.not_found"]
    assert "27000 ppm" in lines[0].zh and "27000 ppm" in lines[0].en
    assert (
        lines[1].install_before == office.now_s + 365 * 86400 - 60
    )  # decided a minute before the second run


def test_the_place_counts(office: Office) -> None:
    """The demo's maker may skip verification in 33 alone; 44 is Guangdong."""
    office.offer(*office.run())
    [line] = answer(office.record, [METER], "440300", office.now_s)
    assert (line.answer, line.codes) == ("not_valid", "certificate.territory")


def test_a_withdrawn_certificate_is_not_valid(office: Office) -> None:
    """The answer comes from the status list of now."""
    office.offer(*office.run())
    office.record.certificates.store.set_status(0, INVALID)
    [line] = answer(office.record, [METER], None, office.now_s)
    assert (line.answer, line.codes) == ("not_valid", "status.invalid")


def test_the_answers_are_a_csv_that_shows_chinese() -> None:
    """RFC 4180 with CRLF; the byte-order mark lets Excel read UTF-8."""
    text = to_csv([Line("DEMO.1", "valid", "", 7, "好, 的", "fine")])
    assert text.startswith("\ufeff") and text.endswith("\r\n")
    rows = list(csv.reader(io.StringIO(text[1:])))
    assert rows == [list(ANSWER), ["DEMO.1", "valid", "", "7", "好, 的", "fine"]]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start: str) -> None:
    """OWASP's list for CSV injection: equals, plus, minus, at, tab, carriage return."""
    assert safe(start + "1+1") == f"'{start}1+1"
    assert safe("1" + start) == "1" + start and safe("") == ""
