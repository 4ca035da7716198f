// A person's signing key and what it signs. The key is made here by WebCrypto, can't be exported, and lies in this
// browser's IndexedDB: no script, ours included, ever sees it. What is signed is a COSE_Sign1 over deterministic CBOR
// (RFC 8949 4.2.1) in the one accepted spelling of a signature (lower s); protocol/spec/statement.md has the form.
"use strict";

const PROOF = "MeterSeal: this signing key is mine\n";
const ORDER = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"); // P-256, SEC 2
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const [ALG, KID, CLAIMS, TYP, ESP256] = [1, 4, 15, 16, -9];
const [POSITION, METER, TENANT, DETAIL, TIME_S, RESULT, ROWS, ROLE, SEALS, REPLACES, CODES] = [11, 17, 28, 41, 43, 87, 100, 101, 105, 106, 123];
const [SIGNOFF, MARKS, CORRECTION, NOTICE] = [65021, 65022, 65023, 65024];
const ROLE_NAMES = ["", "verifier", "checker", "approver", "supervising"];

export const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
export const unhex = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
const utf8 = (text) => new TextEncoder().encode(text);
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

function joined(...parts) {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) { out.set(part, at); at += part.length; }
  return out;
}

function head(major, n) {
  if (n < 24) return Uint8Array.of((major << 5) | n);
  const width = n < 256 ? 1 : n < 65536 ? 2 : n < 4294967296 ? 4 : 8, out = new Uint8Array(1 + width);
  out[0] = (major << 5) | (24 + Math.log2(width));
  for (let i = width, rest = BigInt(n); i > 0; i--, rest >>= 8n) out[i] = Number(rest & 255n);
  return out;
}

function spelled(a, b) {
  const [x, y] = [hex(a), hex(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

// Integers, text, Uint8Array, arrays and Map; map keys are put in bytewise order.
export function encode(value) {
  if (value instanceof Uint8Array) return joined(head(2, value.length), value);
  if (Array.isArray(value)) return joined(head(4, value.length), ...value.map(encode));
  if (typeof value === "string") { const text = utf8(value.normalize("NFC")); return joined(head(3, text.length), text); }
  if (Number.isSafeInteger(value)) return value < 0 ? head(1, -1 - value) : head(0, value);
  if (!(value instanceof Map)) throw new TypeError("no CBOR of ours holds this");
  const pairs = [...value].map(([key, item]) => [encode(key), encode(item)]).sort((a, b) => spelled(a[0], b[0]));
  return joined(head(5, pairs.length), ...pairs.flat());
}

// Merkle root of RFC 9162 section 2.1: neighbours are paired, an odd last one is carried up.
export async function root(items) {
  if (!items.length) return sha256(new Uint8Array());
  let level = await Promise.all(items.map((item) => sha256(joined(Uint8Array.of(0), item))));
  while (level.length > 1) {
    const up = [];
    for (let i = 0; i < level.length; i += 2) {
      up.push(i + 1 < level.length ? await sha256(joined(Uint8Array.of(1), level[i], level[i + 1])) : level[i]);
    }
    level = up;
  }
  return level[0];
}

// What the page shows of a row is what is encoded and signed: [result, position, meter, outcome, largest error].
export const rowBytes = (row) => encode([unhex(row.result), row.position, row.meter, row.outcome, row.largest_ppm]);

export function lower(signature) {
  const s = BigInt("0x" + hex(signature.slice(32)));
  if (s <= ORDER / 2n) return signature;
  return joined(signature.slice(0, 32), unhex((ORDER - s).toString(16).padStart(64, "0")));
}

async function sign(key, message) {
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  return lower(new Uint8Array(await crypto.subtle.sign(algorithm, key, message)));
}

const asked = (request) => new Promise((done, failed) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => failed(request.error);
});

async function box(mode) {
  const opening = indexedDB.open("meterseal", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
  return (await asked(opening)).transaction("keys", mode).objectStore("keys");
}

// The private key of that thumbprint (hex), or undefined where this browser has not got it.
export const held = async (thumbprint) => asked((await box("readonly")).get(thumbprint));

// A new key for an account: {cose, proof} in hex for the edge. It is kept before anybody hears of it.
export async function makeKey(name) {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const cose = encode(new Map([[1, 2], [-1, 1], [-2, point.slice(1, 33)], [-3, point.slice(33)]]));
  await asked((await box("readwrite")).put(pair.privateKey, hex(await sha256(cose))));
  const proof = await sign(pair.privateKey, joined(utf8(PROOF), utf8(name), utf8("\n"), cose));
  return { cose: hex(cose), proof: hex(proof) };
}

// COSE_Sign1 by the key of that thumbprint, in hex.
async function statement(thumbprint, subject, typ, payload) {
  const claims = new Map([[1, "people"], [2, subject]]), kid = unhex(thumbprint).slice(0, 8);
  const header = encode(new Map([[ALG, ESP256], [KID, kid], [CLAIMS, claims], [TYP, typ]])), said = encode(payload);
  const signature = await sign(await held(thumbprint), encode(["Signature1", header, new Uint8Array(), said]));
  return hex(joined(Uint8Array.of(0xd2), encode([header, new Map(), said, signature])));
}

// A sign-off over the rows that are shown, in a role, at `nowS` by the edge's clock.
export async function signOff(thumbprint, role, sheet, nowS) {
  const payload = new Map([[ROLE, role], [ROWS, await root(sheet.rows.map(rowBytes))], [TIME_S, nowS]]);
  if (sheet.tenant) payload.set(TENANT, sheet.tenant);
  return statement(thumbprint, ROLE_NAMES[role], SIGNOFF, payload);
}

// 检定结果通知书 of a meter that failed.
export async function notice(thumbprint, failed, nowS) {
  const named = [[METER, failed.meter], [RESULT, unhex(failed.result)], [POSITION, failed.position]];
  return statement(thumbprint, "notice", NOTICE, new Map([...named, [CODES, failed.codes], [TIME_S, nowS]]));
}

// Seal numbers fitted to a meter that passed.
export async function marks(thumbprint, row, seals, nowS) {
  const named = [[METER, row.meter], [RESULT, unhex(row.result)], [POSITION, row.position]];
  return statement(thumbprint, "marks", MARKS, new Map([...named, [SEALS, seals], [TIME_S, nowS]]));
}

// What is taken back, and why.
export async function correction(thumbprint, identity, why, nowS) {
  return statement(thumbprint, "correction", CORRECTION, new Map([[REPLACES, unhex(identity)], [DETAIL, why], [TIME_S, nowS]]));
}
