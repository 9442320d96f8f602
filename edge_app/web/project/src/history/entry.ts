/** One saved screening, with the fields of a row of the Kivy app's history, whose backups it can be read from. */

import type { Finding, Outcome } from "../core/types";

export type Sex = "female" | "male" | "other";
export type Dxa = "normal" | "osteopenia" | "osteoporosis";
export type Decided = "followed" | "otherwise";

export const OUTCOMES: readonly Outcome[] = ["refer", "no_finding", "uncertain", "rejected"];
export const FINDINGS: readonly Finding[] = ["density", "abnormality"];
export const SEXES: readonly Sex[] = ["female", "male", "other"];
export const DXAS: readonly Dxa[] = ["normal", "osteopenia", "osteoporosis"];
export const DECIDED: readonly Decided[] = ["followed", "otherwise"];
/** The answers that a decision can follow, or not. */
export const TO_FOLLOW: readonly Outcome[] = ["refer", "no_finding"];

/** What the clinic wrote down of the patient; null for what it left out. Whole years, kilograms. */
export interface Patient {
  readonly code: string | null;
  readonly age_years: number | null;
  readonly sex: Sex | null;
  readonly weight_kg: number | null;
}

export const NOBODY: Patient = { code: null, age_years: null, sex: null, weight_kg: null };

/**
 * `osteo_edge.edge_app.history.entry.Entry`, its patient's fields among its own: `id` has 32 hex digits, `taken_at` is
 * ISO 8601 in UTC, so written that times sort as texts. The probabilities are calibrated, in [0, 1].
 */
export interface Entry extends Patient {
  readonly id: string;
  readonly taken_at: string;
  readonly outcome: Outcome;
  readonly probabilities: Readonly<Record<string, number>>;
  readonly score: number | null;
  readonly threshold: number;
  readonly abstain_low: number | null;
  readonly abstain_high: number | null;
  readonly reasons: readonly string[];
  readonly warnings: readonly string[];
  readonly image_sha256: string;
  readonly overlay_sha256: string | null;
  readonly model_name: string;
  readonly model_sha256: string;
  readonly intended_use: string | null;
  readonly is_demo: boolean;
  readonly finding: Finding;
  readonly bone: string | null;
  readonly software: string;
  readonly milliseconds: Readonly<Record<string, number>>;
  readonly note: string;
  readonly dxa: Dxa | null;
  readonly t_score: number | null;
  readonly image_stats: Readonly<Record<string, number>>;
  readonly decided: Decided | null;
  readonly override_reason: string;
  /** The hash of the film as it was screened, where what is kept of it is another file. */
  readonly film_sha256: string | null;
}

/** The bytes of an image file, its hash, and its suffix in lower case: ".jpg", ".dcm", or "". */
export interface Picture {
  readonly sha256: string;
  readonly suffix: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** An entry with the image files that it names. */
export interface Saved {
  readonly entry: Entry;
  readonly pictures: readonly Picture[];
}

/** A fresh id for an entry or a draft: a random UUID (RFC 9562, version 4) as 32 hex digits. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A moment as entries write it, to the second. */
export function utc(moment: Date): string {
  return `${moment.toISOString().slice(0, 19)}+00:00`;
}
