// A spreadsheet of serials against the registry: the rows that matter on screen, everything as a CSV to keep.
"use strict";
const WORDS = {
  zh: { label: "上传含 meter 列的 CSV，或每行粘贴一个表号；可填安装地代码。", go: "查验", other: "English", save: "下载结果 CSV", valid: "有效", not_valid: "无效", cannot_say: "无法判定",
    away: "登记库暂时无法访问。请在有网络时再查。", more: "只显示前 500 行；全部在 CSV 中。", rows: ["表号", "结果", "原因"] },
  en: { label: "Upload a CSV with a column named meter, or paste one meter id a line; the place of installation is optional.", go: "Check", other: "中文", save: "Download the answers as CSV", valid: "valid", not_valid: "not valid", cannot_say: "cannot say",
    away: "The registry cannot be reached. Try again with a connection.", more: "The first 500 rows; all of them are in the CSV.", rows: ["meter", "answer", "why"] },
};
const SHOWN = 500;
const byId = (id) => document.getElementById(id);
const el = (tag, text, name) => { const e = document.createElement(tag); e.textContent = text; if (name) e.className = name; return e; };
const kept = () => { try { return localStorage.getItem("language"); } catch { return null; } };
const keep = (value) => { try { localStorage.setItem("language", value); } catch { /* for this page only */ } };
let language = kept() || (navigator.language.startsWith("zh") ? "zh" : "en");
let answers = null, problem = "";

function draw() {
  const w = WORDS[language];
  document.documentElement.lang = language;
  byId("language").textContent = w.other; byId("label").textContent = w.label; byId("go").textContent = w.go;
  const box = byId("answers");
  box.hidden = !answers && !problem;
  if (problem) { box.replaceChildren(el("p", problem, "reason")); return; }
  if (!answers) return;
  const counts = {};
  for (const a of answers) counts[a.answer] = (counts[a.answer] || 0) + 1;
  const head = el("p", Object.entries(counts).map(([name, n]) => `${w[name]} ${n}`).join(" · "));
  const table = el("table", ""), top = el("tr", "");
  top.append(...w.rows.map((name) => el("th", name)));
  table.append(top);
  for (const a of answers.slice(0, SHOWN)) {
    const row = el("tr", "");
    row.append(el("td", a.meter), el("td", w[a.answer], a.answer), el("td", a[language]));
    table.append(row);
  }
  const save = el("button", w.save); save.type = "button"; save.onclick = download;
  box.replaceChildren(head, table, save);
  if (answers.length > SHOWN) table.before(el("p", w.more));
}
async function ask(accept) {
  const file = byId("file").files[0], territory = byId("territory").value.trim();
  const address = territory ? `/check?territory=${encodeURIComponent(territory)}` : "/check";
  return fetch(address, { method: "POST", headers: { accept, "content-type": "text/csv" }, body: file || byId("list").value });
}
async function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await (await ask("text/csv")).blob());
  link.download = "meterseal-check.csv";
  link.click();
  URL.revokeObjectURL(link.href);
}
byId("language").onclick = () => { language = language === "zh" ? "en" : "zh"; keep(language); draw(); };
byId("form").onsubmit = async (event) => {
  event.preventDefault();
  answers = null; problem = "";
  try {
    const answer = await ask("application/json"), body = await answer.json();
    if (answer.ok) answers = body; else problem = body.detail;
  } catch { problem = WORDS[language].away; }
  draw();
};
draw();
