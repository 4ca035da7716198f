"use strict";
// What every page shares: the language, words, small makers of elements, numbers as people read them.
let language = localStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en");
const redraws = [];
const byId = (id) => document.getElementById(id);
const words = () => WORDS[language];

function el(tag, text, cls) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (cls) made.className = cls;
  return made;
}
function link(text, href, cls) {
  const made = el("a", text, cls);
  made.href = href;
  return made;
}
function pair(name, value) {
  const made = el("div");
  made.append(el("dt", name), value instanceof Node ? value : el("dd", String(value)));
  return made;
}
function clock(seconds) {
  const then = new Date(seconds * 1000);
  const time = then.toLocaleTimeString(language, { hour12: false });
  return then.toDateString() === new Date().toDateString() ? time : `${then.toLocaleDateString(language)} ${time}`;
}
function age(seconds) {
  const w = words();
  if (seconds < 90) return `${Math.max(0, seconds)} ${w.s}`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} ${w.min}`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} ${w.h}` : `${Math.round(seconds / 86400)} ${w.d}`;
}
const count = (value) => (value === null || value === undefined ? "–" : String(value));
const short = (hex) => hex.slice(0, 12);

// An error arrives as whole ppm, already rounded half away from zero; the same again for fewer digits. Never compared.
function percent(ppm, digits = 4) {
  if (ppm === null) return "–";
  const step = 10 ** (4 - digits);
  const units = Math.floor((Math.abs(ppm) + step / 2) / step);
  const text = String(units).padStart(digits + 1, "0");
  return `${ppm < 0 && units ? "−" : units ? "+" : ""}${text.slice(0, -digits)}.${text.slice(-digits)} %`;
}
// mL/h as L/h, exactly.
function flow(millilitres) {
  const rest = String(millilitres % 1000).padStart(3, "0").replace(/0+$/, "");
  return `${Math.floor(millilitres / 1000)}${rest ? `.${rest}` : ""} L/h`;
}

function drawFrame(title, heading) {
  const w = words();
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = title;
  byId("title").textContent = heading || title;
  byId("language").textContent = w.other;
  byId("language").lang = language === "zh" ? "en" : "zh-CN";
  for (const [id, name] of [["to-live", "live_page"], ["to-runs", "runs_page"], ["to-login", "login_page"]]) byId(id).textContent = w[name];
}
function redraw() { for (const again of redraws) again(); }

byId("language").onclick = () => {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  redraw();
};
