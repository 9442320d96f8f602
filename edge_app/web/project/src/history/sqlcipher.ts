/**
 * An encrypted database made a plain one, as SQLCipher 4 lays it out: each page holds its content under AES-256-CBC,
 * and at its end the initialization vector and an HMAC-SHA256 of both and of the page's number; the file begins with a
 * salt.
 */

import { cbc } from "@noble/ciphers/aes.js";
import { hmac } from "@noble/hashes/hmac.js";
import { pbkdf2 } from "@noble/hashes/pbkdf2.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";

import type { VaultTables } from "../ui/shared";

const SALT_BYTES = 16;
const SALT_MASK = 0x3a;
const ROUNDS = 2;
const VECTOR_BYTES = 16;
const HMAC_BYTES = 32;

/** The database in clear; throws, and names the page, where one was altered, cut off, or is of another key. */
export function decryptDatabase(bytes: Uint8Array, key: Uint8Array, tables: VaultTables): Uint8Array<ArrayBuffer> {
  const { keyBytes, pageBytes, plainDatabase } = tables;
  if (bytes.length === 0 || bytes.length % pageBytes) throw new Error("its database is cut off");
  const salt = bytes.slice(0, SALT_BYTES).map((byte) => byte ^ SALT_MASK);
  const keyed = hmac.create(sha256, pbkdf2(sha512, key, salt, { c: ROUNDS, dkLen: keyBytes }));
  const plain = new Uint8Array(bytes.length);
  for (let start = 0; start < bytes.length; start += pageBytes) {
    const number = start / pageBytes + 1;
    const page = bytes.subarray(start === 0 ? SALT_BYTES : start, start + pageBytes);
    const authentic = page.subarray(0, -HMAC_BYTES);
    const expected = keyed.clone().update(authentic).update(littleEndian(number)).digest();
    if (!areSame(expected, page.subarray(-HMAC_BYTES))) throw new Error(`page ${number} of its database was altered`);
    const content = authentic.subarray(0, -VECTOR_BYTES);
    const cipher = cbc(key, authentic.subarray(-VECTOR_BYTES), { disablePadding: true });
    plain.set(cipher.decrypt(content), page.byteOffset - bytes.byteOffset);
  }
  plain.set(utf8ToBytes(plainDatabase)); // where the salt was
  return plain;
}

function littleEndian(number: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number, true);
  return bytes;
}

function areSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.every((byte, place) => byte === other[place]);
}
