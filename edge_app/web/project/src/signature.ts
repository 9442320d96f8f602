/**
 * Whether a trusted key has signed the bundle: `osteo_edge/signature.py` in the page.
 *
 * A sigstore bundle holds a DSSE envelope with an in-toto statement, which lists the SHA-256 of every file; it is signed
 * by ECDSA over P-256 with SHA-256.
 */

import { sha256 } from "./core/sha256";
import { ScreeningError } from "./core/types";

/** A key that was packed with the page; `hint` is how a signature names it, `der` its SubjectPublicKeyInfo in base64. */
export interface TrustedKey {
  readonly name: string;
  readonly hint: string;
  readonly der: string;
}

/** What of a manifest a signature is of. */
interface Signed {
  readonly model: { readonly file: string; readonly sha256: string };
  readonly files: Readonly<Record<string, string>>;
}

interface Envelope {
  readonly hint: string;
  readonly type: string;
  readonly payload: Bytes;
  readonly signature: Bytes;
}

type Bytes = Uint8Array<ArrayBuffer>;

const MANIFEST = "manifest.json";
const STATEMENT = "https://in-toto.io/Statement/v1";
const PREDICATE = "https://model_signing/signature/v1.0";
const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const NUMBER_BYTES = 32;
const INTEGER = 0x02;
const SEQUENCE = 0x30;

/**
 * ScreeningError unless one of the keys has signed just this manifest and the files that it lists.
 *
 * `content` are the manifest's bytes as they were fetched, `text` is the file model.sig. That the other files have the
 * hashes that the manifest gives is for others to verify.
 */
export async function requireSigned(
  keys: readonly TrustedKey[],
  content: Uint8Array,
  manifest: Signed,
  text: string,
): Promise<void> {
  if (!globalThis.crypto?.subtle) {
    throw new ScreeningError("The model's signature can be verified at an address with https only: open this page by https.");
  }
  const files = { ...manifest.files, [manifest.model.file]: manifest.model.sha256, [MANIFEST]: sha256(content) };
  if (!(await isSigned(keys, files, text).catch(() => false))) {
    throw new ScreeningError("No key that this page trusts has signed the model: it is not used. Ask who set this page up.");
  }
}

/** Throws for what is no such signature at all. */
async function isSigned(
  keys: readonly TrustedKey[],
  files: Readonly<Record<string, string>>,
  text: string,
): Promise<boolean> {
  const envelope = readEnvelope(text);
  const key = keys.find((one) => one.hint === envelope.hint);
  if (key === undefined || envelope.type !== PAYLOAD_TYPE || !listsExactly(envelope.payload, files)) {
    return false;
  }
  const imported = await crypto.subtle.importKey("spki", bytesOf(key.der), CURVE, false, ["verify"]);
  const how = { name: "ECDSA", hash: "SHA-256" };
  return crypto.subtle.verify(how, imported, plainSignature(envelope.signature), preAuthentication(envelope.payload));
}

function readEnvelope(text: string): Envelope {
  const { verificationMaterial, dsseEnvelope } = JSON.parse(text);
  const { payload, payloadType, signatures } = dsseEnvelope;
  if (signatures.length !== 1) {
    throw new Error("not one signature");
  }
  return {
    hint: verificationMaterial.publicKey.hint,
    type: payloadType,
    payload: bytesOf(payload),
    signature: bytesOf(signatures[0].sig),
  };
}

/** Whether the signed statement names these files with these hashes, each once, and no others. */
function listsExactly(payload: Bytes, files: Readonly<Record<string, string>>): boolean {
  const statement = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  const listed: { name: string; digest: string; algorithm: string }[] = statement.predicate.resources;
  const names = new Set(listed.map((entry) => entry.name));
  return (
    statement._type === STATEMENT &&
    statement.predicateType === PREDICATE &&
    names.size === listed.length &&
    listed.length === Object.keys(files).length &&
    listed.every(({ name, digest, algorithm }) => algorithm === "sha256" && Object.hasOwn(files, name) && files[name] === digest)
  );
}

/** What DSSE signs: the type and the payload, each with its length (secure-systems-lab/dsse, protocol.md). */
function preAuthentication(payload: Bytes): Bytes {
  const head = new TextEncoder().encode(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `);
  const joined = new Uint8Array(head.length + payload.length);
  joined.set(head);
  joined.set(payload, head.length);
  return joined;
}

/** The two numbers of a signature in DER (SEQUENCE of two INTEGERs), 32 bytes each, as WebCrypto takes them. */
function plainSignature(der: Bytes): Bytes {
  const plain = new Uint8Array(2 * NUMBER_BYTES);
  let place = 2;
  for (const end of [NUMBER_BYTES, 2 * NUMBER_BYTES]) {
    const length = der[place + 1] ?? 0;
    const number = der.slice(place + 2, place + 2 + length);
    const digits = number.subarray(Math.max(0, length - NUMBER_BYTES));
    if (der[place] !== INTEGER || number.length !== length || number.subarray(0, -NUMBER_BYTES).some(Boolean)) {
      throw new Error("not a number in DER");
    }
    plain.set(digits, end - digits.length);
    place += 2 + length;
  }
  if (der[0] !== SEQUENCE || der[1] !== der.length - 2 || place !== der.length) {
    throw new Error("not a signature in DER");
  }
  return plain;
}

function bytesOf(base64: string): Bytes {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}
