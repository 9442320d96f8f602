/** What of a bundle's manifest the screening needs; Python has read it strictly when the app was packaged. */

import type { Filter } from "./filters";
import type { Finding } from "./types";

export interface InputSpec {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly resize: "letterbox" | "knees";
  /** Applied to each scaled part of the film, in their order. */
  readonly filters: readonly Filter[];
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

/** What a model of several bones answers for one of them: some of its labels. */
export interface Head {
  readonly bone: string;
  readonly finding: Finding;
  readonly labels: readonly string[];
  readonly decision: Decision;
}

/** How such a model tells bones apart: of a film whose most probable bone is less so than this no head is asked. */
export interface Router {
  readonly heads: readonly Head[];
  readonly min_confidence: number;
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
  readonly router?: Router | null;
}

/** The findings of the model's heads, or its own, bone density first; a manifest without any says it by its labels. */
export function findingsOf({ decision, finding, router }: Manifest): readonly Finding[] {
  if (router) {
    const named = router.heads.map((head) => head.finding);
    return (["density", "abnormality"] as const).filter((one) => named.includes(one));
  }
  const called = decision.positive_labels.map((label) => label.toLowerCase().split(" ").pop());
  return [finding ?? (called.every((name) => name === "abnormal") ? "abnormality" : "density")];
}

/** What a positive answer about a bone speaks of; of no bone in particular abnormality, if any head looks for that. */
export function findingOf(manifest: Manifest, bone: string | null = null): Finding {
  const head = manifest.router?.heads.find((one) => one.bone === bone);
  return head?.finding ?? (findingsOf(manifest).includes("abnormality") ? "abnormality" : "density");
}
