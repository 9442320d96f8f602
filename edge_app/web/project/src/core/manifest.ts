/** What of a bundle's manifest the screening needs; Python has read it strictly when the app was packaged. */

import type { Finding } from "./types";

export interface InputSpec {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly resize: "letterbox" | "knees";
  readonly normalization: { readonly scale: readonly number[]; readonly offset: readonly number[] };
}

/** Which of the model's outputs is which (`osteo_edge.manifest.Outputs`). */
export interface Outputs {
  readonly logits: number;
  readonly activation_map: number | null;
  readonly severity?: number | null;
  readonly embedding?: number | null;
}

export interface Decision {
  readonly positive_labels: readonly string[];
  readonly threshold: number;
  readonly abstain_low: number;
  readonly abstain_high: number;
}

export interface Gate {
  readonly min_side_px: number;
  readonly min_contrast: number;
  readonly max_chroma: number;
  readonly modalities: readonly string[];
}

export interface Manifest {
  readonly schema: 1;
  readonly name: string;
  readonly version: string;
  readonly created_at: string;
  readonly intended_use: string;
  readonly model: { readonly file: string; readonly precision: string; readonly sha256: string };
  readonly input: InputSpec;
  readonly outputs: Outputs;
  readonly labels: readonly string[];
  readonly calibration: { readonly temperature: number };
  readonly decision: Decision;
  readonly gate: Gate;
  readonly parity: { readonly verdict?: { readonly passed: boolean } | null } | null;
  readonly data: { readonly label_source: string };
  readonly files: Readonly<Record<string, string>>;
  readonly familiarity?: { readonly file: string; readonly threshold: number } | null;
  readonly finding?: Finding | null;
}

/** What the model's positive answers speak of; a manifest that does not say it does so by its labels. */
export function findingOf(manifest: Manifest): Finding {
  const called = manifest.decision.positive_labels.map((label) => label.toLowerCase().split(" ").pop());
  return manifest.finding ?? (called.every((name) => name === "abnormal") ? "abnormality" : "density");
}
