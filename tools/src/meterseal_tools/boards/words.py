"""Everything that can go wrong with a board, as one sentence in Chinese and one in English: what, and what to do."""

SENTENCES = {
    "no_port": ("没有端口 {port}；请检查线缆和名称", "there is no port {port}; check the cable and the name"),
    "no_right": (
        "无权打开 {port}；请把用户加入 dialout 组",
        "you may not open {port}; have your user added to the group dialout",
    ),
    "busy": (
        "{port} 被其他程序占用；请先关闭它",
        "{port} is in use by another program; close that first",
    ),
    "not_micropython": (
        "{port} 上没有 MicroPython 应答；请检查电路板或先烧录基础固件（--base）",
        "nothing on {port} answers as MicroPython; check the board, or put the base firmware on it first (--base)",
    ),
    "gone": (
        "{port} 上的电路板中途断开；请重新插上并再次运行，已完成的部分会保留",
        "the board on {port} went away; plug it in and run this again, what is done stays done",
    ),
    "silent": (
        "{port} 上的电路板不再应答；请按复位键后再次运行",
        "the board on {port} stopped answering; press its reset button and run this again",
    ),
    "full": (
        "{port} 上的电路板存储已满；请删除多余文件",
        "the board on {port} has no room left; remove what does not belong there",
    ),
    "damaged": (
        "传输到 {port} 的 {detail} 三次损坏；请更换线缆",
        "{detail} arrived damaged on {port} three times; change the cable",
    ),
    "other_board": (
        "{port} 现在是另一块电路板（{detail}）；请为它重新运行",
        "another board ({detail}) is on {port} now; run this again for it",
    ),
    "refused": (
        "{port} 上的电路板报错：{detail}；请按复位键后再次运行",
        "the board on {port} says: {detail}; press its reset button and run this again",
    ),
    "differs": (
        "{port} 上的电路板与镜像不同：{detail}",
        "the board on {port} is not what was built: {detail}",
    ),
    "older": (
        "{port} 上的电路板不接受旧镜像（防回退计数 {detail}）；确需降级请加 --force-older",
        "the image is older than the board on {port} accepts (counter {detail}); insist with --force-older",
    ),
    "no_firmware": (
        "{port} 上的电路板没有 MeterSeal 固件；请先运行 meterseal flash",
        "the board on {port} has no MeterSeal firmware; run meterseal flash first",
    ),
    "no_key": (
        "{port} 上的电路板没有密钥；请先用 --settings 运行",
        "the board on {port} has no key; run this with --settings first",
    ),
    "two_keys": (
        "{port} 上的电路板配有安全芯片，却还有密钥文件；请先确认哪个是它的密钥，再删除 :/state/key",
        "the board on {port} has a key file beside its element; settle which it is, then remove :/state/key",
    ),
    "open_element": (
        "{port} 上的安全芯片尚无永久密钥；锁定不可撤销，确认后请加 --lock-element 再次运行",
        "the element on {port} has no key yet, and locking one in can't be undone; insist with --lock-element",
    ),
    "element": (
        "{port} 上的安全芯片：{detail}；请检查接线，或更换芯片",
        "the secure element on {port}: {detail}; check its wiring, or take another element",
    ),
    "no_settings": (
        "{port} 上的电路板没有设置；请先用 --settings 运行",
        "the board on {port} has no settings; run this with --settings first",
    ),
    "bad_key": (
        "{port} 上的密钥文件已损坏；请用 mpremote 删除 :/state/key",
        "the key file on {port} is damaged; remove :/state/key with mpremote, then run this again",
    ),
    "open_key": (
        "{port} 上的密钥文件可被他人读取；未写入密钥",
        "a key file on {port} could be read by others; no key was written",
    ),
}


class BoardError(Exception):
    """The work on one board stopped. `code` is a key of SENTENCES, the text is English; `zh` says it in Chinese."""

    def __init__(self, code: str, port: str, detail: str = "") -> None:
        chinese, english = SENTENCES[code]
        super().__init__(english.format(port=port, detail=detail))
        self.code, self.port = code, port
        self.zh = chinese.format(port=port, detail=detail)

    @property
    def both(self) -> str:
        """Both sentences, as an operator reads them."""
        return f"{self.zh}\n{self}"
