/** SHA-256 in lower-case hex. Not the browser's own, which pages of the clinic's network without TLS do not have. */

import { sha256 as digest } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

export function sha256(bytes: Uint8Array): string {
  return bytesToHex(digest(bytes));
}
