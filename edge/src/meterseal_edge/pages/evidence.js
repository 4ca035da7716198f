"use strict";
// All that is held of one meter in one run: its curve with every repeat, the order, the numbers that were signed, what
// it said on its bus, and every run here that names it.
const POINT_COLUMNS = ["order", "point_no", "flow", "error", "limit", "within", "counts", "ticks", "reference", "duration", "temperature"];
const METHOD = { 1: "m_reference", 2: "m_static", 3: "m_volumetric", 4: "m_gravimetric", 5: "m_bell", 6: "m_nozzle" };

function drawEvidence(home, seat, run, w) {
  home.replaceChildren();
  if (!seat) { home.append(el("p", w.not_held, "soft")); return; }
  home.append(identityList(seat, w));
  if (run.mode === "training") home.append(trainingBanner(w));
  if (seat.points.length) {
    const box = el("div", undefined, "chart");
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", `${w.all_curves} ${seat.meter}. ${w.table_below}`);
    home.append(box, orderStrip(seat, w), pointTable(seat, run, w));
    const dots = seat.points.filter((row) => row.error_ppm !== null).map((row) => [row.flow_ml_per_h, row.error_ppm]);
    if (seat.curve.length) errorChart(box, [{ label: seat.meter, curve: seat.curve, dots, failed: seat.outcome === "failed" }], seat.band, { height: 300, flows: planFlows(run) }, w);
    else box.remove();
  } else {
    home.append(el("p", run.state === "open" ? w.until_signed : w.no_points, "soft"));
  }
  if (seat.reasons.length) home.append(reasonList(seat, w));
  home.append(telegramList(seat, w), attemptList(seat, run, w));
}

const planFlows = (run) => run.plan.map((row) => row.flow_ml_per_h);

function identityList(seat, w) {
  const list = el("dl");
  for (const [name, value] of [[w.type, seat.type], [w.read_by, w[`by_${seat.read_by}`] || seat.read_by], [w.address, seat.address || "–"],
    [w.registers, `${count(seat.start)} → ${count(seat.end)}`], [w.ended, seat.ended ? w[`r_${seat.ended}`] || seat.ended : "–"]]) {
    list.append(pair(name, value));
  }
  return list;
}

// One block a measured point, in the order in which they ran, as wide as it took.
function orderStrip(seat, w) {
  const made = el("ol", undefined, "strip");
  made.setAttribute("aria-label", w.order_title);
  for (const row of seat.points) {
    const block = el("li", undefined, `tone${row.point % 4}`);
    block.style.flexGrow = String(Math.max(1, row.duration_ms));
    block.append(el("b", String(row.order)), el("span", flow(row.flow_ml_per_h)), el("span", age(Math.round(row.duration_ms / 1000))));
    made.append(block);
  }
  return made;
}

function pointTable(seat, run, w) {
  const box = el("div", undefined, "wide"), table = el("table"), head = el("tr"), top = el("thead"), body = el("tbody");
  const columns = run.mode === "training" ? POINT_COLUMNS.filter((name) => name !== "limit" && name !== "within") : POINT_COLUMNS;
  head.append(...columns.map((name) => el("th", w[name])));
  top.append(head);
  for (const row of seat.points) {
    const cells = {
      order: row.order, point_no: `${row.point}.${row.repeat} ${w[METHOD[row.method]] || row.method}`, flow: flow(row.flow_ml_per_h), error: percent(row.error_ppm),
      limit: row.limit_ppm === null ? "–" : `± ${percent(row.limit_ppm).slice(1)}`, within: row.within === null ? "–" : row.within ? w.inside : w.outside,
      counts: row.meter_counts, ticks: row.meter_ticks, reference: `${row.ref_counts} / ${row.ref_ticks}`, duration: `${row.duration_ms / 1000} s`,
      temperature: `${row.meter_temp_mk / 1000} / ${row.ref_temp_mk / 1000} °C`,
    };
    const line = el("tr", undefined, row.within === false ? "outside" : "");
    for (const name of columns) { const td = el("td", String(cells[name]), name); td.dataset.name = w[name]; line.append(td); }
    body.append(line);
  }
  table.append(top, body);
  box.append(table);
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", w.points_title);
  return box;
}

function reasonList(seat, w) {
  const made = el("div");
  made.append(el("h3", w.reasons));
  const list = el("ul");
  for (const reason of seat.reasons) {
    const item = el("li", `${reason[language]}. ${reason[`do_${language}`]} `);
    item.append(el("code", reason.code));
    list.append(item);
  }
  made.append(list);
  return made;
}

function telegramList(seat, w) {
  const made = el("div");
  made.append(el("h3", w.telegrams));
  if (!seat.telegrams.length) { made.append(el("p", w.no_telegrams, "soft")); return made; }
  for (const one of seat.telegrams) {
    const said = one.fault ? one.fault : `${one.litres} L · ${one.address}`;
    made.append(el("p", `${w[`at_${one.when}`] || one.when}: ${said}`), el("code", one.hex, "hex"));
  }
  return made;
}

function attemptList(seat, run, w) {
  const made = el("div");
  made.append(el("h3", w.attempts));
  const list = el("ul", undefined, "attempts");
  for (const one of seat.attempts) {
    const mode = one.mode === "training" ? "培训 TRAINING" : w[one.mode] || one.mode;
    const item = el("li", `${clock(one.received_s)} · ${one.fixture} · ${mode} · ${w[`runs_${one.state}`] || one.state} `);
    if (one.identity === run.identity) item.append(el("strong", w.this_run));
    else item.append(link(`${w.open_run} ${short(one.identity)}`, `/run/${one.identity}`));
    list.append(item);
  }
  made.append(list, el("p", w.attempts_here, "soft"));
  return made;
}
