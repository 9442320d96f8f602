/** Stored grey values to [0, 1], bone bright: modality transformation, window, photometric interpretation. */

import type { DataSet, Element } from "dicom-parser";

import type { Stored } from "./dicom_frames";

type Values = Float32Array<ArrayBuffer>;

const { fround } = Math;
const MODALITY_LUTS = "x00283000";
const VOI_LUTS = "x00283010";
const [LUT_DESCRIPTOR, LUT_DATA] = ["x00283002", "x00283006"];
const [INTERCEPT, SLOPE, CENTRE, WIDTH, FUNCTION] = ["x00281052", "x00281053", "x00281050", "x00281051", "x00281056"];
const [PADDING, PADDING_LIMIT] = ["x00280120", "x00280121"];
const LARGEST_EXPONENT = 80;

interface Table {
  readonly first: number;
  readonly bits: number;
  readonly entries: Float32Array;
}

/**
 * The grey of stored values by the first window, or the full range where there is none.
 *
 * Padding is background: it does not widen the range and ends black.
 */
export function greyOf(dataset: DataSet, stored: Stored, whiteIsLow: boolean): Values {
  const padding = paddingOf(dataset, stored);
  const values = rescaled(dataset, stored);
  const voi = tableIn(dataset, VOI_LUTS);
  const window = windowOf(dataset);
  let pixels: Values;
  if (voi) {
    const fullScale = 2 ** voi.bits - 1;
    pixels = lookedUp(voi, values).map((value) => Math.min(Math.max(value / fullScale, 0), 1));
  } else {
    pixels = window ? windowed(values, ...window) : fullRange(values, padding);
  }
  return pixels.map((value, place) => (padding?.[place] ? 0 : whiteIsLow ? 1 - value : value));
}

/** Map values to [0, 1] by LINEAR, LINEAR_EXACT or SIGMOID (PS3.3 C.11.2.1.2, C.11.2.1.3). */
export function windowed(values: Values, centre: number, width: number, kind: string): Values {
  if (kind === "SIGMOID") {
    const factor = fround(-4 / width);
    return values.map((value) => {
      const exponent = fround(fround(value - fround(centre)) * factor);
      return 1 / (1 + Math.exp(Math.min(Math.max(exponent, -LARGEST_EXPONENT), LARGEST_EXPONENT)));
    });
  }
  const middle = fround(kind === "LINEAR" ? centre - 0.5 : centre);
  const span = fround(kind === "LINEAR" ? width - 1 : width);
  if (span === 0) {
    return values.map((value) => (value > middle ? 1 : 0));
  }
  return values.map((value) => Math.min(Math.max(fround(fround(value - middle) / span) + 0.5, 0), 1));
}

/** 1 where the stored values are padding (PS3.3 C.7.5.1.1.2); null where nothing is, or all. */
function paddingOf(dataset: DataSet, stored: Stored): Uint8Array | null {
  const first = wordOf(dataset, PADDING);
  if (first === undefined) {
    return null;
  }
  const last = wordOf(dataset, PADDING_LIMIT) ?? first;
  const [low, high] = [Math.min(first, last), Math.max(first, last)];
  const padding = Uint8Array.from(stored, (value) => (value >= low && value <= high ? 1 : 0));
  return padding.includes(1) && padding.includes(0) ? padding : null;
}

/** Apply the Modality LUT, or slope and intercept (PS3.3 C.11.1). */
function rescaled(dataset: DataSet, stored: Stored): Values {
  const values = Float32Array.from(stored);
  const table = tableIn(dataset, MODALITY_LUTS);
  if (table) {
    return lookedUp(table, values);
  }
  const slope = fround(numberOf(dataset, SLOPE) ?? 1);
  const intercept = fround(numberOf(dataset, INTERCEPT) ?? 0);
  return values.map((value) => fround(value * slope) + intercept);
}

/** Centre, width and function of the first window; null where there is none that the standard allows. */
function windowOf(dataset: DataSet): [number, number, string] | null {
  const [centre, width] = [numberOf(dataset, CENTRE), numberOf(dataset, WIDTH)];
  const kind = dataset.string(FUNCTION) || "LINEAR";
  if (centre === null || width === null || width <= 0 || (kind === "LINEAR" && width < 1)) {
    return null;
  }
  return [centre, width, kind];
}

/** The first of an element's decimal numbers; null where it is absent or empty, RangeError unless it is finite. */
function numberOf(dataset: DataSet, tag: string): number | null {
  const text = dataset.string(tag, 0);
  if (!text) {
    return null;
  }
  if (!Number.isFinite(Number(text))) {
    throw new RangeError(`${tag} is not a finite number`);
  }
  return Number(text);
}

/** A whole number of 16 bits, signed as the stored values are unless the file says how. */
function wordOf(dataset: DataSet, tag: string, place = 0): number | undefined {
  const element: Element | undefined = dataset.elements[tag];
  const isSigned = element?.vr ? element.vr === "SS" : dataset.uint16("x00280103") === 1;
  return isSigned ? dataset.int16(tag, place) : dataset.uint16(tag, place);
}

function tableIn(dataset: DataSet, tag: string): Table | null {
  const item = dataset.elements[tag]?.items?.[0]?.dataSet;
  const [first, bits] = item ? [wordOf(item, LUT_DESCRIPTOR, 1), item.uint16(LUT_DESCRIPTOR, 2)] : [];
  const count = item?.elements[LUT_DATA] ? item.elements[LUT_DATA].length / 2 : 0;
  if (!item || first === undefined || bits === undefined || !count) {
    return null;
  }
  const entries = Float32Array.from({ length: count }, (_, place) => item.uint16(LUT_DATA, place)!);
  return { first, bits, entries };
}

/** Map values by a table; what lies outside takes its first or last entry (PS3.3 C.11.1.1). */
function lookedUp({ first, entries }: Table, values: Values): Values {
  const last = entries.length - 1;
  return values.map((value) => entries[Math.min(Math.max(Math.round(value - first), 0), last)]!);
}

/** Scale the smallest value that is not padding to 0 and the largest to 1; a constant image is 0. */
function fullRange(values: Values, padding: Uint8Array | null): Values {
  let [low, high] = [Infinity, -Infinity];
  values.forEach((value, place) => {
    if (!padding?.[place]) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  });
  const span = Math.max(fround(high - low), 2 ** -126);
  return values.map((value) => Math.min(Math.max(fround(value - low) / span, 0), 1));
}
