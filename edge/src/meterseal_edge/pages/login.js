// The page on which people log in, and look after their passkeys and their signing key.
"use strict";
import { WORDS, ask, button, el, explained, language, switchLanguage, table } from "/people_words.js";
import { held, hex, makeKey, unhex } from "/signing.js";

const byId = (id) => document.getElementById(id);
const media = (number) => ({ 1: "water 水", 2: "gas 气" })[number] || String(number);
const day = (seconds) => new Date(seconds * 1000).toLocaleString(language(), { hour12: false });
let me = null, acts = null, isHere = false;

const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const unbase64url = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

function said(text) {
  byId("problem").hidden = !text;
  byId("problem").textContent = text;
}
// Every button goes through here: one act at a time, its refusal in words.
async function act(work) {
  said("");
  try { await work(); } catch (error) { said(explained(error)); }
}
const tell = (path, value) => ask(path, value, me && me.csrf);

async function entered(found) {
  me = found;
  isHere = Boolean(me.key && await held(me.key));
  acts = me.name && me.roles.includes("engineer") ? await ask("/api/trail") : null;
  draw();
}

function field(name, type, complete) {
  const label = el("label", WORDS[language()][name]), input = el("input");
  Object.assign(input, { name, type, autocomplete: complete, required: true });
  if (name === "code") Object.assign(input, { inputMode: "numeric", maxLength: 7 });
  label.append(input);
  return label;
}

function door(w) {
  const form = el("form"), go = el("button", w.enter);
  form.append(field("name", "text", "username"), field("password", "password", "current-password"), field("code", "text", "one-time-code"), go);
  form.onsubmit = (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(form));
    act(async () => entered(await ask("/api/login", values)));
  };
  const other = button(w.by_passkey, () => act(loginByPasskey));
  other.id = "by-passkey";
  return [form, other];
}

async function loginByPasskey() {
  const { ticket, options } = await ask("/api/login/passkey/begin", {});
  const found = await navigator.credentials.get({ publicKey: { ...options, challenge: unbase64url(options.challenge), allowCredentials: [] } });
  const r = found.response, response = { clientDataJSON: base64url(r.clientDataJSON), authenticatorData: base64url(r.authenticatorData),
    signature: base64url(r.signature), userHandle: r.userHandle ? base64url(r.userHandle) : null };
  await entered(await ask("/api/login/passkey", { ticket, credential: { id: found.id, rawId: found.id, type: found.type, response } }));
}

async function addPasskey() {
  const { ticket, options } = await tell("/api/passkeys/begin", {});
  const publicKey = { ...options, challenge: unbase64url(options.challenge), user: { ...options.user, id: unbase64url(options.user.id) },
    excludeCredentials: (options.excludeCredentials || []).map((item) => ({ ...item, id: unbase64url(item.id) })) };
  const made = await navigator.credentials.create({ publicKey });
  const response = { clientDataJSON: base64url(made.response.clientDataJSON), attestationObject: base64url(made.response.attestationObject) };
  await tell("/api/passkeys", { ticket, credential: { id: made.id, rawId: made.id, type: made.type, response } });
  await entered(await ask("/api/me"));
}

async function enrol() {
  await tell("/api/key", await makeKey(me.name));
  await entered(await ask("/api/me"));
}

function pair(list, name, ...values) {
  const made = el("div"), dd = el("dd");
  dd.append(...values);
  made.append(el("dt", name), dd);
  list.append(made);
}

function keyOf(w) {
  if (!me.key) return [w.no_key];
  const found = [el("code", me.key), el("div", isHere ? w.key_here : w.key_elsewhere, "soft")];
  for (const grant of me.granted) {
    const roles = grant.roles.map((role) => w[`role_${role}`] || role).join(", ");
    found.push(el("div", `${w.granted} ${grant.number}: ${roles} · ${grant.media.map(media).join(", ")} · ${w.until} ${day(grant.until_s)}`));
  }
  return me.granted.length ? found : [...found, el("div", w.not_granted, "soft")];
}

function account(w) {
  const list = el("dl");
  list.id = "me";
  pair(list, w.who, el("b", me.name));
  pair(list, w.roles, me.roles.map((role) => w[role] || role).join(", "));
  pair(list, w.tenant, me.tenant || w.all);
  pair(list, w.passkeys, String(me.passkeys));
  pair(list, w.key, ...keyOf(w));
  const acting = el("p", undefined, "acts");
  const named = { "make-key": [me.key ? w.new_key : w.make_key, enrol], "add-passkey": [w.add_passkey, addPasskey],
    "log-out": [w.out, async () => { await tell("/api/logout", {}); await entered(await ask("/api/me")); }] };
  for (const [id, [text, work]] of Object.entries(named)) {
    const made = button(text, () => act(work));
    made.id = id;
    acting.append(made);
  }
  return [list, acting];
}

function drawTrail(w) {
  byId("trail").hidden = !acts;
  if (!acts) return;
  const rows = acts.acts.map((a) => [String(a.number), day(a.at_s), a.who === 0 ? w.command : a.name || `${w.removed} (${a.who})`, a.what, JSON.stringify(a.about)]);
  const last = acts.acts.at(-1), found = [el("h2", w.trail), el("p", `${w.newest} ${acts.newest.number}: ${acts.newest.hash}`, "soft"),
    table(["#", w.when, w.person, w.act, w.about], rows)];
  if (last && last.number > 1) found.push(button(w.older, () => act(async () => { acts = await ask(`/api/trail?before=${last.number}`); draw(); })));
  byId("trail").replaceChildren(...found);
}

function draw() {
  const w = WORDS[language()];
  document.documentElement.lang = language();
  byId("language").textContent = w.other;
  byId("back").textContent = w.back;
  byId("title").textContent = document.title = `MeterSeal ${me ? w.account : w.title}`;
  if (!me) return;
  byId("person").replaceChildren(...(!me.people ? [el("p", w.none)] : me.name ? account(w) : door(w)));
  drawTrail(w);
}

byId("language").onclick = () => { switchLanguage(); said(""); draw(); };
draw();
act(async () => entered(await ask("/api/me")));
