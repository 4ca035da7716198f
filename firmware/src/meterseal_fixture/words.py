"""Every sentence a person at the bench may read, in Chinese and English: one table, one sentence a code.

`%s` is the one gap: a position, a number or a name.
"""

SENTENCES = {
    "line.malformed": (
        "收到的不是一行JSON对象，请重新发送。",
        "That line is not one JSON object; send it again.",
    ),
    "order.unknown": (
        "不认识的指令“%s”，只接受 run、check、prepare、start、stop、status。",
        "Unknown order '%s'; use run, check, prepare, start, stop or status.",
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
    "order.meter": (
        "“%s”：该表号在指令中出现两次，或该表位尚未扫码，请更正或扫码。",
        "'%s': this meter stands twice in the order, or this position was not scanned; correct it or scan.",
    ),
    "plan.mode": (
        "该方案只能用于模式 %s（1检定、2培训、3核查），请更正指令。",
        "This plan is for mode %s alone (1 verify, 2 training, 3 check); correct the order.",
    ),
    "plan.ungranted": (
        "方案 %s 未获授权，不能用于检定：请由计量管理人员下发带授权的方案，或改为培训模式。",
        "No grant covers plan %s: have the edge send one that a rules grant names, or run it as training.",
    ),
    "tenant.ungranted": (
        "“%s”在本台无授权：请核对委托方，或等待授权下发。",
        "No grant lets '%s' use this bench: check the tenant, or wait until its grant has come down.",
    ),
    "scan.double": (
        "表号 %s 已在托盘中，未再次登记。",
        "Meter %s is in the tray already and was not put in again.",
    ),
    "scan.full": (
        "托盘已满（%s 个表位），请开始检定，或用 MS:CLEAR 清空。",
        "The tray is full (%s positions); start the run, or clear it with MS:CLEAR.",
    ),
    "scan.unknown": (
        "扫到的“%s”不是表号，也不是指令卡，请重新扫描。",
        "'%s' is neither a meter's id nor a card's command; scan again.",
    ),
    "scan.gtin": (
        "商品条码 %s 不属于已设置的制造商，请扫描表号，或补充设置 scanner_gtin。",
        "GTIN %s belongs to no maker of the settings; scan the meter's id, or add it to scanner_gtin.",
    ),
    "scan.position": (
        "本台没有表位 %s，请更正。",
        "This bench has no position %s; use another card.",
    ),
    "scan.serial": (
        "表号 %s 末尾的数字不够推出总线地址，请在指令中写明地址。",
        "Meter %s does not end in enough digits for its bus address; give the address in the order.",
    ),
    "scan.lost": (
        "扫码器已断开，请检查其连接并重新启动；检定不受影响。",
        "The scanner's line is gone; check it and restart. Runs are not affected.",
    ),
    "start.nothing": (
        "没有准备好的检定指令，请先在操作台上准备。",
        "No order is prepared; prepare one on the panel first.",
    ),
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
    "beacon.old": (
        "本次引用的时间信标是重新启动前或一天多以前收到的，结果可能不被采信；请尽快恢复与边缘服务器的连接。",
        "This run cites a beacon from before the restart, or a day old; the rules may refuse it. Mind the link.",
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
    "front_end.part": (
        "表位 %s：其计数前端无应答，该表位已退出，其余继续；请检查该前端的供电与接线。",
        "Position %s: its counting front end does not answer; it is left out, the others go on. Check its wiring.",
    ),
    "reference.part": (
        "表位 %s：其计数前端收不到标准表脉冲，该表位已退出，其余继续；请检查标准表到该前端的接线。",
        "Position %s: its front end sees no reference pulses; it is left out, the others go on. Check that wire.",
    ),
    "counter.late": (
        "本机脉冲计数器有一段时间未被读取，计数不可信，检定已中止；问题重复时联系维护人员。",
        "The board's own counters were not looked at for too long; the run is ended. Call service if it repeats.",
    ),
    "sensor.unknown": (
        "传感器 %s 没有可信的值，检定已中止，请检查其接线与供电。",
        "Sensor %s gives no value that can be believed; the run is ended. Check its wiring and supply.",
    ),
    "plan.stamps": (
        "本台的计数器不记脉冲时刻，不能用标准表法（方法 %s），请下发静态启停法的方案。",
        "This bench's counters know no time of a pulse, so no plan of method %s; use one of static start and stop.",
    ),
    "valve.set": ("请将阀门调到 %s mL/h。", "Set the valve to %s mL/h."),
    "valve.close": ("请关闭阀门。", "Close the valve."),
    "reference.silent": (
        "标准表没有脉冲，检定已中止，请检查标准表。",
        "The reference meter gives no pulses; the run is ended. Check the reference meter.",
    ),
    "bench.no_flow": (
        "管路没有流量，检定已中止，请检查水源（气源）与阀门。",
        "Nothing flows on the bench; the run is ended. Check supply and valve.",
    ),
    "run.power": (
        "上次检定未结束就断电或重新启动，已记为中止，请重新检定。",
        "The power went or the board restarted before the last run ended; it is abandoned. Test these meters again.",
    ),
    "board.watchdog": (
        "本机由看门狗或更新重新启动；若非更新且问题重复，请联系维护人员。",
        "The watchdog or an update restarted this board; if it was no update and happens again, call service.",
    ),
    "board.brown_out": (
        "供电电压过低，本机曾重新启动并已记录；请检查电源与接线。",
        "The supply sagged and this board restarted, which is on record; check the supply and its wiring.",
    ),
    "task.stuck": (
        "上次检定中程序停滞（%s），本机已重新启动并记录；请重新检定，问题重复时联系维护人员。",
        "The program hung in a run (%s) and the board restarted, which is on record. Test again, or call service.",
    ),
    "line.lost": (
        "串口线路 %s 曾断开，本机已重新启动并记录；请检查该线路。",
        "The line %s was lost; the board restarted, which is on record. Check that line.",
    ),
    "station.out_of_order": (
        "程序出错（%s），本机已重新启动并记录；请联系维护人员。",
        "The program went wrong (%s); the board restarted, which is on record. Call service.",
    ),
    "plan.telegrams": (
        "静态法方案的表位与流量点过多（%s 组读数），一份结果放不下，请减少表位或流量点。",
        "A static plan with %s pairs of readings does not fit one result; take fewer positions or points.",
    ),
    "store.damaged": (
        "存储中有 %s 处损坏并已记录，请重新启动；问题重复时更换板卡。",
        "The store has %s damaged places, which is on record; change the board if it happens again.",
    ),
    "pulse.bounce": (
        "脉冲触点抖动（通道 %s，0为标准表），抖动未计入；请检查触点与接线。",
        "Contacts bounced (channels %s, 0 being the reference), which was not counted; check contact and wiring.",
    ),
    "statement.refused": (
        "边缘服务器收不下一条损坏的记录，其后的检定须重做；已写入记录，问题重复时更换板卡。",
        "The edge cannot take a damaged record; do the tests behind it again, and change the board if it repeats.",
    ),
    "link.lost": (
        "与边缘服务器的连接已断开，检定照常进行并保存在本机；请检查网络。",
        "There is no connection to the edge; runs go on and are kept here. Check the network.",
    ),
    "link.certificate": (
        "消息代理不接受更新的证书（%s），仍使用原证书；请通知管理员。",
        "The broker does not take the renewed certificate (%s); the old one stays. Call whoever runs the edge.",
    ),
    "edge.silent": (
        "边缘服务器没有确认已发送的数据，检定照常进行并保存在本机；请通知管理员。",
        "The edge confirms nothing that is sent; runs go on and are kept here. Call whoever runs the edge.",
    ),
    "run.stopped": ("操作员已停止。", "Stopped by the operator."),
    "counter.overflow": (
        "计数或计时超出32位，检定已中止，请缩短该流量点。",
        "A count or a time does not fit 32 bits; the run is ended. Shorten the point in the plan.",
    ),
    "meter.refused": (
        "表位 %s：表拒绝了指令，该表位已退出。",
        "Position %s: the meter refused what it was asked; it is left out.",
    ),
    "update.no_slots": (
        "本程序不是从更新槽启动的，不能在现场更新；请先用线缆写入镜像。",
        "This application does not run from a slot and takes no update; flash an image by cable first.",
    ),
    "update.on_trial": (
        "当前版本尚在试运行，确认之前不接受更新。",
        "The running version is still on trial; no update before it is confirmed.",
    ),
    "update.unheard": (
        "试运行的版本在 %s 秒内没有收到边缘服务器的消息，本机重新启动；仍收不到时自动恢复旧版本。",
        "The version on trial heard no edge for %s seconds: this board restarts, and in the end the old one returns.",
    ),
    "update.counting": (
        "正在计数，更新暂停；检定结束后请重新发送。",
        "Gates are counting; send this part of the update again when the run has ended.",
    ),
    "update.not_begun": (
        "更新尚未开始或已重新启动，请从头开始本次更新。",
        "No update was begun since the last start; begin it first.",
    ),
    "update.path": (
        "更新中的文件名“%s”不允许，请重新生成镜像。",
        "The update's file name '%s' is not allowed; build the image again.",
    ),
    "update.offset": (
        "更新数据不衔接（%s 字节已收到），请从该处继续发送。",
        "The update's data do not join (%s bytes are there); go on from there.",
    ),
    "update.large": (
        "更新超过 %s 字节，已拒绝。",
        "The update is larger than %s bytes and is refused.",
    ),
    "update.flash": (
        "更新写入闪存失败（%s），请重新启动后再试。",
        "Flash did not take the update (%s); restart and try again.",
    ),
    "update.manifest": (
        "更新清单无法解读（%s），请重新生成镜像。",
        "The update's manifest cannot be read (%s); build the image again.",
    ),
    "update.grant": (
        "固件授权无效（%s），请向主管部门核实授权。",
        "The firmware grant does not hold (%s); ask the authority for the right one.",
    ),
    "update.board": (
        "更新或授权是给另一种板的（%s），已拒绝。",
        "The update or its grant is for another board (%s) and is refused.",
    ),
    "update.digest": (
        "授权、清单与收到的文件摘要不一致，请重新发送或核实授权。",
        "Grant, manifest and files do not have one digest; send it again or check the grant.",
    ),
    "update.rollback": (
        "更新的防回退计数低于 %s，不能装回旧版本。",
        "The update's rollback counter is below %s; an older version is not installed.",
    ),
    "update.file": (
        "更新文件“%s”缺失、损坏或多余，请重新发送。",
        "The update's file '%s' is missing, damaged or one too many; send it again.",
    ),
    "update.beside": (
        "更新改动了“%s”，该文件只能用线缆更换。",
        "The update changes '%s', which only a cable may change.",
    ),
    "keep.not_kept": (
        "闪存没有保存（%s），请重新启动；问题重复时更换板卡。",
        "Flash did not keep it (%s); restart, and change the board if it happens again.",
    ),
    "element.silent": (
        "安全芯片无应答，请检查其接线，然后重新启动。",
        "The secure element does not answer; check its wiring and restart.",
    ),
    "element.damaged": (
        "与安全芯片的通信受损，请检查接线与总线速率。",
        "What the secure element says arrives damaged; check wiring and bus speed.",
    ),
    "element.refused": (
        "安全芯片拒绝了指令（%s），请更换板卡。",
        "The secure element refuses (%s); change the board.",
    ),
    "element.failed": (
        "安全芯片故障（%s），请更换板卡。",
        "The secure element has failed (%s); change the board.",
    ),
    "element.config": (
        "安全芯片的配置不符合要求（%s），请重新配置板卡。",
        "The secure element is not configured as needed (%s); provision another board.",
    ),
    "element.counter": (
        "安全芯片的计数器已到尽头或自相矛盾（%s），请更换板卡。",
        "The secure element's counter is at its end or contradicts itself (%s); change the board.",
    ),
    "signer.entropy": (
        "随机数源不可靠，未生成密钥，请断电后重试；问题重复时更换板卡。",
        "Random numbers cannot be trusted, so no key was made; cut the power, try again, else change the board.",
    ),
    "flow.unsteady": (
        "流量未能在规定时间内稳定（最后测得 %s mL/h），检定已中止，请检查泵、阀门与管路中的空气。",
        "The flow did not become steady in time (%s mL/h at last); the run is ended. Check pump, valve and air.",
    ),
    "flow.not_closed": (
        "阀门关闭后仍有流量，检定已中止，请检查阀门。",
        "Something still flows with the valve closed; the run is ended. Check the valve.",
    ),
    "flow.silent": (
        "流量控制器无应答，检定已中止，请检查其供电与接线。",
        "The flow controller does not answer; the run is ended. Check its power and wiring.",
    ),
    "flow.refused": (
        "流量控制器拒绝了设定（异常码 %s），检定已中止，请核对其寄存器设置。",
        "The flow controller refuses (exception %s); the run is ended. Check its register in the settings.",
    ),
    "flow.not_taken": (
        "流量控制器没有接受设定值 %s mL/h，检定已中止，请检查其运行方式。",
        "The flow controller did not take %s mL/h; the run is ended. Check its mode.",
    ),
    "flow.range": (
        "流量 %s mL/h 超出流量控制器的范围，检定已中止，请更正方案或设置。",
        "A flow of %s mL/h does not fit the flow controller; the run is ended. Correct the plan or the settings.",
    ),
}


def sentence(code: str, detail: object = "") -> tuple[str, str]:
    """(Chinese, English) for a code of `SENTENCES`, the gap filled with `detail`."""
    chinese, english = SENTENCES[code]
    if "%s" in chinese:
        return chinese % (detail,), english % (detail,)
    return chinese, english
