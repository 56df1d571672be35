// Events: what is said, what is sealed of it, and the signature. Nothing here talks to anybody.
// The formats are in docs/formats.md; SHA-256 and Ed25519 are Node's own, BLAKE2b and XSalsa20-Poly1305 are noble's.

import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { blake2b } from "@noble/hashes/blake2.js";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";

export const PAYLOAD_TYPE = "application/cloudevents+json";

const utf8 = (text) => Buffer.from(text, "utf8");

/** DSSE v1.0: what is signed is never the payload alone; lengths are in bytes. */
export function pae(payload) {
  return Buffer.concat([utf8(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload]);
}

/** The key in a key file, as `rogatory keys new` writes it; the kid is computed, not believed. */
export function readKey(path) {
  const said = JSON.parse(readFileSync(path, "utf8"));
  // RFC 8410: an Ed25519 private key in PKCS #8 is this prefix and the 32 bytes of the seed.
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.from(said.seed, "base64")]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const raw = Buffer.from(createPublicKey(key).export({ format: "jwk" }).x, "base64url");
  const office = said.kid.split("#")[0];
  const digest = createHash("sha256").update(utf8("ed25519\0")).update(raw).digest("hex");
  return { key, office, kid: `${office}#${digest.slice(0, 32)}` };
}

/** The value of the header `signature`. */
export function signature(payload, { key, kid }) {
  return `${kid} ${sign(null, pae(payload), key).toString("base64")}`;
}

/** The bytes of an event; `data` are those of its type, sealed fields sealed. */
export function event({ ledger, office, id, type, subject, data, time = new Date().toISOString() }) {
  return utf8(
    JSON.stringify({
      specversion: "1.0",
      id,
      source: `office/${office}`,
      type,
      subject,
      time,
      datacontenttype: "application/json",
      ledger,
      data,
    }),
  );
}

/** 0x80, then zeros up to a power of two of at least 64; above 4 KiB up to a multiple of it. */
function pad(plain) {
  const length = plain.length + 1;
  let size = 64;
  while (size < length && size < 4096) size *= 2;
  if (size < length) size = Math.ceil(length / 4096) * 4096;
  return Buffer.concat([plain, Buffer.from([0x80]), Buffer.alloc(size - length)]);
}

/** A sealed field; `place` is [ledger, source, id, subject, type, JSON Pointer from the event's root]. */
export function seal(contentKey, place, value) {
  const derive = (said, key, person, dkLen) => blake2b(said, { key, personalization: utf8(person), dkLen });
  const key = derive(utf8(JSON.stringify(place)), contentKey, "rogatory/field/1", 32);
  const padded = pad(utf8(JSON.stringify(value)));
  const nonce = derive(padded, key, "rogatory/nonce/1", 24);
  const box = Buffer.concat([nonce, xsalsa20poly1305(key, nonce).encrypt(padded)]);
  const isEmpty = value === "" || value === null || (typeof value === "object" && Object.keys(value).length === 0);
  return {
    s: 1,
    key: Buffer.from(blake2b(contentKey, { dkLen: 16 })).toString("hex"),
    filled: !isEmpty,
    box: box.toString("base64"),
    commit: createHash("sha256").update(key).update(padded).digest("base64"),
  };
}

/** The RFC 6962 leaf hash of a record: its seal and its event. */
export function leaf(sealText, value) {
  const hash = createHash("sha256").update(Buffer.from([0])).update("rogatory/1\n");
  return hash.update(sealText).update("\n").update(value).digest("hex");
}
