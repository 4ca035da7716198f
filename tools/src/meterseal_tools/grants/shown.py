"""Grants and withdrawals as tables, in Chinese and English."""

from collections.abc import Sequence

from rich.table import Table

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.statement import Statement
from meterseal_protocol.verify import verify
from meterseal_tools.grants.fields import BY_LABEL
from meterseal_tools.grants.form import at_time
from meterseal_tools.grants.values import in_words
from meterseal_wire import kinds
from meterseal_wire import labels as L

NAMES_ZH = {
    kinds.DELEGATION: "授权下放",
    kinds.MANUFACTURER: "制造商",
    kinds.TYPE: "型式",
    kinds.STANDARD: "计量标准",
    kinds.FIXTURE: "夹具",
    kinds.EDGE: "边缘服务器",
    kinds.REGISTRY: "登记库",
    kinds.WITNESS: "见证人",
    kinds.PERSON: "人员",
    kinds.TENANT: "委托方",
    kinds.SUPERVISOR: "监督方",
    kinds.RULES: "规则",
    kinds.FIRMWARE: "固件",
    kinds.REFERENCE_MATERIAL: "标准物质",
}
WORDS_WIDTH = 44
SIGNED = {
    True: "签名有效 the signature holds",
    False: "签名无效 THE SIGNATURE DOES NOT HOLD",
    None: "签名者未知，未核验签名 signer not among the files given: signature not checked",
}


def signers(anchors: Sequence[PublicKey], grants: Sequence[Statement]) -> KeyRing:
    """Keys that may have signed: the anchors, and whoever these grants are delegations to."""
    found = KeyRing()
    for key in anchors:
        found.add(key)
    for grant in grants:
        if grant.typ == L.KIND_GRANT and grant.payload[L.GRANT] == kinds.DELEGATION:
            found.add(PublicKey.from_cose(grant.payload[L.SUBJECT_KEY]))
    return found


def holds(raw: bytes, statement: Statement, ring: KeyRing) -> bool | None:
    """True if one of these keys signed it, False if its signature fails, None where nobody here could have."""
    if not ring.by_kid(statement.kid):
        return None
    try:
        verify(raw, ring)
    except ProtocolError:
        return False
    return True


def table_of(statement: Statement, signed: bool | None) -> Table:
    """A grant or withdrawal, a row a field."""
    payload = statement.payload
    title = "撤回 withdrawal"
    if statement.typ == L.KIND_GRANT:
        kind = payload[L.GRANT]
        title = f"{NAMES_ZH[kind]} {kinds.GRANT_NAMES[kind]}"
    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column(max_width=WORDS_WIDTH)
    table.add_column(overflow="fold")
    table.add_row("发证方 issuer", statement.issuer)
    table.add_row("标识 identity", statement.identity.hex())
    table.add_row("签名 signature", SIGNED[signed])
    if statement.typ == L.KIND_WITHDRAWAL:
        table.add_row("撤回的授权 grant", payload[L.STATEMENT].hex())
        table.add_row("自何时起无效 counts no more from", at_time(payload[L.TAINTED_FROM_S]))
        table.add_row("签署于 signed", at_time(payload[L.TIME_S]))
        table.add_row("原因 why", payload[L.DETAIL])
        return table
    table.add_row("编号 number", str(payload[L.NUMBER]))
    table.add_row("有效期 valid", " — ".join(at_time(end) for end in payload[L.WINDOW]))
    table.add_row("上级授权 under", payload[L.PARENT].hex() if L.PARENT in payload else "信任锚 an anchor")
    for label, value in payload.items():
        if label in BY_LABEL:
            field = BY_LABEL[label]
            table.add_row(f"{field.zh}\n{field.en}", in_words(field, value))
    if payload.get(L.DEMO):
        table.add_row("演示密钥 demo", "不具法律效力 no legal effect")
    return table
