/** What the screening gives and what the screens take: plain values that pass between a worker and the page. */

export type Outcome = "refer" | "no_finding" | "uncertain" | "rejected";
export type Finding = "density" | "abnormality";
export type Severity = "low" | "medium" | "high";
export type FileFormat = "png" | "jpeg" | "bmp" | "tiff" | "dicom";

/** Samples (height, width) by rows, of any unit; a film's pixels lie in [0, 1], bone bright. */
export interface Plane {
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
}

/** A grey picture (height, width) by rows, 0 to 255, bone bright. */
export interface GreyPicture {
  readonly width: number;
  readonly height: number;
  readonly grey: Uint8ClampedArray<ArrayBuffer>;
}

/** A rectangle of the film, in its pixels; it may reach beyond the film. */
export interface Frame {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

export interface LabelProbability {
  readonly label: string;
  /** Calibrated, in [0, 1]. */
  readonly value: number;
}

/**
 * The answer for one film, as `osteo_edge.screening.Screening` has it.
 *
 * Every text is English and made of a message of the app's catalogues, so that it is translated as the Kivy app does.
 * A rejected film has no score, no probabilities and no map; nor has one of a model that tells bones apart where it is
 * not clear which bone it shows.
 */
export interface Screening {
  readonly outcome: Outcome;
  readonly finding: Finding;
  /** Whose head answered, of a model that tells bones apart. */
  readonly bone: string | null;
  readonly headline: string;
  readonly advice: string;
  /** What is shown below the headline, in this order: warnings, reasons, the advice, the grade. */
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  readonly reasons: readonly string[];
  /** Of the positive labels, of the bone's alone where there is one, and then given that the film shows it. */
  readonly probabilities: readonly LabelProbability[];
  /** Their sum, which the threshold is compared with. */
  readonly score: number | null;
  readonly severity: Severity | null;
  readonly intendedUse: string;
  readonly name: string;
  readonly imageSha256: string;
  /** Of all pixels in [0, 1]; `contrast` is their standard deviation. Four decimals. */
  readonly imageStats: { readonly mean: number; readonly contrast: number };
  readonly modelSha256: string;
  /** ISO 8601, UTC, in seconds. */
  readonly takenAt: string;
  readonly runtime: string;
  /** Milliseconds of "read", "check", "prepare", "infer" and "map", as far as it came. */
  readonly stageMs: Readonly<Record<string, number>>;
  readonly format: FileFormat;
  /** Sides of the film in pixels. */
  readonly film: { readonly height: number; readonly width: number };
  /** The film to be shown, shrunk to 1024 pixels at most. */
  readonly picture: GreyPicture;
  /** What of the film the network saw: a square around each knee; nothing where it saw the whole film. */
  readonly crop: readonly Frame[];
  /** The evidence in [0, 1], 1 in the strongest region; the film's shape, shrunk to 512 pixels at most. */
  readonly map: Plane | null;
}

/** How far opening has come: bytes of all that is fetched, and what is done now. */
export interface Progress {
  readonly stage: "fetching" | "starting";
  readonly done: number;
  readonly total: number;
}

/** A sentence for the user, English, and made of a message of the catalogues; what a user can mend. */
export class ScreeningError extends Error {
  override readonly name = "ScreeningError";
}
