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
