"use strict";
const QUIET_MS = 25000; // the edge sends a beat each ten seconds
const TABLE = ["when", "where", "what", "why", "times"];
const POSITION = { waiting: "waiting_p", reading: "reading", counting: "counting", done: "done", silent: "silent" };
let language = localStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en");
let last = null;
let connected = true;
let heard = Date.now();
let drawnAlarms = "";
let source = null;

const byId = (id) => document.getElementById(id);
function el(tag, text, cls) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (cls) made.className = cls;
  return made;
}
function clock(seconds) {
  const then = new Date(seconds * 1000);
  const time = then.toLocaleTimeString(language, { hour12: false });
  return then.toDateString() === new Date().toDateString() ? time : `${then.toLocaleDateString(language)} ${time}`;
}
const count = (value) => (value === null ? "–" : String(value));

function position(row, meters, w) {
  const name = POSITION[row.state];
  const li = el("li", undefined, name ? row.state : "bad");
  const head = el("div", undefined, "place");
  head.append(el("b", String(row.position)), el("span", name ? w[name] : row.state));
  li.append(head, el("div", meters[row.position] || "", "meter"));
  return li;
}

function facts(f, live, w) {
  const list = el("dl");
  const rows = [[w.epoch, f.seq < 0 ? "–" : f.epoch], [w.seq, f.seq < 0 ? "–" : f.seq], [w.held, f.stored],
    [w.pending, live.pending ?? w.unknown], [w.last, f.last_s ? clock(f.last_s) : "–"]];
  for (const [name, value] of rows) {
    const pair = el("div");
    pair.append(el("dt", name), el("dd", String(value)));
    list.append(pair);
  }
  return list;
}

function bench(f, w) {
  const made = el("section", undefined, f.online ? "" : "away");
  made.dataset.fixture = f.fixture;
  const live = f.live;
  const head = el("h2", f.fixture);
  head.append(el("span", f.online ? w.online : w.offline, f.online ? "chip up" : "chip down"));
  head.append(el("span", w[live.now] || w.quiet, "chip"));
  if (live.of) head.append(el("span", `${w.point} ${live.point}/${live.of}`, "chip"));
  made.append(head, facts(f, live, w));
  const rows = live.positions || [];
  if (!rows.length) { made.append(el("p", w.no_run, "soft")); return made; }
  const list = el("ul", undefined, "positions");
  list.append(...rows.map((row) => position(row, f.meters, w)));
  made.append(list);
  return made;
}

function drawAlarms(w) {
  const now = language + JSON.stringify(last.alarms);
  if (now === drawnAlarms) return; // a screen reader says a live region again whenever it is drawn again
  drawnAlarms = now;
  byId("alarms-title").textContent = w.alarms;
  if (!last.alarms.length) { byId("alarms").replaceChildren(el("span", w.none, "soft")); return; }
  const table = el("table");
  const head = el("tr");
  head.append(...TABLE.map((name) => el("th", w[name])));
  const top = el("thead");
  top.append(head);
  const body = el("tbody");
  for (const a of [...last.alarms].reverse()) {
    const row = el("tr");
    const meaning = CODES[a.code] || CODES[a.code.split(".")[0]];
    const cells = [clock(a.at_s), a.fixture || "–", a.code, "", String(a.count)];
    row.append(...cells.map((text, i) => { const td = el("td", text, TABLE[i]); td.dataset.name = w[TABLE[i]]; return td; }));
    const why = row.querySelector(".why");
    if (meaning) why.append(el("div", meaning[language === "zh" ? 0 : 1]));
    why.append(el("div", a.why, "soft"));
    body.append(row);
  }
  table.append(top, body);
  byId("alarms").replaceChildren(table);
}

function drawBanner(w) {
  const text = !connected ? w.lost : last && !last.accepting ? w.full : "";
  const lost = byId("lost");
  lost.hidden = !text;
  if (lost.textContent !== text) lost.textContent = text;
}

function draw() {
  const w = WORDS[language];
  document.documentElement.lang = language;
  byId("language").textContent = w.other;
  drawBanner(w);
  if (!last) return;
  byId("title").textContent = document.title = `MeterSeal ${w.title} ${last.edge} · ${last.site}`;
  const links = ["broker", "registry"].map((name) => {
    const up = last[name] && connected;
    return el("span", `${w[name]} ${up ? w.up : w.down}`, up ? "chip up" : "chip down");
  });
  links.push(el("span", `${w.beacon} ${last.beacon ? last.beacon.number : w.none}`, "chip"));
  byId("links").replaceChildren(...links);
  const waiting = last.durable === null ? null : last.durable - last.entered;
  const tiles = { durable: last.durable, entered: last.entered, waiting, quarantined: last.quarantined };
  byId("tiles").replaceChildren(...Object.entries(tiles).map(([name, value]) => {
    const tile = el("div", undefined, name === "quarantined" && value ? "tile warn" : "tile");
    tile.dataset.name = name;
    tile.append(el("b", count(value)), el("span", w[name]));
    return tile;
  }));
  const benches = last.fixtures.map((f) => bench(f, w));
  byId("benches").replaceChildren(...(benches.length ? benches : [el("p", w.no_fixtures, "soft")]));
  drawAlarms(w);
}

function alive() {
  heard = Date.now();
  if (!connected) { connected = true; draw(); }
}

function listen() {
  if (source) source.close();
  source = new EventSource("/events");
  source.onmessage = (message) => { last = JSON.parse(message.data); heard = Date.now(); connected = true; draw(); };
  source.addEventListener("beat", alive);
  source.onerror = () => { connected = false; draw(); };
}

// A line that broke without a word, or that the browser has given up, is opened anew.
setInterval(() => {
  if (source.readyState === EventSource.CLOSED || Date.now() - heard > QUIET_MS) {
    connected = false;
    heard = Date.now();
    draw();
    listen();
  }
}, 2000);
byId("language").onclick = () => {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  draw();
};
listen();
draw();
