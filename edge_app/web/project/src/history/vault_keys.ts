/** The keys of an encrypted history, all from the data key that its vault wraps. */

import { gcm } from "@noble/ciphers/aes.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { scrypt } from "@noble/hashes/scrypt.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

import type { VaultTables } from "../ui/shared";
import type { Slot, Vault } from "./vault";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * The keys, if it is the PIN or the recovery code; null for anything else. It takes up to 256 MiB, and a second or
 * more: RangeError where so much is not free.
 */
export function openVault(vault: Vault, secret: string, tables: VaultTables): Keys | null {
  for (const slot of vault.slots) {
    const dataKey = unwrapped(slot, slot.kind === "pin" ? secret : plainCode(secret), tables);
    if (dataKey !== null) return new Keys(dataKey, tables);
  }
  return null;
}

/** `browser` decrypts films twenty times as fast as the page's own code; a page without https has none: null. */
export class Keys {
  /** The raw key of the database. */
  readonly database: Bytes;
  private readonly images: Bytes;
  private readonly names: Bytes;

  constructor(
    dataKey: Uint8Array,
    private readonly tables: VaultTables,
    private readonly browser: SubtleCrypto | null = globalThis.crypto?.subtle ?? null,
  ) {
    const derived = (info: string): Bytes =>
      new Uint8Array(hkdf(sha256, dataKey, undefined, utf8ToBytes(info), tables.keyBytes));
    this.database = derived(tables.info.database);
    this.images = derived(tables.info.images);
    this.names = derived(tables.info.names);
  }

  /** What stands for a picture in the names of files: 64 hex digits. */
  hiddenName(sha: string): string {
    return bytesToHex(hmac(sha256, this.names, utf8ToBytes(sha)));
  }

  /** What was sealed under this name; null for anything else. */
  async openSealed(name: string, sealed: Bytes): Promise<Bytes | null> {
    const { mark, nonceBytes, sealedExtraBytes } = this.tables;
    const begins = new TextDecoder("latin1").decode(sealed.subarray(0, mark.length));
    if (begins !== mark || sealed.length < sealedExtraBytes) return null;
    const start = mark.length + nonceBytes;
    const [nonce, data] = [sealed.subarray(mark.length, start), sealed.subarray(start)];
    const about = new Uint8Array(utf8ToBytes(name));
    if (this.browser === null) return opened(this.images, nonce, about, data);
    const key = await this.browser.importKey("raw", this.images, "AES-GCM", false, ["decrypt"]);
    const algorithm = { name: "AES-GCM", iv: nonce, additionalData: about };
    try {
      return new Uint8Array(await this.browser.decrypt(algorithm, key, data));
    } catch (error) {
      if (error instanceof DOMException && error.name === "OperationError") return null;
      throw error;
    }
  }
}

function unwrapped({ kind, salt, n, r, p, nonce, wrapped }: Slot, secret: string, tables: VaultTables): Bytes | null {
  const key = scrypt(utf8ToBytes(secret), hexToBytes(salt), { N: n, r, p, dkLen: tables.keyBytes });
  return opened(key, hexToBytes(nonce), utf8ToBytes(tables.about[kind]), hexToBytes(wrapped));
}

/** What AES-256-GCM decrypts; null where it was altered, or is of another key. */
function opened(key: Uint8Array, nonce: Uint8Array, about: Uint8Array, data: Uint8Array): Bytes | null {
  const cipher = gcm(key, nonce, about);
  try {
    return new Uint8Array(cipher.decrypt(data));
  } catch (error) {
    if (error instanceof RangeError) throw error; // memory is short
    return null;
  }
}

/** A recovery code without what may be typed between its groups, in capital letters. */
function plainCode(typed: string): string {
  return typed.replace(/[-\s]/g, "").toUpperCase();
}
