"use strict";
const BEACON_OLD_S = 86400; // as the edge's own alarm
const QUIET_MS = 25000; // the edge sends a beat each ten seconds
const TABLE = ["when", "where", "what", "why", "times"];
const RUN_STATES = ["open", "signed", "abandoned", "broken"];
let last = null;
let connected = true;
let heard = Date.now();
let toldAt = Date.now();
let drawnAlarms = "";
let source = null;
let drawing = 0;
let drawnOverview = "";
const cardsDrawn = new Map();

function drawAlarms(w) {
  const said = language + last.acts + JSON.stringify(last.alarms);
  if (said === drawnAlarms) return; // a screen reader says a live region again whenever it is drawn again
  drawnAlarms = said;
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
    if (last.acts) why.append(seenButton(a, w));
    body.append(row);
  }
  table.append(top, body);
  byId("alarms").replaceChildren(table);
}

// Somebody who is logged in takes an alarm off the list; it stands in the trail, and comes again if it is raised again.
function seenButton(a, w) {
  const made = el("button", w.seen);
  made.type = "button";
  made.setAttribute("aria-label", `${w.seen}: ${a.code} ${a.fixture}`);
  made.onclick = async () => {
    made.disabled = true;
    try {
      const me = await (await fetch("/api/me")).json();
      const headers = { "content-type": "application/json", "x-meterseal-csrf": me.csrf || "" };
      const answer = await fetch("/api/alarms/seen", { method: "POST", headers, body: JSON.stringify({ fixture: a.fixture, code: a.code }) });
      if (!answer.ok) made.textContent = (await answer.json()).why;
    } catch {
      made.disabled = false;
    }
  };
  return made;
}

function drawBanner(w) {
  const text = !connected ? w.lost : last && !last.accepting ? w.full : "";
  const lost = byId("lost");
  lost.hidden = !text;
  if (lost.textContent !== text) lost.textContent = text;
}

// The edge's clock, carried on: a queue that stands still says nothing new and grows older all the same.
const now = () => last.now_s + Math.round((Date.now() - toldAt) / 1000);

function drawLinks(w) {
  const links = ["broker", "registry"].map((name) => {
    const up = last[name] && connected;
    return el("span", `${w[name]} ${up ? w.up : w.down}`, up ? "chip up" : "chip down");
  });
  const old = last.beacon ? now() - last.beacon.time_s : 0;
  const aged = last.beacon ? `${last.beacon.number} · ${age(old)}` : w.none;
  links.push(el("span", `${w.beacon} ${aged}`, old > BEACON_OLD_S ? "chip down" : "chip"));
  byId("links").replaceChildren(...links);
}

// Whoever sees one tenant's runs alone sees counts of those, and nothing of the edge as a whole.
function drawTiles(w) {
  const waiting = last.durable === null ? null : last.durable - last.entered;
  const whole = { durable: last.durable, entered: last.entered, waiting, quarantined: last.quarantined };
  const mine = Object.fromEntries(RUN_STATES.map((state) => [`runs_${state}`, last.runs ? last.runs[state] || 0 : null]));
  byId("tiles").replaceChildren(...Object.entries(last.whole ? whole : mine).map(([name, value]) => {
    const tile = el("div", undefined, name === "quarantined" && value ? "tile warn" : "tile");
    tile.dataset.name = name;
    tile.append(el("b", count(value)), el("span", w[name]));
    if (name === "waiting" && last.waits_since_s) tile.append(el("span", `${w.oldest_since} ${age(now() - last.waits_since_s)}`, "wait"));
    return tile;
  }));
}

// A card is made anew only where it says something new: who walks through the page by keyboard keeps the place.
function drawBenches(w) {
  const home = byId("benches");
  if (!last.fixtures.length) { home.replaceChildren(el("p", w.no_fixtures, "soft")); return; }
  const cards = last.fixtures.map((f) => {
    const drawn = f.run && curves.get(f.run.identity) ? "drawn" : "";
    const said = `${language} ${drawn} ${JSON.stringify(f)}`;
    const known = cardsDrawn.get(f.fixture);
    if (known && known.said === said) return known.card;
    const card = bench(f, now(), w, soon);
    cardsDrawn.set(f.fixture, { said, card });
    return card;
  });
  const same = home.children.length === cards.length && cards.every((card, n) => home.children[n] === card);
  if (same) return;
  cards.forEach((card, n) => { if (home.children[n] !== card) home.insertBefore(card, home.children[n] || null); });
  while (home.children.length > cards.length) home.lastChild.remove();
}

// Twenty answers with curves may come at once.
function soon() {
  drawing = drawing || requestAnimationFrame(() => { drawing = 0; draw(); });
}

function drawOverview(w) {
  const home = byId("overview");
  home.hidden = last.fixtures.length < 3;
  home.setAttribute("aria-label", w.overview);
  const said = language + JSON.stringify(last.fixtures.map((f) => [f.fixture, f.online, f.live, f.training, f.busy_elsewhere, f.run && Boolean(curves.get(f.run.identity))]));
  if (said === drawnOverview) return;
  drawnOverview = said;
  home.replaceChildren(...last.fixtures.map((f) => overviewTile(f, w)));
}

function draw() {
  const w = words();
  const name = last ? `MeterSeal ${w.title} ${last.edge} · ${last.site}` : "MeterSeal";
  drawFrame(name, last ? `${w.title} ${last.edge} · ${last.site}` : name);
  drawBanner(w);
  if (!last) return;
  drawLinks(w);
  drawTiles(w);
  drawBenches(w);
  drawOverview(w);
  for (const one of document.querySelectorAll("[data-since]")) one.textContent = waitsText(one.dataset.since, now());
  drawAlarms(w);
}

// W2 stands before W10.
function inOrder(told) {
  told.fixtures.sort((a, b) => a.fixture.localeCompare(b.fixture, "en", { numeric: true }));
  return told;
}

function alive() {
  heard = Date.now();
  if (!connected) { connected = true; draw(); }
}

function listen() {
  if (source) source.close();
  source = new EventSource("/events");
  source.onmessage = (message) => { last = inOrder(JSON.parse(message.data)); toldAt = heard = Date.now(); connected = true; draw(); };
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
  } else if (last) {
    draw();
  }
}, 2000);
redraws.push(draw);
listen();
draw();
