"use strict";
// One bench as a card: what it does now, how far it is, what stands at each position; curves once the run is signed.
const POSITION = { waiting: "waiting_p", reading: "reading", counting: "counting", done: "done", silent: "silent" };
const curves = new Map(); // identity of a signed run to its positions; asked for once, since it can't change

function curvesOf(identity, then) {
  if (!curves.has(identity)) {
    curves.set(identity, null);
    fetch(`/api/run/${identity}/curves`)
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer)))
      .then((told) => { curves.set(identity, told.positions); then(); })
      .catch(() => curves.delete(identity));
  }
  return curves.get(identity) || [];
}

function place(row, meter, curve, w) {
  const name = POSITION[row.state];
  const drawn = curve && curve.meter === meter;
  const li = el("li", undefined, !name || (drawn && curve.outcome === "failed") ? "bad" : row.state);
  const head = el("div", undefined, "place");
  head.append(el("b", String(row.position)), el("span", name ? w[name] : row.state));
  li.append(head, el("div", meter || "", "meter"));
  if (drawn && curve.curve.length) li.append(sparkline(curve, w));
  if (drawn && curve.outcome) li.append(el("div", w[curve.outcome], `outcome ${curve.outcome}`));
  return li;
}

function progress(live, run, w) {
  if (!live.of || live.now === "idle") return null;
  const made = el("div", undefined, "progress");
  const flows = run ? run.flows : [];
  const at = flows[live.point - 1];
  made.append(el("p", `${w.flow} ${at === undefined ? "–" : flow(at)} · ${w.point} ${live.point}/${live.of}`));
  const bar = el("ol", undefined, "steps");
  for (let n = 1; n <= Math.min(live.of, 64); n += 1) {
    const step = el("li", undefined, n < live.point ? "past" : n === live.point ? "present" : "");
    if (flows[n - 1] !== undefined) step.title = flow(flows[n - 1]);
    bar.append(step);
  }
  bar.setAttribute("aria-hidden", "true");
  made.append(bar);
  return made;
}

const waitsText = (since, now_s) => `≤ ${age(now_s - since)}`;

function facts(f, live, now_s, w) {
  const list = el("dl");
  const waits = el("dd", w.nothing);
  if (f.waits_since_s !== null) {
    waits.dataset.since = f.waits_since_s;
    waits.textContent = waitsText(f.waits_since_s, now_s);
  }
  const rows = [[w.held, f.stored], [w.pending, live.pending ?? w.unknown], [w.oldest, waits],
    [w.last, f.last_s ? clock(f.last_s) : "–"]];
  if (f.update) rows.push([w.update, f.update]);
  for (const [name, value] of rows) list.append(pair(name, value));
  return list;
}

function bench(f, now_s, w, again) {
  const made = el("section", undefined, f.online ? "" : "away");
  made.dataset.fixture = f.fixture;
  made.id = `bench-${f.fixture}`;
  made.tabIndex = -1;
  const head = el("h2", f.fixture);
  head.append(el("span", f.online ? w.online : w.offline, f.online ? "chip up" : "chip down"));
  made.append(head);
  if (f.busy_elsewhere) { made.append(el("p", w.not_yours, "soft")); return made; }
  const live = f.live;
  head.append(el("span", w[live.now] || w.quiet, "chip"));
  if (f.tenant) head.append(el("span", `${w.tenant} ${f.tenant}`, "chip"));
  if (f.training) made.append(trainingBanner(w));
  if (f.run) head.append(link(`${w.run} · ${w[`runs_${f.run.state}`] || f.run.state}`, `/run/${f.run.identity}`, "chip"));
  const bar = progress(live, f.run, w);
  if (bar) made.append(bar);
  made.append(facts(f, live, now_s, w), positions(f, live, w, again));
  return made;
}

function positions(f, live, w, again) {
  const signed = f.run && f.run.state === "signed" && f.run.identity === f.attempt && !f.training;
  const drawn = signed ? curvesOf(f.run.identity, again) : [];
  const rows = live.positions?.length ? live.positions : drawn.map((one) => ({ position: one.position, state: "done" }));
  if (!rows.length) return el("p", w.no_run, "soft");
  const list = el("ul", undefined, "positions");
  list.append(...rows.map((row) => place(row, f.meters[row.position], drawn.find((one) => one.position === row.position), w)));
  return list;
}

// A tile in the overview: enough of a bench to see from across the hall whether somebody has to go there.
function overviewTile(f, w) {
  const made = link("", `#bench-${f.fixture}`, "bench-tile");
  made.append(el("b", f.fixture));
  if (f.busy_elsewhere) { made.append(el("span", f.online ? w.online : w.offline)); return made; }
  if (!f.online) made.classList.add("off");
  if (f.training) made.append(el("span", "培训 TRAINING", "stripe"));
  const live = f.live;
  const at = live.of && live.now !== "idle" ? ` ${live.point}/${live.of}` : "";
  made.append(el("span", f.online ? `${w[live.now] || w.quiet}${at}` : w.offline));
  const bad = (live.positions || []).filter((row) => row.state === "silent" || !POSITION[row.state]).length;
  if (bad) made.append(el("span", `${bad} ${w.silent}`, "bad"));
  const drawn = f.run && f.run.identity === f.attempt && !f.training ? curves.get(f.run.identity) || [] : [];
  const failed = drawn.filter((one) => one.outcome === "failed").length;
  if (failed) made.append(el("span", `${failed} ${w.failed}`, "bad"));
  return made;
}

function trainingBanner(w) {
  const made = el("div", undefined, "training");
  made.append(el("strong", "培训 TRAINING"), el("span", w.training_means));
  return made;
}
