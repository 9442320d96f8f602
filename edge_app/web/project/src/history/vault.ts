/** The file that keeps the keys of an encrypted history locked up: `osteo_edge.edge_app.history.vault`. */

import { sha256 } from "../core/sha256";
import type { VaultTables } from "../ui/shared";
import { require, type Row } from "./checked";

export type Kind = "pin" | "recovery";

/** The data key as one secret opens it: scrypt's salt and its cost `n`, AES-GCM's nonce, what it wrapped; in hex. */
export interface Slot {
  readonly kind: Kind;
  readonly salt: string;
  readonly n: number;
  readonly r: number;
  readonly p: number;
  readonly nonce: string;
  readonly wrapped: string;
}

/** A slot for the PIN and one for the recovery code. */
export interface Vault {
  readonly slots: readonly Slot[];
}

/** The vault of the first file that holds one: the second is a copy. Throws where there is none, or all are damaged. */
export function readVault(files: readonly Uint8Array[], tables: VaultTables): Vault {
  let problem: unknown;
  for (const file of files) {
    try {
      return vaultFrom(file, tables);
    } catch (error) {
      problem = error;
    }
  }
  throw new Error("its keys are damaged", { cause: problem });
}

function vaultFrom(file: Uint8Array, tables: VaultTables): Vault {
  require(file.length <= tables.maxFileBytes, "size");
  const document = objectOf(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file)), "vault");
  const { key_id, slots, schema, sha256: written } = document;
  require(isHex(key_id, tables.keyBytes), "key_id");
  require(Array.isArray(slots) && slots.length === 2, "slots");
  require(schema === 1, "schema");
  const vault = { key_id, slots: slots.map((slot) => slotOf(slot, tables)), schema };
  require(written === sha256(new TextEncoder().encode(asPython(vault))), "sha256");
  const kinds = new Set(vault.slots.map((slot) => slot.kind));
  require(kinds.has("pin") && kinds.has("recovery"), "slots");
  return vault;
}

/** The fields in the order in which they are hashed. */
function slotOf(value: unknown, tables: VaultTables): Slot {
  const { kind, salt, n, r, p, nonce, wrapped } = objectOf(value, "slots");
  require(kind === "pin" || kind === "recovery", "kind");
  require(isHex(salt, tables.saltBytes), "salt");
  require(typeof n === "number" && n >= tables.leastCost && n <= tables.mostCost, "n");
  require(Number.isInteger(n) && (n & (n - 1)) === 0, "n");
  require(r === tables.blocks && p === 1, "r");
  require(isHex(nonce, tables.nonceBytes), "nonce");
  require(isHex(wrapped, tables.keyBytes + tables.tagBytes), "wrapped");
  return { kind, salt, n, r, p, nonce, wrapped };
}

function objectOf(value: unknown, field: string): Row {
  require(typeof value === "object" && value !== null && !Array.isArray(value), field);
  return value as Row;
}

function isHex(value: unknown, bytes: number): value is string {
  return typeof value === "string" && value.length === 2 * bytes && /^[0-9a-f]*$/.test(value);
}

/** JSON as `json.dumps` writes what has neither commas nor colons in its texts. */
function asPython(value: object): string {
  return JSON.stringify(value).replace(/[,:]/g, "$& ");
}
