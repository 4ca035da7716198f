"use strict";
// Every word of the page, in both languages. Read by live.js.
const WORDS = {
  zh: { title: "边缘站", durable: "已落盘", entered: "已入登记库", waiting: "待上传", quarantined: "隔离", broker: "消息代理",
    registry: "登记库", beacon: "信标", alarms: "告警", none: "无", online: "在线", offline: "离线",
    lost: "与边缘站的连接已断开，正在重连。夹具不受影响：未被确认的记录都还在夹具里。",
    full: "存储不可用：已停止确认。请检查磁盘空间；夹具会保留自己的记录。",
    no_fixtures: "还没有夹具报到。", no_run: "没有检定任务。", other: "English", up: "正常", down: "断开",
    idle: "空闲", open: "已登记", running: "检定中", settling: "收尾", quiet: "无状态",
    epoch: "启动", seq: "序号", held: "本站已存", pending: "夹具待确认", last: "最近确认", point: "流量点", unknown: "未知",
    waiting_p: "等待", reading: "读表", counting: "计数", done: "完成", silent: "无应答",
    when: "时间", where: "夹具", what: "代码", why: "原因", times: "次数" },
  en: { title: "Edge", durable: "durable", entered: "in the registry", waiting: "to be sent", quarantined: "quarantined", broker: "Broker",
    registry: "Registry", beacon: "Beacon", alarms: "Alarms", none: "none", online: "online", offline: "offline",
    lost: "The connection to the edge is lost; trying again. Fixtures are not affected: what was not acknowledged they still keep.",
    full: "The store cannot be used: acknowledging has stopped. Check the disk; fixtures keep their statements.",
    no_fixtures: "No fixture has reported yet.", no_run: "No run.", other: "中文", up: "up", down: "down",
    idle: "idle", open: "attempt signed", running: "running", settling: "settling", quiet: "no status",
    epoch: "boot", seq: "seq", held: "kept here", pending: "awaiting custody", last: "last custody", point: "flow point", unknown: "unknown",
    waiting_p: "waiting", reading: "reading", counting: "counting", done: "done", silent: "silent",
    when: "time", where: "fixture", what: "code", why: "reason", times: "times" },
};
// What an alarm's code means and what to do, by the code or by its part before the dot. The reason beside it is for
// whoever looks after the edge, and English.
const CODES = {
  "chain.gap": ["中间有记录未到，等待夹具重发。", "Something between has not arrived; the fixture offers it again."],
  "chain.fork": ["同一密钥出现两段历史：停用该夹具并保留现场。", "Two histories under one key: stop this fixture and keep everything."],
  "edge.broker": ["消息代理拒绝本站：检查其账号和访问规则。", "The broker refuses the edge: look at its accounts and access lists."],
  "edge.beacon": ["登记库给出的不是信标，未采用。", "The registry gave something else for a beacon; it was not used."],
  "edge.evidence": ["附件与记录不符，已丢弃附件，保留记录。", "Attachments that the statement does not cover were dropped; it was kept."],
  "edge.kind": ["夹具签了不属于它的记录，已隔离。", "A fixture signed what is not its to say; quarantined."],
  "edge.parcel": ["报文格式错误，已隔离。", "A parcel out of shape; quarantined."],
  "edge.quarantine": ["该夹具的隔离区已满，停止确认：查明原因后清空。", "This fixture's quarantine is full and it is not acknowledged: find out why, then empty it."],
  "edge.receipt": ["登记库回执无效，稍后重发。", "A receipt of the registry does not hold; sent again later."],
  "edge.refused": ["登记库拒收一条记录，其余不受影响，稍后重发。", "The registry refused a statement; others go on, this one is sent again later."],
  "edge.registry": ["登记库无法使用：记录留在本站，恢复后补传。", "The registry cannot be used: statements wait here and are sent when it can."],
  "edge.worker": ["验签进程已退出，本站将重新启动；记录不会丢失。", "A process that verifies has ended and the edge restarts; nothing is lost."],
  "edge.tile": ["日志没有这么长：先读取检查点。", "The log is not that long: read its checkpoint first."],
  "edge.store": ["存储失败，已停止确认：检查磁盘。", "The store failed and acknowledging stopped: look at the disk."],
  "edge.topic": ["密钥与主题不符，或夹具不属于本站，已隔离。", "The key does not belong to this topic or site; quarantined."],
  "verify.unknown_key": ["未知密钥：缺少该夹具的授权。", "Unknown key: the fixture's grant is missing here."],
  verify: ["签名或报头无效，已隔离。", "Signature or header does not hold; quarantined."],
  wire: ["数据损坏，已隔离。", "Damaged bytes; quarantined."],
};
