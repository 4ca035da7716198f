// The panel with which people sign a run: <section id="sign" data-run="..."> on the run's page. It shows the rows, and
// signs exactly these: the root is computed here from what is shown, and the edge takes it only if it computes the same.
"use strict";
(async () => {
  const box = document.getElementById("sign");
  if (!box) return;
  const { WORDS, ask, button, el, explained, language, table } = await import("/people_words.js");
  const { correction, held, hex, marks, notice, root, rowBytes, signOff } = await import("/signing.js");
  const run = box.dataset.run || location.pathname.split("/").at(-1);
  // Every digit that is signed: ppm are whole numbers.
  const digits = (ppm) => String(Math.abs(ppm)).padStart(5, "0");
  const percent = (ppm) => `${ppm > 0 ? "+" : ppm < 0 ? "−" : ""}${digits(ppm).slice(0, -4)}.${digits(ppm).slice(-4)} %`;
  const shownTime = (seconds) => new Date(seconds * 1000).toLocaleString(language(), { hour12: false });
  let me = null, sheet = null, own = "", isHere = false, loadedMs = 0, problem = "";

  if (!document.querySelector('link[href="/people.css"]')) {
    document.head.append(Object.assign(el("link"), { rel: "stylesheet", href: "/people.css" }));
  }
  // The edge's time: a wall tablet's own clock may be anything.
  const nowS = () => sheet.now_s + Math.floor((performance.now() - loadedMs) / 1000);

  async function taken(found) {
    sheet = found;
    loadedMs = performance.now();
    own = hex(await root(sheet.rows.map(rowBytes)));
  }
  async function load() {
    me = await ask("/api/me");
    if (!me.people) return;
    isHere = Boolean(me.name && me.key && await held(me.key));
    if (me.name) await taken(await ask(`/api/runs/${run}/sign`));
  }
  async function act(work) {
    problem = "";
    try { await work(); } catch (error) { problem = explained(error); }
    draw();
  }
  async function send(what, statement) {
    await taken(await ask(`/api/runs/${run}/${what}`, { statement }, me.csrf));
    box.dispatchEvent(new Event("said")); // the page around shows it too
  }

  function roleRow(item, w) {
    const name = w[`role_${item.role}`];
    const go = button(`${w.as}${language() === "zh" ? "" : " "}${name}`, () => act(async () => send("signoffs", await signOff(me.key, item.role, sheet, nowS()))));
    go.dataset.role = item.role;
    go.disabled = Boolean(item.code) || !isHere || own !== sheet.root;
    const row = el("div", undefined, "role");
    row.append(go);
    if (item.code) row.append(el("span", explainedRole(item), "soft"));
    return row;
  }
  function explainedRole(item) {
    const known = typeof CODES === "undefined" ? undefined : CODES[item.code];
    return known ? known[language() === "zh" ? 0 : 1] : item.why;
  }
  function failedRow(item, w) {
    const done = sheet.said.some((s) => s.kind === "notice" && s.position === item.position && !s.taken_back);
    const go = button(w.notice, () => act(async () => send("notices", await notice(me.key, item, nowS()))));
    go.dataset.position = item.position;
    go.disabled = !sheet.may_notify || !isHere;
    return [item.meter, `${item.position}`, item.codes.join(", "), done ? el("span", w.notice_done, "chip up") : go];
  }
  function saidRow(item, w) {
    const link = el("a", w.download);
    link.href = `/api/said/${item.identity}`;
    const last = el("span");
    last.append(link);
    if (item.taken_back) last.append(" ", el("span", w.taken_back, "chip down"));
    else if (item.account === me.account && item.kind !== "correction" && isHere) {
      const why = field(`${w.why_back}: ${saidWhat(item, w)}`, 200);
      const go = button(w.take_back, () => act(async () => send("corrections", await correction(me.key, item.identity, why.value.trim(), nowS()))));
      go.dataset.back = item.identity;
      last.append(" ", why, " ", go);
    }
    return [saidWhat(item, w), item.who || w.removed, el("code", item.key.slice(0, 16)), shownTime(item.at_s), item.entered ? w.entered : w.waits, last];
  }
  function saidWhat(item, w) {
    if (item.kind === "notice") return `${w.notice_done} ${item.position}`;
    if (item.kind === "marks") return `${w.seals} ${item.position}: ${item.text}`;
    return item.kind === "correction" ? `${w.correction}: ${item.text}` : w[`role_${item.role}`];
  }
  function field(name, most) {
    const made = el("input");
    made.maxLength = most;
    made.setAttribute("aria-label", name);
    made.placeholder = name.split(":")[0];
    return made;
  }
  // Seal numbers of meters that passed; several are parted by commas.
  function sealRow(row, w) {
    const box = field(`${w.seals}: ${row.meter}`, 280);
    const go = button(w.seal, () => act(async () => send("marks", await marks(me.key, row, box.value.split(/[,，]/).map((seal) => seal.trim()).filter(Boolean), nowS()))));
    go.dataset.seal = row.position;
    go.disabled = !sheet.may_notify || !isHere;
    const made = el("span");
    made.append(box, " ", go);
    return [row.meter, `${row.position}`, sheet.seals[row.position] || "–", made];
  }
  function rows(w) {
    const shown = sheet.rows.map((r) => [`${r.position}`, r.meter, el("span", r.outcome === 1 ? w.passed : w.failed, r.outcome === 1 ? "chip up" : "chip down"), percent(r.largest_ppm)]);
    const made = table([w.position, w.meter, w.outcome, w.largest], shown);
    made.id = "rows";
    return made;
  }
  function body(w) {
    if (!me) return [];
    if (!me.name) {
      const link = el("a", w.go_login);
      link.href = "/login";
      return [el("p", w.login_first), link];
    }
    if (!sheet) return [];
    const signed = sheet.said.length ? [table([w.role, w.person, w.key, w.when, "", ""], sheet.said.map((item) => saidRow(item, w)))] : [];
    if (!sheet.rows.length) return [el("p", w.nothing), ...signed];
    const found = [rows(w)], mark = el("p", `${w.rows_root} `, "soft"), code = el("code", own);
    code.id = "root";
    mark.append(code);
    found.push(mark);
    if (own !== sheet.root) found.push(el("p", w.differs, "chip down"));
    if (me.key && !isHere) found.push(el("p", w.key_elsewhere));
    const names = sheet.missing.map((role) => w[`role_${role}`]).join(", ");
    const state = el("p", names ? `${w.missing}: ${names} · ${w.at_least} ${sheet.least_people}` : w.complete);
    state.id = "state";
    found.push(state, ...(sheet.roles.length ? sheet.roles.map((item) => roleRow(item, w)) : [el("p", w.no_role, "soft")]));
    const passed = sheet.rows.filter((row) => row.outcome === 1);
    if (passed.length && sheet.may_notify) found.push(table([w.meter, w.position, w.seals, ""], passed.map((row) => sealRow(row, w))));
    if (sheet.failed.length) found.push(table([w.meter, w.position, w.reasons, ""], sheet.failed.map((item) => failedRow(item, w))));
    return [...found, ...signed];
  }
  function draw() {
    box.hidden = Boolean(me && !me.people);
    const w = WORDS[language()], trouble = el("p", problem, "problem");
    trouble.setAttribute("role", "alert");
    box.replaceChildren(el("h2", w.sign_title), ...(problem ? [trouble] : []), ...body(w));
  }
  // The page around has the language's button; the panel follows.
  let drawnIn = language();
  new MutationObserver(() => {
    if (drawnIn !== language()) { drawnIn = language(); draw(); }
  }).observe(document.documentElement, { attributeFilter: ["lang"] });
  await act(load);
})();
