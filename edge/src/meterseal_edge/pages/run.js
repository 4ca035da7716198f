"use strict";
// One run with all that is held of it. What stands here was signed by the fixture; figures are the edge's reckoning.
const identity = location.pathname.split("/").pop();
const AGAIN_MS = 2000;
const BY_ROLE = ["verifier", "checker", "approver"];
let run = null;
let fault = "";
let chosen = null;
let drawnCharts = "";

async function ask() {
  try {
    const answer = await fetch(`/api/run/${identity}`);
    const found = await answer.json();
    fault = answer.ok ? "" : answer.status === 404 ? words().no_such_run : found.why;
    if (answer.ok) run = found;
  } catch {
    fault = words().lost_short;
  }
  draw();
  byId("sign").dispatchEvent(new CustomEvent("run", { detail: run }));
}

function drawFacts(w) {
  const mode = run.mode === "training" ? "培训 TRAINING" : w[run.mode] || run.mode;
  const list = [[w.where, run.fixture], [w.state, w[`runs_${run.state}`] || run.state], [w.mode, mode], [w.tenant, run.tenant || "–"],
    [w.begun, clock(run.received_s)], [w.closed, run.closed_s ? clock(run.closed_s) : "–"], [w.place, `${run.epoch} / ${run.seq}`],
    [w.operator, run.operator || "–"], [w.plan, planText(w)], [w.identity, identity]];
  if (run.reason) list.push([w.broken_off, w[`r_${run.reason}`] || run.reason]);
  if (run.checks) list.push([w.checks, checksText(run.checks, w)]);
  if (run.conditions) list.push([w.conditions, conditionsText(run.conditions)]);
  if (run.missing) list.push([w.missing, run.missing.length ? run.missing.map((role) => w[role]).join(", ") : w.nothing]);
  else if (run.state === "signed" && run.mode === "verify") list.push([w.missing, w.not_known]);
  if (run.supervisors.length) list.push([w.supervised_by, `${run.supervisors.join(", ")}: ${w.sign_or_measure}`]);
  if (run.state === "signed" && run.mode === "verify") list.push([w.again_measured, w.registry_knows]);
  byId("facts").replaceChildren(...list.map(([name, value]) => pair(name, value)));
}

const planText = (w) => (run.plan.length ? run.plan.map((row) => `${flow(row.flow_ml_per_h)} × ${row.repeats}`).join(" → ") : w.not_held);
function checksText([before, after, seconds, counts], w) {
  return `${before / 100} → ${after / 100} kPa, ${seconds} s; ${w.at_zero} ${counts}`;
}
// mK over 0 °C, 10 Pa, and the room's humidity in thousandths: least, mean, greatest.
function conditionsText([temperature, pressure, humidity]) {
  const range = (row, per, unit) => `${row[0] / per} … ${row[2] / per} ${unit}`;
  return `${range(temperature, 1000, "°C")}; ${range(pressure, 100, "kPa")}; ${range(humidity, 10, "%")}`;
}

function drawChain(w) {
  const found = [];
  for (const one of run.chain) {
    if (one.what === "closer" && run.between) found.push(el("li", `${run.between} ${w.between}`, "gap"));
    const made = el("li", undefined, one.holds === false ? "link bad" : "link");
    const what = one.what === "attempt" ? w.attempt : run.result ? w.result : w.abandonment;
    made.append(el("strong", what), el("span", `${one.epoch} / ${one.seq} · ${w.leaf} ${one.leaf}`));
    made.append(el("code", short(one.identity)), el("span", `${w.cites} ${short(one.cites)}`, "soft"));
    made.append(el("span", one.holds === null ? w.link_unknown : one.holds ? w.link_holds : w.link_broken, one.holds === false ? "chip down" : one.holds ? "chip up" : "chip"));
    made.append(el("span", one.entered ? w.receipted : w.unreceipted, one.entered ? "chip up" : "chip"));
    found.push(made);
  }
  if (!run.closer && run.state === "open") found.push(el("li", w.still_open, "gap"));
  if (run.state === "broken") found.push(el("li", w.was_broken, "gap"));
  if (!found.length) found.push(el("li", w.not_held, "gap"));
  byId("chain").replaceChildren(...found);
}

function verdict(seat, w) {
  if (run.mode === "training") return el("span", "培训 TRAINING", "stripe");
  if (seat.outcome) return el("span", w[seat.outcome], `chip ${seat.outcome}`);
  const lacks = seat.lacks.map((name) => w[`lacks_${name}`] || name).join(", ");
  return el("span", lacks ? `${w.lacks} ${lacks}` : w.no_figures, "soft");
}

function meterRow(seat, w) {
  const made = el("tr");
  made.dataset.position = seat.position;
  const pick = el("button", seat.meter, "pick");
  pick.type = "button";
  pick.setAttribute("aria-pressed", String(seat.position === chosen));
  pick.onclick = () => { chosen = seat.position; draw(); byId("evidence").focus(); };
  const registers = `${count(seat.start)} → ${count(seat.end)}`;
  const cells = { position: String(seat.position), meter: pick, largest: percent(seat.largest_ppm), outcome: verdict(seat, w), registers, ended: seat.ended ? w[`r_${seat.ended}`] || seat.ended : "–" };
  for (const [name, cell] of Object.entries(cells)) {
    const td = el("td", undefined, name);
    td.dataset.name = w[name];
    td.append(cell);
    made.append(td);
  }
  return made;
}

function drawMeters(w) {
  if (!run.seats.length) { byId("meters").replaceChildren(el("p", w.not_held, "soft")); return; }
  const table = el("table", undefined, "meters"), head = el("tr"), top = el("thead"), body = el("tbody");
  head.append(...["position", "meter", "largest", "outcome", "registers", "ended"].map((name) => el("th", w[name])));
  top.append(head);
  body.append(...run.seats.map((seat) => meterRow(seat, w)));
  table.append(top, body);
  byId("meters").replaceChildren(table);
}

// 检定结果通知书: which meters failed, by which clause, and what to do with each.
function drawNotice(w) {
  const failed = run.seats.filter((seat) => seat.outcome === "failed");
  byId("notice").hidden = !failed.length;
  byId("notice-title").textContent = w.notice;
  byId("notice-body").replaceChildren(el("p", w.notice_means, "soft"), ...failed.map((seat) => {
    const made = el("div", undefined, "failed-meter");
    made.append(el("h3", `${w.position} ${seat.position} · ${seat.meter}`));
    const list = el("ul");
    for (const reason of seat.reasons) {
      const item = el("li", `${reason[language]}. `);
      item.append(el("strong", reason[`do_${language}`]), " ", el("code", reason.code));
      list.append(item);
    }
    made.append(list);
    return made;
  }));
}

// What people signed about this run, oldest first; what was taken back stays, struck out.
function drawSaid(w) {
  byId("said").hidden = !run.said.length;
  byId("said-title").textContent = w.said_title;
  byId("said-body").replaceChildren(...run.said.map((one) => {
    const what = { signoff: w[one.role] || one.role, marks: `${w.seals} · ${w.position} ${one.position}: ${one.text}`,
      notice: `${w.notice_given} · ${w.position} ${one.position}`, correction: `${w.correction}: ${one.text}` }[one.kind];
    const made = el("li"), said = el(one.taken_back ? "del" : "span", what);
    made.append(said, ` — ${clock(one.at_s)}, ${one.entered ? w.receipted : w.unreceipted}`);
    if (one.taken_back) made.append(" ", el("span", w.taken_back, "chip"));
    return made;
  }));
}

function drawCharts(w) {
  const drawn = run.seats.filter((seat) => seat.curve.length);
  byId("all").hidden = !drawn.length || run.mode === "training";
  const now = `${language} ${chosen} ${byId("all-chart").clientWidth} ${JSON.stringify(run.seats)}`;
  if (now === drawnCharts) return;
  drawnCharts = now;
  if (!byId("all").hidden) {
    const lines = drawn.map((seat) => ({ label: seat.meter, curve: seat.curve, failed: seat.outcome === "failed" }));
    errorChart(byId("all-chart"), lines, drawn[0].band, { height: 280, flows: planFlows(run) }, w);
    const bad = drawn.filter((seat) => seat.outcome === "failed").map((seat) => seat.position);
    const says = bad.length ? `${w.failed_at} ${bad.join(", ")}` : w.none_failed;
    byId("all-says").textContent = says;
    byId("all-chart").setAttribute("aria-label", `${w.all_curves}. ${says}`);
  }
  const seat = run.seats.find((one) => one.position === chosen);
  byId("evidence-title").textContent = seat ? `${w.evidence} · ${w.position} ${seat.position} · ${seat.meter}` : w.evidence;
  drawEvidence(byId("evidence-body"), seat, run, w);
}

function draw() {
  const w = words();
  drawFrame(`MeterSeal ${w.run} ${short(identity)}`, `${w.run} ${short(identity)}`);
  byId("lost").hidden = !fault;
  byId("lost").textContent = fault;
  for (const [id, name] of [["run-title", "run"], ["chain-title", "chain_title"], ["all-title", "all_curves"], ["meters-title", "meters_title"]]) byId(id).textContent = w[name];
  if (!run) return;
  if (chosen === null && run.seats.length) chosen = (run.seats.find((seat) => seat.outcome === "failed") || run.seats[0]).position;
  byId("training").replaceChildren(...(run.mode === "training" ? [trainingBanner(w)] : []));
  drawFacts(w);
  drawChain(w);
  drawMeters(w);
  drawNotice(w);
  drawSaid(w);
  drawCharts(w);
}

byId("sign").dataset.run = identity;
byId("sign").addEventListener("said", () => ask());
redraws.push(draw);
addEventListener("resize", () => { if (run) drawCharts(words()); });
// A run that is signed does not change; what is said of it (receipts, sign-offs) does.
const source = new EventSource("/events");
let again = 0;
source.onmessage = () => { again = again || setTimeout(() => { again = 0; ask(); }, AGAIN_MS); };
draw();
ask();
