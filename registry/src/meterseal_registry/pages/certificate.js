// A MeterSeal certificate, read and verified in the browser with WebCrypto: the page's own part of station 13.
// Strict deterministic CBOR of what a certificate and a status list use; anything else is refused.
"use strict";

export class Refused extends Error {
  constructor(code, numbers = []) { super(code); this.code = code; this.numbers = numbers; }
}

const LARGEST = 9007199254740991;
// Half the order of P-256: of the two spellings of a signature only the one with the lower s is accepted.
const HALF_ORDER = "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8";
// The suites that WebCrypto can check, by alg: the key's algorithm, the bytes before its coordinates, the check's
// algorithm, and whether a signature has a second spelling. SM2 it has not: of such a certificate the page cannot say.
const SUITES = new Map([
  [-9, { key: { name: "ECDSA", namedCurve: "P-256" }, before: [4], check: { name: "ECDSA", hash: "SHA-256" }, twice: true }],
  [-19, { key: { name: "Ed25519" }, before: [], check: { name: "Ed25519" }, twice: false }],
]);
const SM2 = -70102;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const [KIND_CERTIFICATE, CERTIFICATE, STATUS_LIST] = [65045, -70002, 65533];

export function base32(text) {
  let bits = 0, held = 0;
  const out = [];
  for (const c of text) {
    const value = ALPHABET.indexOf(c);
    if (value < 0) throw new Refused("certificate.malformed", [0]);
    held = (held << 5) | value; bits += 5;
    if (bits >= 8) { bits -= 8; out.push((held >> bits) & 255); held &= (1 << bits) - 1; }
  }
  if (held !== 0 || bits >= 5) throw new Refused("certificate.malformed", [0]);
  return new Uint8Array(out);
}

// Values: numbers, Uint8Array, text, arrays, Map (integer or text keys), {tag, value}.
export function scan(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const refuse = () => { throw new Refused("certificate.malformed", [at]); };
  const need = (n) => { if (n > bytes.length - at) refuse(); };
  function argument(short) {
    if (short < 24) return short;
    const width = 1 << (short - 24);
    need(width);
    const value = width === 1 ? view.getUint8(at) : width === 2 ? view.getUint16(at) : width === 4 ? view.getUint32(at)
      : Number(view.getBigUint64(at));
    at += width;
    if (value < (width === 1 ? 24 : 2 ** (4 * width)) || value > LARGEST) refuse();
    return value;
  }
  function take(n) { need(n); const part = bytes.slice(at, at + n); at += n; return part; }
  function item(depth) {
    need(1);
    const first = bytes[at++], major = first >> 5, short = first & 31;
    if (short > 27 || major === 7 || depth < 0) refuse();
    const n = argument(short);
    if (major === 0) return n;
    if (major === 1) return -1 - n;
    if (major === 2) return take(n);
    if (major === 3) { try { return new TextDecoder("utf-8", { fatal: true }).decode(take(n)); } catch { return refuse(); } }
    if (major === 4) { need(n); return Array.from({ length: n }, () => item(depth - 1)); }
    if (major === 5) return map(n, depth - 1);
    if (n !== 18) refuse();
    return { tag: 18, value: item(depth - 1) };
  }
  function map(n, depth) {
    need(2 * n);
    const found = new Map();
    let last = "";
    for (let i = 0; i < n; i++) {
      const start = at, key = item(0);
      const spelled = Array.from(bytes.slice(start, at), (b) => b.toString(16).padStart(2, "0")).join("");
      if (typeof key === "object" || spelled <= last) refuse();
      last = spelled;
      found.set(key, item(depth));
    }
    return found;
  }
  const value = item(8);
  if (at !== bytes.length) refuse();
  return value;
}

function head(length) {
  if (length < 24) return [0x40 | length];
  if (length < 256) return [0x58, length];
  if (length < 65536) return [0x59, length >> 8, length & 255];
  return [0x5a, (length >>> 24) & 255, (length >> 16) & 255, (length >> 8) & 255, length & 255];
}

// RFC 9052 section 4.4, around the protected bytes as received.
function sigStructure(protectedBytes, payload) {
  const context = [0x84, 0x6a, ...new TextEncoder().encode("Signature1")];
  return new Uint8Array([...context, ...head(protectedBytes.length), ...protectedBytes, 0x40, ...head(payload.length), ...payload]);
}

const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const unhex = (text) => new Uint8Array(text.match(/../g).map((two) => parseInt(two, 16)));

async function imported(key, suite) {
  const point = new Uint8Array([...suite.before, ...unhex(key.x + key.y)]);
  return crypto.subtle.importKey("raw", point, suite.key, false, ["verify"]);
}

// COSE_Sign1 taken apart: header {alg, kid, typ}, nothing unprotected, payload and signature as received.
function parts(bytes, typ) {
  const refuse = () => { throw new Refused("certificate.malformed", [0]); };
  const message = scan(bytes);
  if (!message || message.tag !== 18 || !Array.isArray(message.value) || message.value.length !== 4) refuse();
  const [protectedBytes, unprotected, payload, signature] = message.value;
  if (![protectedBytes, payload, signature].every((part) => part instanceof Uint8Array)) refuse();
  if (!(unprotected instanceof Map) || unprotected.size || signature.length !== 64) refuse();
  const header = scan(protectedBytes);
  if (!(header instanceof Map) || header.size !== 3 || header.get(16) !== typ) refuse();
  if (!SUITES.has(header.get(1)) && header.get(1) !== SM2) refuse();
  if (!(header.get(4) instanceof Uint8Array) || header.get(4).length !== 8) refuse();
  const claims = scan(payload);
  if (!(claims instanceof Map)) refuse();
  return { alg: header.get(1), kid: hex(header.get(4)), claims, signature, signed: sigStructure(protectedBytes, payload) };
}

// {claims, key} of a COSE_Sign1 that one of `keys` signed; Refused otherwise.
export async function opened(bytes, keys, typ) {
  const { alg, kid, claims, signature, signed } = parts(bytes, typ);
  const named = keys.filter((key) => key.kid === kid), suite = SUITES.get(alg);
  // The registry gave every key that it ever had: another key in its name is a forgery.
  if (!named.length) throw new Refused(keys.some((key) => key.registry === claims.get(1)) ? "certificate.signature" : "key.unknown");
  const candidates = named.filter((key) => key.alg === alg);
  if (!candidates.length) throw new Refused("certificate.malformed", [0]);
  if (!suite) throw new Refused("key.unknown");
  if (suite.twice && hex(signature.slice(32)) > HALF_ORDER) throw new Refused("certificate.signature");
  for (const key of candidates) {
    if (await crypto.subtle.verify(suite.check, await imported(key, suite), signature, signed)) return { claims, key };
  }
  throw new Refused("certificate.signature");
}

const heldAt = (key, moment) => key.windows.some(([from, to]) => from <= moment && moment <= to);

export async function certificate(bytes, keys) {
  const { claims, key } = await opened(bytes, keys, KIND_CERTIFICATE);
  const own = claims.get(CERTIFICATE);
  if (!Array.isArray(own) || own.length !== 10 || !Array.isArray(own[0])) throw new Refused("certificate.malformed", [0]);
  const [territory, , , position, register, exponent, , list, index, demo] = own;
  const found = { issuer: claims.get(1), meter: claims.get(2), expires: claims.get(4), issued: claims.get(6), territory, position,
    register, exponent, list, index, demo: demo === 1, registry: key.registry };
  return { ...found, inWindow: heldAt(key, found.issued) };
}

// Token Status List in CWT form: two bits an entry, least significant first, zlib. Null unless it is list `number` of
// the registry that signed the certificate, by a key that held when it was issued.
export async function statusList(bytes, keys, found) {
  const { claims, key } = await opened(bytes, keys, "application/statuslist+cwt");
  const list = claims.get(STATUS_LIST);
  if (key.registry !== found.registry || !String(claims.get(2)).endsWith(`/${found.list}`) || list.get("bits") !== 2) return null;
  if (!heldAt(key, claims.get(6))) return null;
  const stream = new Blob([list.get("lst")]).stream().pipeThrough(new DecompressionStream("deflate"));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  return { issued: claims.get(6), expires: claims.get(4), at: (i) => (i >> 2) < packed.length ? (packed[i >> 2] >> (2 * (i & 3))) & 3 : null };
}

// A meter id as certificates spell it: NFKC, upper case, no blanks.
export const spelled = (meter) => meter.normalize("NFKC").toUpperCase().replace(/\s+/gu, "");

// The three answers, as meterseal_protocol.check gives them: every reason, the worst outcome.
export function judged(found, list, asked, now) {
  const invalid = [], unsure = [];
  const moment = Math.max(now, found.issued, list ? list.issued : 0);
  if (asked.meter && spelled(asked.meter) !== found.meter) invalid.push(["certificate.other_meter", []]);
  if (asked.territory && !found.territory.some((prefix) => asked.territory.startsWith(prefix))) invalid.push(["certificate.territory", []]);
  if (moment > found.expires) invalid.push(["certificate.expired", [found.expires, moment]]);
  if (!found.inWindow) unsure.push(["key.window", [found.issued]]);
  const status = list ? list.at(found.index) : null;
  if (status === 1) invalid.push(["status.invalid", []]);
  if (!list) unsure.push(["status.missing", []]);
  else if (moment > list.expires) unsure.push(["status.stale", [list.expires, moment]]);
  else if (status === 2) unsure.push(["status.suspended", []]);
  else if (status !== 0 && status !== 1) unsure.push(["status.missing", []]);
  return { outcome: invalid.length ? "not_valid" : unsure.length ? "cannot_say" : "valid", reasons: [...invalid, ...unsure], moment };
}

// What a person read off the dial, in litres times a thousand so that no float comes near it: below the end register, or
// above it by more than may run in transport, leaves a yes open (check.py, compare).
const ALLOWANCE_L = 100n, MILLILITRES = 6;
export function compared(verdict, found, dial) {
  if (!/^[0-9]{1,12}([.,][0-9]{1,6})?$/.test(dial)) return verdict;
  const [whole, part = ""] = dial.replace(",", ".").split(".");
  const shown = BigInt(whole + part.padEnd(MILLILITRES, "0"));
  const end = scaled(found.register, found.exponent);
  const litres = (millilitres) => Number(millilitres / 1000n);
  const reasons = [];
  if (shown < end) reasons.push(["dial.below", [litres(shown), litres(end)]]);
  else if (shown > end + ALLOWANCE_L * 1000n) reasons.push(["dial.above", [litres(shown), litres(end), Number(ALLOWANCE_L)]]);
  if (!reasons.length) return verdict;
  return { ...verdict, outcome: verdict.outcome === "not_valid" ? "not_valid" : "cannot_say", reasons: [...verdict.reasons, ...reasons] };
}
// Register units of 10^exponent m3 in millilitres; finer registers than that are rounded up, against the dial.
function scaled(register, exponent) {
  const power = exponent + MILLILITRES;
  if (power >= 0) return BigInt(register) * 10n ** BigInt(power);
  const step = 10n ** BigInt(-power), value = BigInt(register);
  return value / step + (value % step > 0n ? 1n : 0n);
}

// Register units of 10^exponent m3 as a decimal, without going through a float: 100 and -3 are 0.100.
export function decimal(register, exponent) {
  const digits = String(Math.abs(register)) + "0".repeat(Math.max(0, exponent));
  const places = Math.max(0, -exponent), padded = digits.padStart(places + 1, "0");
  const cut = padded.length - places;
  return (register < 0 ? "-" : "") + padded.slice(0, cut) + (places ? "." + padded.slice(cut) : "");
}
