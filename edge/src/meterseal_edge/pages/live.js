"use strict";
const WORDS = {
  zh: { title: "边缘站", durable: "已落盘", entered: "已入登记库", waiting: "待上传", quarantined: "隔离", broker: "消息代理",
    registry: "登记库", beacon: "信标", alarms: "告警", none: "无", online: "在线", offline: "离线", pending: "夹具待存",
    chain: "链", point: "流量点", up: "正常", down: "断开", lost: "与边缘站的连接已断开，正在重连。夹具不受影响：未被确认的记录都还在夹具里。",
    full: "存储不可用：已停止确认。请检查磁盘空间；夹具会保留自己的记录。", other: "English",
    idle: "空闲", open: "已登记", running: "检定中", settling: "收尾", waiting_p: "等待", reading: "读表", counting: "计数", done: "完成", silent: "无应答", times: "次" },
  en: { title: "Edge", durable: "durable", entered: "in the registry", waiting: "to be sent", quarantined: "quarantined", broker: "broker",
    registry: "registry", beacon: "beacon", alarms: "Alarms", none: "none", online: "online", offline: "offline", pending: "kept by fixture",
    chain: "chain", point: "point", up: "up", down: "down", lost: "The connection to the edge is lost; trying again. Fixtures are not affected: what was not acknowledged they still keep.",
    full: "The store cannot be used: acknowledging has stopped. Check the disk; fixtures keep their statements.", other: "中文",
    idle: "idle", open: "attempt signed", running: "running", settling: "settling", waiting_p: "waiting", reading: "reading", counting: "counting", done: "done", silent: "silent", times: "times" },
};
let language = (localStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en"));
let last = null;
const el = (tag, text, cls) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; if (cls) e.className = cls; return e; };
const byId = (id) => document.getElementById(id);
function position(p, w) {
  const known = { waiting: w.waiting_p, reading: w.reading, counting: w.counting, done: w.done, silent: w.silent };
  const li = el("li", undefined, p.state === "counting" ? "counting" : p.state === "done" ? "done" : (p.state in known && p.state !== "silent") ? "" : "bad");
  li.append(el("div", p.position + " · " + (known[p.state] || p.state)));
  if (p.meter) li.append(el("div", p.meter, "soft"));
  return li;
}
function bench(f, w) {
  const s = el("section"); s.dataset.fixture = f.fixture;
  const h = el("h2", f.fixture + " · "); h.append(el("span", f.online ? w.online : w.offline, f.online ? "up" : "down")); s.append(h);
  const live = f.live || {};
  const at = live.of ? ` · ${w.point} ${live.point}/${live.of}` : "";
  s.append(el("div", (w[live.now] || "") + at));
  s.append(el("div", `${w.chain} ${f.epoch}/${f.seq} · ${w.durable} ${f.stored} · ${w.pending} ${live.pending ?? "?"}`, "soft"));
  const list = el("ul", undefined, "positions");
  for (const p of live.positions || []) list.append(position(p, w));
  s.append(list);
  return s;
}
function draw() {
  const w = WORDS[language];
  document.documentElement.lang = language;
  byId("language").textContent = w.other;
  byId("alarms-title").textContent = w.alarms;
  if (!last) return;
  byId("title").textContent = `MeterSeal ${w.title} ${last.edge} · ${last.site}`;
  const links = byId("links"); links.replaceChildren();
  for (const name of ["broker", "registry"]) links.append(el("span", `${w[name]} `), el("span", last[name] ? w.up : w.down, last[name] ? "up" : "down"), el("span", "  "));
  links.append(el("span", `${w.beacon} ${last.beacon ? last.beacon.number : w.none}`));
  const lost = byId("lost");
  lost.style.display = last.accepting ? "none" : "block"; lost.textContent = last.accepting ? "" : w.full;
  const tiles = byId("tiles"); tiles.replaceChildren();
  for (const [name, value] of [["durable", last.durable], ["entered", last.entered], ["waiting", last.durable - last.entered], ["quarantined", last.quarantined]]) {
    const t = el("div", undefined, "tile"); t.dataset.name = name; t.append(el("b", String(value)), el("span", w[name])); tiles.append(t);
  }
  byId("benches").replaceChildren(...last.fixtures.map((f) => bench(f, w)));
  const alarms = byId("alarms");
  if (!last.alarms.length) { alarms.replaceChildren(el("span", w.none, "soft")); return; }
  const table = el("table");
  for (const a of [...last.alarms].reverse()) {
    const row = el("tr");
    row.append(el("td", new Date(a.at_s * 1000).toLocaleTimeString()), el("td", a.fixture), el("td", a.code, "warn"), el("td", a.why), el("td", a.count > 1 ? `${a.count} ${w.times}` : ""));
    table.append(row);
  }
  alarms.replaceChildren(table);
}
byId("language").onclick = () => { language = language === "zh" ? "en" : "zh"; localStorage.setItem("language", language); draw(); };
const source = new EventSource("/events");
source.onmessage = (m) => { last = JSON.parse(m.data); draw(); };
source.onerror = () => { const lost = byId("lost"); lost.style.display = "block"; lost.textContent = WORDS[language].lost; };
draw();
