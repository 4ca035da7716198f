// The page behind a meter's QR code. The certificate stands in the fragment, which no browser sends to a server.
"use strict";
import { Refused, base32, certificate, compared, decimal, judged, statusList } from "/certificate.js";

const WORDS = {
  zh: { valid: "有效", not_valid: "无效", cannot_say: "目前无法判定", do_valid: "逐项核对一致后可以安装。", do_not_valid: "不要安装。",
    do_cannot_say: "先不要安装。", meter: "表号", before: "安装截止", where: "适用地区", dial: "表盘读数不低于", issued: "签发",
    list: "状态表签发于", keys: "登记库", demo: "演示密钥，不具法律效力", territory: "安装地的行政区划代码（可不填，如 330110）", check: "查验", reading: "表盘读数，立方米（可不填）",
    compare: "请在表上核对", serial: "表上编号与上面一致", seal: "封印完好", place: "安装地属于适用地区", other: "English", working: "正在查验……", mark: { valid: "✓", not_valid: "✕", cannot_say: "?" },
    nothing: "此地址不含证书。请重新扫描表上的二维码；下面是登记库的公开记录。", missing: "此地址不含证书。请重新扫描表上的二维码。", record: "公开记录", tries: "检定次数",
    granted: "合格", refused: "不合格", undecided: "未定", none: "登记库没有此表的记录。", away: "登记库暂时无法访问。请在有网络时再查。" },
  en: { valid: "Valid", not_valid: "Not valid", cannot_say: "Cannot say now", do_valid: "May be installed once all of these agree.", do_not_valid: "Do not install.",
    do_cannot_say: "Do not install yet.", meter: "Meter", before: "Install before", where: "Territory", dial: "The dial shows at least", issued: "Issued",
    list: "Status list of", keys: "registry", demo: "DEMO keys: no legal effect", territory: "Place of installation, GB/T 2260 code (optional, such as 330110)", check: "Check", reading: "What the dial shows, in m³ (optional)",
    compare: "Compare on the meter", serial: "The number is the one above", seal: "The seal is whole", place: "The place lies in territory", other: "中文", working: "Checking…", mark: { valid: "✓", not_valid: "✕", cannot_say: "?" },
    nothing: "This address holds no certificate. Scan the QR code on the meter again; below is the public record.", missing: "This address holds no certificate. Scan the QR code on the meter again.", record: "Public record", tries: "Tries",
    granted: "passed", refused: "refused", undecided: "undecided", none: "There is no record of this meter.", away: "The registry cannot be reached. Try again with a connection." },
};
const byId = (id) => document.getElementById(id);
const el = (tag, text, name) => { const e = document.createElement(tag); e.textContent = text; if (name) e.className = name; return e; };
// A browser that keeps nothing (private mode, blocked storage) must not lose the answer.
const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* kept for this page only */ } };
let language = kept("language") || (navigator.language.startsWith("zh") ? "zh" : "en");
let table = {}, answer = null, turn = 0;

const day = (seconds) => new Date(seconds * 1000).toLocaleDateString(language === "zh" ? "zh-CN" : "en-GB", { year: "numeric", month: "short", day: "numeric" });
const minute = (seconds) => new Date(seconds * 1000).toLocaleString(language === "zh" ? "zh-CN" : "en-GB", { dateStyle: "medium", timeStyle: "short" });
function asked() {
  let parts;
  try { parts = location.pathname.split("/").map(decodeURIComponent); } catch { throw new Refused("certificate.other_meter"); }
  return { meter: parts[1] === "m" ? `${parts[2]}.${parts[3]}` : null, territory: byId("territory").value.trim() };
}
function filled(code, numbers, field) {
  const row = table[code];
  if (!row) return field.startsWith("do_") ? "" : code;
  return row[field].replace(/\{(\w+)\}/g, (whole, name) => {
    const number = numbers[row.numbers.indexOf(name)];
    return number === undefined ? whole : name.endsWith("_s") ? minute(number) : String(number);
  });
}
const now = () => Math.max(Math.floor(Date.now() / 1000), Number(kept("latest") || 0));
async function got(address) { const r = await fetch(address); if (!r.ok) throw new Error(`${address}: ${r.status}`); return r; }

async function work() {
  try {
    const fragment = location.hash.slice(1), question = asked();
    if (!fragment) return { outcome: "cannot_say", reasons: [], nothing: true, record: await record(question.meter) };
    const bytes = base32(fragment);
    const { keys } = await (await got("/.well-known/meterseal")).json();
    const found = await certificate(bytes, keys);
    const list = await listFor(found, keys);
    const verdict = compared(judged(found, list, question, now()), found, byId("dial").value.trim());
    if (list) keep("latest", String(Math.max(list.issued, Number(kept("latest") || 0))));
    return { ...verdict, found, list };
  } catch (error) {
    if (!(error instanceof Refused)) return { outcome: "cannot_say", reasons: [], away: true };
    return { outcome: error.code === "key.unknown" ? "cannot_say" : "not_valid", reasons: [[error.code, error.numbers]] };
  }
}
// A list that does not come, or does not hold, leaves the answer open; it does not make the certificate false.
async function listFor(found, keys) {
  try { return await statusList(new Uint8Array(await (await got(`/status/${found.list}`)).arrayBuffer()), keys, found); } catch { return null; }
}
async function record(meter) {
  if (!meter) return null;
  const r = await fetch(`/records/${encodeURIComponent(meter)}`);
  if (!r.ok && r.status !== 404) throw new Error("/records");
  return r.ok ? r.json() : null;
}

function row(list, name, value) { list.append(el("dt", name), el("dd", value)); }
function facts(w) {
  const list = el("dl", "");
  const { found } = answer;
  if (found) {
    row(list, w.before, day(found.expires));
    row(list, w.where, found.territory.join(", "));
    row(list, w.issued, `${minute(found.issued)} · ${found.issuer}`);
    if (answer.list) row(list, w.list, minute(answer.list.issued));
  }
  if (answer.record) {
    row(list, w.record, w[answer.record.outcome]);
    row(list, w.tries, String(answer.record.tries));
  }
  return list;
}
function comparison(w) {
  const box = el("div", "", "compare"), list = el("ol", ""), { found } = answer;
  box.append(el("h2", w.compare), list);
  list.append(el("li", w.serial), el("li", w.seal), el("li", `${w.dial} ${decimal(found.register, found.exponent)} m³`),
    el("li", `${w.place} ${found.territory.join(", ")}`));
  return box;
}
function reason(code, numbers) {
  const p = el("p", filled(code, numbers, language), "reason");
  p.dataset.code = code;
  p.append(el("span", filled(code, numbers, `do_${language}`), "next"));
  return p;
}
function draw() {
  const w = WORDS[language];
  document.documentElement.lang = language;
  byId("language").textContent = w.other;
  byId("label").textContent = w.territory;
  byId("dial-label").textContent = w.reading;
  byId("go").textContent = w.check;
  byId("form").hidden = !answer || !answer.found;
  const box = byId("answer");
  box.className = answer ? answer.outcome : "";
  if (!answer) { delete box.dataset.outcome; box.replaceChildren(el("p", w.working)); return; }
  const head = el("h1", w[answer.outcome]);
  head.prepend(el("span", w.mark[answer.outcome], "mark"));
  box.replaceChildren(head, el("p", w[`do_${answer.outcome}`], "do"));
  const meter = answer.found?.meter ?? answer.record?.meter;
  if (meter) box.append(el("p", `${w.meter} `, "id"));
  if (meter) box.lastChild.append(el("strong", meter));
  if (answer.found?.demo || answer.record?.demo) box.append(el("p", w.demo, "demo"));
  if (answer.nothing) box.append(el("p", answer.record ? w.nothing : `${w.missing} ${w.none}`));
  if (answer.away) box.append(el("p", w.away));
  for (const [code, numbers] of answer.reasons) box.append(reason(code, numbers));
  if (answer.outcome === "valid") box.append(comparison(w));
  box.append(facts(w));
  for (const { code, numbers } of answer.record?.reasons ?? []) box.append(reason(code, numbers));
  box.dataset.outcome = answer.outcome;
}
// The address may change while an older question is still out; only the newest is answered.
async function run() {
  const mine = ++turn;
  answer = null; draw();
  const found = await work();
  if (mine === turn) { answer = found; draw(); }
}

byId("language").onclick = () => { language = language === "zh" ? "en" : "zh"; keep("language", language); draw(); };
byId("form").onsubmit = (event) => { event.preventDefault(); run(); };
window.onhashchange = run;
try { table = await (await got("/words")).json(); } catch { /* codes stand for themselves */ }
await run();
