/** The worker's side of an encrypted backup: it has the keys, and they end with it. */

import type { VaultTables } from "../ui/shared";
import { decryptDatabase } from "./sqlcipher";
import { readVault, type Vault } from "./vault";
import { openVault, type Keys } from "./vault_keys";

type Bytes = Uint8Array<ArrayBuffer>;

/** What the page asks for, one after the other. */
export type Request =
  | { readonly task: "read"; readonly files: readonly Bytes[]; readonly tables: VaultTables }
  | { readonly task: "open"; readonly secret: string }
  | { readonly task: "database"; readonly bytes: Bytes }
  | { readonly task: "names"; readonly hashes: readonly string[] }
  | { readonly task: "picture"; readonly name: string; readonly bytes: Bytes };

/** What the worker answers: a result, or why there is none; `isMemory` where too little was free. */
export type Reply = { readonly result: unknown } | { readonly error: string; readonly isMemory: boolean };

let vault: Vault;
let tables: VaultTables;
let keys: Keys;

addEventListener("message", ({ data }: MessageEvent<Request>) => void answer(data));

async function answer(request: Request): Promise<void> {
  try {
    const result = await resultOf(request);
    postMessage({ result } satisfies Reply, { transfer: result instanceof Uint8Array ? [result.buffer] : [] });
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    postMessage({ error: words, isMemory: error instanceof RangeError } satisfies Reply);
  }
}

async function resultOf(request: Request): Promise<unknown> {
  switch (request.task) {
    case "read":
      tables = request.tables;
      vault = readVault(request.files, tables);
      return null;
    case "open": {
      const found = openVault(vault, request.secret, tables);
      if (found !== null) keys = found;
      return found !== null;
    }
    case "database":
      return decryptDatabase(request.bytes, keys.database, tables);
    case "names":
      return request.hashes.map((sha) => keys.hiddenName(sha));
    case "picture":
      return keys.openSealed(request.name, request.bytes);
  }
}
