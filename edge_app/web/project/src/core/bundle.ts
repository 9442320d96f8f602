/** A bundle as the page fetches it: the manifest, the model and the films' statistics, each held to its hash. */

import { requireSigned } from "../signature";
import type { TrustedKey } from "../signature";
import { readStatistics } from "./familiarity";
import type { FilmStatistics } from "./familiarity";
import { fetchBytes } from "./fetching";
import type { OnProgress } from "./fetching";
import type { Manifest } from "./manifest";
import type { Shared } from "./shared";
import { sha256 } from "./sha256";
import { ScreeningError } from "./types";

export interface Bundle {
  readonly manifest: Manifest;
  readonly model: Uint8Array;
  readonly statistics: FilmStatistics | null;
  readonly shared: Shared;
}

/** What shared.json says of the keys that a bundle must be signed with, if there are any. */
interface Locked {
  readonly app: { readonly trustedKeys: readonly TrustedKey[] };
}

/** Fetch what lies beneath `baseUrl`; ScreeningError where it cannot be had whole, or must not be used. */
export async function fetchBundle(baseUrl: string, onProgress: OnProgress): Promise<Bundle> {
  const bytesAt = (path: string) => fetchBytes(new URL(path, baseUrl).href, onProgress);
  const [manifestBytes, sharedBytes] = await Promise.all([bytesAt("bundle/manifest.json"), bytesAt("shared.json")]);
  const [manifest, shared] = [parsed(manifestBytes) as Manifest, parsed(sharedBytes) as Shared & Locked];
  const failed = manifest.parity?.verdict?.passed === false;
  if (failed || manifest.intended_use === shared.wording.comparisonUse) {
    throw new ScreeningError(failed ? shared.wording.failedCheck : shared.wording.comparisonUse);
  }
  const { trustedKeys } = shared.app;
  if (trustedKeys.length) {
    const signature = new TextDecoder().decode(await bytesAt("bundle/model.sig"));
    await requireSigned(trustedKeys, manifestBytes, manifest, signature);
  }
  const { model, familiarity, files } = manifest;
  const verified = async (file: string, hash: string | undefined) => {
    const bytes = await bytesAt(`bundle/${file}`);
    return sha256(bytes) === hash ? bytes : damaged();
  };
  const statistics = familiarity ? readStatistics(await verified(familiarity.file, files[familiarity.file])) : null;
  return { manifest, shared, statistics, model: await verified(model.file, model.sha256) };
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return damaged();
  }
}

function damaged(): never {
  throw new ScreeningError("The model's files are damaged. Load this page again, or ask who set it up.");
}
