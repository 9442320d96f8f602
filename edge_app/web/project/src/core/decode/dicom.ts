/** DICOM files: stored values become grey in [0, 1], bone bright, in the order of PS3.3 C.11 (`osteo_edge.dicom`). */

import dicomParser from "dicom-parser";
import type { DataSet } from "dicom-parser";

import { greyOf } from "./dicom_grey";
import { lookedUp } from "./dicom_palette";
import { samplesOf } from "./dicom_frames";
import { checkSize, inflated, joined } from "./limits";
import type { Reading } from "./limits";
import { greyAndChroma } from "./samples";
import type { GreyAndChroma } from "./samples";
import { plane } from "../plane";
import type { Shared } from "../shared";
import { ScreeningError } from "../types";

const PREAMBLE_BYTES = 128;
const MARK = "DICM";
/** Of the elements that say how the others are written. */
const META_GROUP = 2;
/** What a preamble must not begin as (CVE-2019-11687): programs and archives. */
const PROGRAMS_AND_ARCHIVES = ["MZ", "\x7fELF", "\xca\xfe\xba\xbe", "\xcf\xfa\xed\xfe", "#!", "PK", "%PDF", "<"];
const [IMPLICIT, EXPLICIT] = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"];
/** What is in a file without pixels, by its modality; the first words of the line. */
const WITHOUT_PIXELS: Readonly<Record<string, string>> = {
  RTPLAN: "a treatment plan",
  SR: "a report",
  PR: "a presentation",
};

/** Decode a single-frame image, with or without its preamble and file meta information. */
export async function decodeDicom(
  bytes: Uint8Array,
  shared: Shared,
  reading: Reading,
): Promise<GreyAndChroma & { modality: string | null }> {
  try {
    checkPreamble(bytes, reading);
    const { dataset, syntax } = parsed(bytes, reading);
    checkImage(dataset, reading);
    const grey = await greyPixels(dataset, syntax, shared, reading);
    if (!grey.pixels.data.every((value) => Number.isFinite(value))) {
      throw new RangeError("numbers too large for a picture");
    }
    return { ...grey, modality: modalityOf(dataset, shared) };
  } catch (error) {
    // a damaged file makes the parser throw nearly anything
    throw error instanceof ScreeningError ? error : new ScreeningError(reading.line("the DICOM data are damaged"));
  }
}

/** The modality; in place of what is none of the standard's words, and may be a name, what may be said. */
function modalityOf(dataset: DataSet, { modalities }: Shared): string | null {
  const written = dataset.string("x00080060") || null;
  return written === null || modalities.terms.includes(written) ? written : modalities.other;
}

async function greyPixels(
  dataset: DataSet,
  syntax: string,
  shared: Shared,
  reading: Reading,
): Promise<GreyAndChroma> {
  const photometric = dataset.string("x00280004") ?? "";
  const stored = await samplesOf(dataset, syntax, reading);
  const { height, width } = stored;
  if (photometric === "MONOCHROME1" || photometric === "MONOCHROME2") {
    return { pixels: plane(height, width, greyOf(dataset, stored.data, photometric === "MONOCHROME1")), chroma: 0 };
  }
  const isPalette = photometric === "PALETTE COLOR";
  const data = isPalette ? lookedUp(dataset, stored.data) : stored.data;
  if (data.length !== 3 * height * width || !(data instanceof Uint8Array || data instanceof Uint16Array)) {
    throw new ScreeningError(reading.line("neither a grey nor a colour image"));
  }
  const full = data instanceof Uint8Array ? 255 : 65_535;
  const fullScale = isPalette ? full : 2 ** dataset.uint16("x00280101")! - 1;
  return greyAndChroma({ height, width, channels: 3, data }, fullScale, shared.luminance);
}

/** Refuse a file that is a program or an archive as well, which would be kept and passed on as a radiograph. */
function checkPreamble(bytes: Uint8Array, { line }: Reading): void {
  const begins = (mark: string) => [...mark].every((letter, place) => bytes[place] === letter.charCodeAt(0));
  if (hasPreamble(bytes) && PROGRAMS_AND_ARCHIVES.some(begins)) {
    throw new ScreeningError(line("is a program or an archive"));
  }
}

function hasPreamble(bytes: Uint8Array): boolean {
  return String.fromCharCode(...bytes.subarray(PREAMBLE_BYTES, PREAMBLE_BYTES + MARK.length)) === MARK;
}

/** The data set, and how it is encoded; deflated, it holds nothing of the elements before it. */
function parsed(bytes: Uint8Array, reading: Reading): { dataset: DataSet; syntax: string } {
  let isDeflated = false;
  const inflater = (file: Uint8Array, position: number) => {
    isDeflated = true;
    return inflated(file.subarray(position), reading.limits.maxFileBytes) ?? tooLarge(reading);
  };
  const isExplicit = /^[A-Z]{2}$/.test(String.fromCharCode(...bytes.subarray(4, 6)));
  const guessed = isExplicit ? EXPLICIT : IMPLICIT;
  const isWhole = hasPreamble(bytes) || (bytes[0] === META_GROUP && bytes[1] === 0);
  const dataset = isWhole
    ? dicomParser.parseDicom(hasPreamble(bytes) ? bytes : withPreamble(bytes), { inflater })
    : dicomParser.parseDicom(bytes, { TransferSyntaxUID: guessed });
  return { dataset, syntax: isDeflated ? EXPLICIT : (dataset.string("x00020010") ?? guessed) };
}

function tooLarge({ limits, line }: Reading): never {
  throw new ScreeningError(line("inflates to more than", { max_file_bytes: limits.maxFileBytes / 2 ** 20 }));
}

function withPreamble(bytes: Uint8Array): Uint8Array {
  const mark = Uint8Array.from(MARK, (letter) => letter.charCodeAt(0));
  return joined([new Uint8Array(PREAMBLE_BYTES), mark, bytes], PREAMBLE_BYTES + mark.length + bytes.length);
}

/** Refuse what is no single image of an acceptable size, before anything is decoded. */
function checkImage(dataset: DataSet, reading: Reading): void {
  const { line } = reading;
  if (Object.keys(dataset.elements).length === 0) {
    throw new ScreeningError(line("holds no DICOM data"));
  }
  if (!dataset.elements["x7fe00010"]) {
    const kind = line(WITHOUT_PIXELS[dataset.string("x00080060") ?? ""] ?? "a DICOM file");
    throw new ScreeningError(line("{kind} without complete", { kind }));
  }
  const frames = Number(dataset.string("x00280008") || 1);
  if (!Number.isInteger(frames)) {
    throw new ScreeningError(line("{keyword} is missing", { keyword: "NumberOfFrames" }));
  }
  if (frames > 1) {
    throw new ScreeningError(line("holds {frames} frames", { frames }));
  }
  if (![1, 3].includes(dataset.uint16("x00280002") ?? 1)) {
    throw new ScreeningError(line("has neither 1 nor 3"));
  }
  checkSize(side(dataset, "x00280010", "Rows", reading), side(dataset, "x00280011", "Columns", reading), reading);
}

function side(dataset: DataSet, tag: string, keyword: string, { line }: Reading): number {
  const value = dataset.uint16(tag);
  if (value === undefined) {
    throw new ScreeningError(line("{keyword} is missing", { keyword }));
  }
  return value;
}
