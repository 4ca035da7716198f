// The page behind a meter's QR code. The certificate stands in the fragment, which no browser sends to a server.
"use strict";
import { Refused, base32, certificate, judged, statusList } from "/certificate.js";

const WORDS = {
  zh: { valid: "有效：可以安装", not_valid: "无效：不要安装", cannot_say: "目前无法判定", meter: "表号", before: "安装截止", where: "适用地区",
    dial: "表盘读数不得低于", issued: "签发", list: "状态表签发于", demo: "演示密钥，不具法律效力", territory: "安装地的行政区划代码（GB/T 2260）", check: "查验",
    compare: "请核对：表上的编号与封印和上面一致，表盘读数不低于所示值。", other: "English", working: "正在查验……",
    nothing: "此地址不含证书。请重新扫描表上的二维码；下面是登记库的公开记录。", record: "登记库记录", tries: "检定次数",
    granted: "合格", refused: "不合格", undecided: "未定", none: "登记库没有此表的记录。", away: "登记库暂时无法访问。请在有网络时再查。" },
  en: { valid: "Valid: may be installed", not_valid: "Not valid: do not install", cannot_say: "Cannot say now", meter: "Meter", before: "Install before", where: "Territory",
    dial: "The dial must not show less than", issued: "Issued", list: "Status list issued", demo: "DEMO keys: no legal effect", territory: "Code of the place of installation (GB/T 2260)", check: "Check",
    compare: "Compare: the number and the seal on the meter, and a dial not below the figure above.", other: "中文", working: "Checking…",
    nothing: "This address holds no certificate. Scan the QR code on the meter again; below is the public record.", record: "Public record", tries: "Tries",
    granted: "passed", refused: "refused", undecided: "undecided", none: "There is no record of this meter.", away: "The registry cannot be reached. Try again with a connection." },
};
const byId = (id) => document.getElementById(id);
const el = (tag, text, name) => { const e = document.createElement(tag); e.textContent = text; if (name) e.className = name; return e; };
let language = localStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en");
let table = {}, answer = null;

const day = (seconds) => new Date(seconds * 1000).toLocaleString(language === "zh" ? "zh-CN" : "en-GB");
function asked() {
  const parts = location.pathname.split("/").map(decodeURIComponent);
  const path = parts[1] === "m" ? `${parts[2]}.${parts[3]}` : null;
  return { meter: path, serial: parts.at(-1), territory: byId("territory").value.trim() };
}
function said(code, numbers) {
  const row = table[code];
  if (!row) return code;
  return row[language].replace(/\{(\w+)\}/g, (whole, name) => { const i = row.numbers.indexOf(name); return i < 0 || numbers[i] === undefined ? whole : numbers[i]; });
}
function next(code) { const row = table[code]; return row ? row[`do_${language}`] : ""; }
async function now() {
  const seen = Number(localStorage.getItem("latest") || 0);
  return Math.max(Math.floor(Date.now() / 1000), seen);
}
async function bytesOf(address) { const r = await fetch(address); if (!r.ok) throw new Error(address); return new Uint8Array(await r.arrayBuffer()); }

async function work() {
  const fragment = decodeURIComponent(location.hash.slice(1));
  if (!fragment) return { outcome: "cannot_say", reasons: [], nothing: true, record: await record() };
  const { keys, registry } = await (await fetch("/.well-known/meterseal")).json();
  try {
    const found = await certificate(base32(fragment), keys, registry);
    let list = null;
    try { list = await statusList(await bytesOf(`/status/${found.list}`), keys); } catch (error) { if (error instanceof Refused) throw error; }
    const verdict = judged(found, list, asked(), await now());
    if (list) localStorage.setItem("latest", String(list.issued));
    return { ...verdict, found, list };
  } catch (error) {
    if (!(error instanceof Refused)) return { outcome: "cannot_say", reasons: [], away: true };
    return { outcome: error.code === "key.unknown" ? "cannot_say" : "not_valid", reasons: [[error.code, error.numbers]] };
  }
}
async function record() {
  const meter = asked().meter;
  if (!meter) return null;
  const r = await fetch(`/records/${encodeURIComponent(meter)}`);
  return r.ok ? r.json() : null;
}
function row(list, name, value) { list.append(el("dt", name), el("dd", value)); }
function facts(w) {
  const list = el("dl", "");
  const { found } = answer;
  if (found) {
    row(list, w.meter, found.meter);
    row(list, w.before, day(found.expires));
    row(list, w.where, found.territory.join(", "));
    row(list, w.dial, `${found.register} × 10^${found.exponent} m³`);
    row(list, w.issued, `${day(found.issued)} · ${found.issuer}`);
    if (answer.list) row(list, w.list, day(answer.list.issued));
  }
  if (answer.record) {
    row(list, w.record, w[answer.record.outcome]);
    row(list, w.meter, answer.record.meter);
    row(list, w.tries, String(answer.record.tries));
    for (const reason of answer.record.reasons) row(list, reason.code, reason[language]);
  }
  return list;
}
function draw() {
  const w = WORDS[language];
  document.documentElement.lang = language;
  byId("language").textContent = w.other;
  byId("label").textContent = w.territory;
  byId("go").textContent = w.check;
  const box = byId("answer");
  if (!answer) { box.replaceChildren(el("p", w.working)); return; }
  box.className = answer.outcome;
  box.dataset.outcome = answer.outcome;
  box.replaceChildren(el("h1", w[answer.outcome]));
  if (answer.found?.demo || answer.record?.demo) box.append(el("p", w.demo, "demo"));
  if (answer.nothing) box.append(el("p", answer.record ? w.nothing : w.nothing + " " + w.none));
  if (answer.away) box.append(el("p", w.away));
  for (const [code, numbers] of answer.reasons) {
    const p = el("p", said(code, numbers), "reason"); p.dataset.code = code;
    p.append(el("span", next(code), "next"));
    box.append(p);
  }
  box.append(facts(w));
  if (answer.outcome === "valid") box.append(el("p", w.compare, "compare"));
}
async function run() { answer = null; draw(); answer = await work(); draw(); }

byId("language").onclick = () => { language = language === "zh" ? "en" : "zh"; localStorage.setItem("language", language); draw(); };
byId("form").onsubmit = (event) => { event.preventDefault(); run(); };
window.onhashchange = run;
table = await (await fetch("/words")).json();
await run();
