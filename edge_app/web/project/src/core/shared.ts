/** What the page and Python share, as `edge_app/web/shared.py` writes it into shared.json: words, limits, tables. */

import type { Finding, Outcome, Plane, Severity } from "./types";

export type ColourMap = "viridis" | "cividis" | "jet";

/** The limits of `osteo_edge.gate`. */
export interface GateLimits {
  readonly maxAspect: number;
  readonly maxLongAspect: number;
  readonly minSmoothness: number;
  readonly minPrint: number;
  readonly minBrightest: number;
  readonly minTones: number;
  readonly negativeRelief: number;
  readonly negativeSide: number;
  readonly maxWhite: number;
  readonly maxBlocks: number;
  readonly minDetail: number;
  readonly maxScreen: number;
  readonly maxPatch: number;
}

/** The constants of `osteo_edge.image_quality` and `osteo_edge.block_grid`. */
export interface QualityConstants {
  readonly measuredPx: number;
  readonly toneShare: number;
  readonly brightestShare: number;
  readonly evenPx: number;
  readonly screenGreys: readonly [number, number];
  readonly patchGrey: number;
  readonly white: number;
  readonly fieldGrey: number;
  readonly middle: number;
  readonly margin: number;
  readonly leastDetail: number;
  readonly blockPx: number;
  readonly seenPx: number;
  readonly every: number;
  readonly largestStep: number;
  readonly leastStep: number;
}

/** The constants of `osteo_edge.knees`, `knee_matching`, `knee_template` and `layout`. */
export interface KneeConstants {
  readonly searchedPx: number;
  readonly widths: readonly number[];
  readonly proposals: number;
  readonly leastScore: number;
  readonly borderPx: number;
  readonly clearanceWidths: readonly [number, number];
  readonly coarseFloor: number;
  readonly fineFloor: number;
  readonly leastCoarseScore: number;
  readonly proposalsPerWidth: number;
  readonly apartPx: number;
  readonly fineStep: number;
  readonly fineSteps: number;
  readonly fineFieldPx: number;
  readonly fineReachPx: readonly [number, number];
  readonly coarseWidthPx: number;
  readonly coarseSidePx: number;
  readonly fineSpan: number;
  readonly fineSpanPx: number;
  readonly cropWidths: number;
}

/** The limits of `osteo_edge.radiograph` and `osteo_edge.image_header`. */
export interface FileLimits {
  readonly minSidePx: number;
  readonly maxSidePx: number;
  readonly maxPixels: number;
  readonly maxFileBytes: number;
  readonly maxScans: number;
  readonly mostBitsPerByte: Readonly<Record<"png" | "bmp" | "tiff", number>>;
  readonly mostJpegPixelsPerByte: number;
}

export interface Wording {
  readonly headlines: Readonly<Record<Finding, Readonly<Record<Outcome, string>>>>;
  readonly advice: Readonly<Record<Finding, Readonly<Record<Outcome, string>>>>;
  readonly severities: readonly Severity[];
  readonly noClinicalStage: string;
  readonly failedCheck: string;
  readonly phantomUse: string;
  readonly comparisonUse: string;
}

/** Little-endian float32 in base64. */
export interface PackedPlane {
  readonly shape: readonly [number, number];
  readonly data: string;
}

export interface Shared {
  /** The lines that the screening may say, with {names} in them: `messages.ts`. */
  readonly messages: readonly string[];
  readonly wording: Wording;
  readonly gate: GateLimits;
  readonly quality: QualityConstants;
  readonly knees: KneeConstants;
  readonly kneeTemplate: Readonly<Record<"coarse" | "fine" | "asymmetry", PackedPlane>>;
  readonly limits: FileLimits;
  readonly overlay: {
    readonly opacity: number;
    readonly maxSidePx: number;
    readonly evidenceSidePx: number;
    /** 256 times red, green and blue, in base64. */
    readonly colourMaps: Readonly<Record<ColourMap, string>>;
  };
  /** The modalities that the standard names, and what stands in the place of any other word, which may be a name. */
  readonly modalities: { readonly terms: readonly string[]; readonly other: string };
  /** What the standard calls DICOM's transfer syntaxes (PS3.6), by their UIDs. */
  readonly transferSyntaxes: Readonly<Record<string, string>>;
  readonly stretchPercentiles: readonly [number, number];
  /** The weights of blue, green and red, in steps of 1 / 2^bits. */
  readonly luminance: { readonly weights: readonly [number, number, number]; readonly bits: number };
}

export function unpackedBytes(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

export function unpackedPlane(packed: PackedPlane): Plane {
  const [height, width] = packed.shape;
  return { height, width, data: new Float32Array(unpackedBytes(packed.data).buffer) };
}
