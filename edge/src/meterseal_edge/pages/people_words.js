// Every word of the pages on which people log in and sign, in both languages, and how they ask the edge.
"use strict";
export const WORDS = {
  zh: { title: "登录", other: "English", back: "返回总览", none: "本站没有设置人员：所有页面只读。", name: "姓名", password: "口令",
    code: "动态码（6 位）", enter: "登录", by_passkey: "用通行密钥登录", who: "当前用户", person: "人员", role: "角色", account: "账户", roles: "角色", tenant: "委托方", all: "全部",
    out: "退出登录", add_passkey: "添加通行密钥", passkeys: "通行密钥", key: "签名密钥", no_key: "还没有签名密钥。",
    make_key: "在此浏览器中生成签名密钥", new_key: "生成新的签名密钥（旧的不再使用）", key_here: "在此浏览器中", key_elsewhere: "不在此浏览器中：请用生成它的浏览器，或重新生成并申请授权。",
    granted: "已授权", not_granted: "尚未授权：请由管理员执行 meterseal edge person grant-request，并交授权机构签发。", until: "有效期至",
    trail: "操作记录", newest: "最新一条", older: "更早", when: "时间", act: "操作", about: "内容", removed: "已删除的人员", command: "命令行",
    sign_title: "签署", login_first: "登录后才能签署。", go_login: "去登录", nothing: "没有可签署的内容：只有已签名、误差齐全的检定才能签署，培训不能。",
    meter: "表号", position: "台位", outcome: "结论", largest: "最大误差", passed: "合格", failed: "不合格", rows_root: "所签内容（默克尔根）",
    as: "签署为", signed: "已签署", missing: "尚缺", complete: "所需角色均已签署。", at_least: "至少需要不同人数", entered: "已入登记库", waits: "待上传", download: "下载已签内容",
    notice: "出具检定结果通知书", notice_done: "已出具通知书", reasons: "原因", no_role: "您的角色不签署此任务。",
    seals: "封印号", seal: "登记封印号", correction: "更正", take_back: "撤回", taken_back: "已撤回", why_back: "撤回原因",
    differs: "本页计算的结果与边缘站不一致，未签署。请通知计量工程师。", lost: "与边缘站的连接已断开，请重试。", done: "完成。",
    role_1: "检定员", role_2: "核验员", role_3: "批准人", role_4: "监督人员",
    operator: "操作员", verifier: "检定员", checker: "核验员", approver: "批准人", engineer: "计量工程师", supervisor: "监督人员" },
  en: { title: "Log in", other: "中文", back: "Back to the overview", none: "This edge has no people: every page can only be read.", name: "Name", password: "Password",
    code: "One-time code (6 digits)", enter: "Log in", by_passkey: "Log in by passkey", who: "Logged in", person: "who", role: "role", account: "Account", roles: "Roles", tenant: "Tenant", all: "all",
    out: "Log out", add_passkey: "Add a passkey", passkeys: "passkeys", key: "Signing key", no_key: "There is no signing key yet.",
    make_key: "Make a signing key in this browser", new_key: "Make a new signing key (the old one is not used any more)", key_here: "in this browser", key_elsewhere: "Not in this browser: use the one that made it, or make a new one and have it granted.",
    granted: "granted", not_granted: "Not granted yet: have meterseal edge person grant-request run, and the authority sign the grant.", until: "until",
    trail: "Trail", newest: "newest", older: "Older", when: "time", act: "act", about: "about", removed: "a person who was removed", command: "command line",
    sign_title: "Sign", login_first: "Log in to sign.", go_login: "Log in", nothing: "There is nothing to sign: only a signed verification with all its errors is; training never.",
    meter: "meter", position: "position", outcome: "outcome", largest: "largest error", passed: "passed", failed: "failed", rows_root: "What is signed (Merkle root)",
    as: "Sign as", signed: "signed", missing: "missing", complete: "Every role that is asked for has signed.", at_least: "different people at least", entered: "in the registry", waits: "waits for the registry", download: "what was signed",
    notice: "Give notice of the failure", notice_done: "notice given", reasons: "reasons", no_role: "Your roles do not sign this.",
    seals: "seal numbers", seal: "Record seal numbers", correction: "correction", take_back: "Take back", taken_back: "taken back", why_back: "why it is taken back",
    differs: "This page computes something else than the edge. Nothing was signed; tell the metrology engineer.", lost: "The connection to the edge is lost; try again.", done: "Done.",
    role_1: "verifier", role_2: "checker", role_3: "approver", role_4: "supervising",
    operator: "operator", verifier: "verifier", checker: "checker", approver: "approver", engineer: "metrology engineer", supervisor: "supervisor" },
};

export class Refused extends Error {
  constructor(code, why) { super(why); this.code = code; }
}

const kept = () => { try { return localStorage.getItem("language"); } catch { return null; } };
export const language = () => ((kept() || navigator.language).startsWith("zh") ? "zh" : "en");
export function switchLanguage() {
  try { localStorage.setItem("language", language() === "zh" ? "en" : "zh"); } catch { /* for this page only */ }
}

export function el(tag, text, cls) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (cls) made.className = cls;
  return made;
}
export function button(text, press) {
  const made = el("button", text);
  made.type = "button";
  made.onclick = press;
  return made;
}
export function table(names, rows) {
  const made = el("table", undefined, "sheet"), top = el("tr"), start = el("thead"), body = el("tbody");
  top.append(...names.map((name) => (name ? el("th", name) : el("td"))));
  start.append(top);
  for (const cells of rows) {
    const row = el("tr");
    row.append(...cells.map((cell, i) => {
      const td = el("td");
      td.dataset.name = names[i];
      td.append(cell);
      return td;
    }));
    body.append(row);
  }
  made.append(start, body);
  return made;
}

// Ask the edge; Refused carries its code. `token` is the session's, for every act.
export async function ask(path, said, token) {
  const headers = { "content-type": "application/json" };
  if (token) headers["x-meterseal-csrf"] = token;
  const how = said === undefined ? {} : { method: "POST", headers, body: JSON.stringify(said) };
  let answer;
  try { answer = await fetch(path, how); } catch { throw new Refused("", WORDS[language()].lost); }
  const value = await answer.json();
  if (!answer.ok) throw new Refused(value.code, value.why);
  return value;
}

// What a refusal means, in the reader's language; the edge's own sentence stands behind it.
export function explained(error) {
  const known = typeof CODES === "undefined" ? undefined : CODES[error.code];
  const meaning = known ? known[language() === "zh" ? 0 : 1] : "";
  return error instanceof Refused ? [meaning, error.message].filter(Boolean).join(" — ") : String(error);
}
