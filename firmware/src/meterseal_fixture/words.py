"""Every sentence a person at the bench may read, in Chinese and English: one table, one sentence a code.

`%s` is the one gap: a position, a number or a name.
"""

SENTENCES = {
    "line.malformed": (
        "收到的不是一行JSON对象，请重新发送。",
        "That line is not one JSON object; send it again.",
    ),
    "order.unknown": (
        "不认识的指令“%s”，只接受 run、stop、status。",
        "Unknown order '%s'; use run, stop or status.",
    ),
    "order.busy": (
        "台位正在检定，请等本次结束或先停止。",
        "A run is under way; wait for its end or stop it first.",
    ),
    "order.idle": ("没有正在进行的检定可停止。", "There is no run to stop."),
    "order.field": (
        "指令中的“%s”缺失或格式不对，请更正。",
        "The order's '%s' is missing or malformed; correct it.",
    ),
    "order.position": (
        "表位 %s 重复或超出本台范围，请更正。",
        "Position %s stands twice or is not on this bench; correct it.",
    ),
    "order.meter": ("表号 %s 在指令中出现两次，请更正。", "Meter %s stands twice in the order; correct it."),
    "plan.malformed": (
        "检定方案无法解读（%s），请重新生成方案。",
        "The plan cannot be read (%s); have it made again.",
    ),
    "keep.full": (
        "存储已满，边缘服务器恢复并确认之前不能开始新的检定。",
        "The store is full; no new run until the edge is back and has confirmed.",
    ),
    "beacon.missing": (
        "尚未收到登记处的时间信标，请检查与边缘服务器的连接。",
        "No beacon of the registry has arrived yet; check the link to the edge.",
    ),
    "meters.none": (
        "没有一只表可以检定，未开始；请检查总线。",
        "No meter can be tested, so nothing was begun; check the bus.",
    ),
    "meter.silent": (
        "表位 %s：表无应答，该表位已退出，请检查接线。",
        "Position %s: the meter does not answer and is left out; check its wiring.",
    ),
    "meter.damaged": (
        "表位 %s：应答损坏或有两只表同时应答，该表位已退出。",
        "Position %s: answers are damaged or two meters answer at once; it is left out.",
    ),
    "meter.identity": (
        "表位 %s：应答的是另一只表，该表位已退出，请核对表号。",
        "Position %s: another meter answers; it is left out. Compare the serial numbers.",
    ),
    "meter.register": (
        "表位 %s：报文中没有可用的累积量，该表位已退出。",
        "Position %s: the telegram has no usable volume register; it is left out.",
    ),
    "meter.no_flow": (
        "表位 %s：没有脉冲，该表位已退出，请检查阀门与表。",
        "Position %s: no pulses came; it is left out. Check the valve and the meter.",
    ),
    "front_end.silent": (
        "计数前端无应答，检定已中止，请检查其供电与接线。",
        "The counting front end does not answer; the run is ended. Check its power and wiring.",
    ),
    "reference.silent": (
        "标准表没有脉冲，检定已中止，请检查标准表。",
        "The reference meter gives no pulses; the run is ended. Check the reference meter.",
    ),
    "bench.no_flow": (
        "管路没有流量，检定已中止，请检查水源（气源）与阀门。",
        "Nothing flows on the bench; the run is ended. Check supply and valve.",
    ),
    "run.stopped": ("操作员已停止。", "Stopped by the operator."),
}


def sentence(code: str, detail: object = "") -> tuple[str, str]:
    """(Chinese, English) for a code of `SENTENCES`, the gap filled with `detail`."""
    chinese, english = SENTENCES[code]
    if "%s" in chinese:
        return chinese % (detail,), english % (detail,)
    return chinese, english
