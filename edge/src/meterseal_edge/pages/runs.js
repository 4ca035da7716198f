"use strict";
// The list of runs, newest first, a page at a time. It asks again when the edge says that something changed.
const COLUMNS = ["when", "where", "tenant", "mode", "state", "meters", "missing", "open_run"];
const AGAIN_MS = 2000;
let rows = [];
let told = null;
let fault = "";
let asked = 0; // an answer that a later question has overtaken is dropped
let again = 0;

function query(before) {
  const found = new URLSearchParams();
  for (const name of ["meter", "fixture", "tenant"]) {
    const value = byId(name).value.trim();
    if (value) found.set(name, value);
  }
  if (byId("lacks").checked) found.set("lacks", "signoff");
  if (before !== undefined) found.set("before", before);
  return `/api/runs?${found}`;
}

async function ask(before) {
  const mine = ++asked;
  try {
    const answer = await fetch(query(before));
    const found = await answer.json();
    if (mine !== asked) return;
    fault = answer.ok ? "" : found.why;
    if (answer.ok) {
      told = found;
      rows = before === undefined ? found.runs : [...rows, ...found.runs];
    }
  } catch {
    if (mine !== asked) return;
    fault = words().lost_short;
  }
  draw();
}

function missingCell(run, w) {
  const made = el("span");
  made.append(signoffs(run, w));
  if (run.supervisors.length) made.append(el("div", `${w.supervised_by} ${run.supervisors.join(", ")}`, "owed"));
  return made;
}

function signoffs(run, w) {
  if (run.missing === null) return el("span", run.state === "signed" && run.mode === "verify" ? w.not_known : "–", "soft");
  return el("span", run.missing.length ? run.missing.map((role) => w[role]).join(", ") : w.nothing, run.missing.length ? "owed" : "soft");
}

function line(run, w) {
  const made = el("tr", undefined, run.mode === "training" ? "is-training" : "");
  made.dataset.run = run.identity;
  const mode = run.mode === "training" ? "培训 TRAINING" : w[run.mode] || run.mode;
  const open = link(`${w.open_run}`, `/run/${run.identity}`);
  open.setAttribute("aria-label", `${w.open_run} ${run.fixture} ${short(run.identity)}`);
  const cells = [clock(run.received_s), run.fixture, run.tenant || "–", el("span", mode, run.mode === "training" ? "stripe" : ""),
    el("span", w[`runs_${run.state}`] || run.state, `chip ${run.state}`), String(run.meters), missingCell(run, w), open];
  cells.forEach((cell, n) => {
    const td = el("td", undefined, COLUMNS[n]);
    td.dataset.name = w[COLUMNS[n]];
    td.append(cell);
    made.append(td);
  });
  return made;
}

function drawList(w) {
  if (!rows.length) { byId("list").replaceChildren(el("p", told ? w.no_runs : w.waits, "soft")); return; }
  const table = el("table", undefined, "runs");
  const head = el("tr"), top = el("thead"), body = el("tbody");
  head.append(...COLUMNS.map((name) => el("th", w[name])));
  top.append(head);
  body.append(...rows.map((run) => line(run, w)));
  table.append(top, body);
  byId("list").replaceChildren(table);
}

function drawTenants(w) {
  const box = byId("tenant"), chosen = box.value;
  const names = told ? told.tenants : [];
  byId("tenant-box").hidden = names.length < 2;
  box.replaceChildren(...["", ...names].map((name) => { const option = el("option", name || w.everybody); option.value = name; return option; }));
  box.value = names.includes(chosen) ? chosen : "";
}

function draw() {
  const w = words();
  drawFrame(`MeterSeal ${w.runs_page}`, w.runs_page);
  for (const [id, name] of [["by-meter", "meter"], ["by-fixture", "where"], ["by-tenant", "tenant"], ["by-lacks", "missing"], ["find", "find"], ["list-title", "runs_page"], ["more", "more"]]) byId(id).textContent = w[name];
  byId("lost").hidden = !fault;
  byId("lost").textContent = fault;
  byId("left").textContent = told && told.left ? `${w.left} ${told.left}` : "";
  byId("more").hidden = !told || told.next === null;
  drawTenants(w);
  drawList(w);
}

byId("filter").onsubmit = (event) => { event.preventDefault(); ask(); };
byId("tenant").onchange = byId("lacks").onchange = () => ask();
byId("more").onclick = () => ask(told.next);
const source = new EventSource("/events");
source.onmessage = () => {
  // Who has turned pages keeps them: only the first page follows by itself.
  if (again || rows.length > 50) return;
  again = setTimeout(() => { again = 0; ask(); }, AGAIN_MS);
};
const wanted = new URLSearchParams(location.search);
byId("meter").value = wanted.get("meter") || "";
byId("lacks").checked = wanted.get("lacks") === "signoff";
redraws.push(draw);
draw();
ask();
