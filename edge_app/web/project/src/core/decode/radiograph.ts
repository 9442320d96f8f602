/** An image file becomes a Radiograph: grey in [0, 1], bone bright, whatever the file stored. */

import { decodeBmp } from "./bmp";
import { decodeDicom } from "./dicom";
import { decodeJpeg } from "./jpeg";
import { unsupported } from "./limits";
import type { Reading } from "./limits";
import { decodePng } from "./png";
import { fullScaleOf, greyAndChroma } from "./samples";
import type { Samples } from "./samples";
import { sha256 } from "../sha256";
import type { Shared } from "../shared";
import { ScreeningError } from "../types";
import type { FileFormat, Plane } from "../types";

/** Pixels in [0, 1], bone bright; the SHA-256 of the file; and what it says of itself. */
export interface Radiograph {
  readonly pixels: Plane;
  readonly sha256: string;
  readonly format: FileFormat;
  /** The mean over the pixels of the largest less the smallest colour channel, in [0, 1]. */
  readonly chroma: number;
  /** DICOM's code ("DX"), where the file has it. */
  readonly modality: string | null;
}

/** Offset, first bytes and name of the kinds of files that are told apart; those in small letters are read. */
const SIGNATURES: readonly (readonly [number, string, string])[] = [
  [128, "DICM", "dicom"],
  [0, "\x89PNG\r\n\x1a\n", "png"],
  [0, "\xff\xd8\xff", "jpeg"],
  [0, "BM", "bmp"],
  [0, "II*\0", "TIFF"],
  [0, "MM\0*", "TIFF"],
  [0, "GIF8", "GIF"],
  [8, "WEBP", "WebP"],
  [4, "ftypavif", "AVIF"],
  [4, "ftyp", "HEIC"],
  [0, "%PDF", "PDF"],
  [0, "PK\x03\x04", "ZIP"],
  [0, "II+\0", "BigTIFF"],
  [0, "MM\0+", "BigTIFF"],
  [4, "jP  \r\n", "JPEG 2000"],
];
const READ: readonly string[] = ["png", "jpeg", "bmp", "dicom"];

/**
 * Decode the bytes of a file; ScreeningError says what is wrong with it.
 *
 * Its content decides what it is; only a DICOM file that lacks its preamble is known by its `name`.
 */
export async function decode(bytes: Uint8Array, name: string, shared: Shared, reading: Reading): Promise<Radiograph> {
  const { maxFileBytes } = reading.limits;
  if (bytes.length > maxFileBytes) {
    throw new ScreeningError(reading.line("not a file of at most", { max_file_bytes: maxFileBytes / 2 ** 20 }));
  }
  const format = sniffed(bytes, name, reading);
  const file = { sha256: sha256(bytes), format };
  if (format === "dicom") {
    return { ...file, ...(await decodeDicom(bytes, shared, reading)) };
  }
  const samples = await decodeRaster(bytes, format, reading);
  return { ...file, ...greyAndChroma(samples, fullScaleOf(samples), shared.luminance), modality: null };
}

async function decodeRaster(bytes: Uint8Array, format: FileFormat, reading: Reading): Promise<Samples> {
  if (format === "png") {
    return decodePng(bytes, reading);
  }
  return format === "jpeg" ? decodeJpeg(bytes, reading) : decodeBmp(bytes, reading);
}

/** The format by the first bytes, not by the name. */
function sniffed(bytes: Uint8Array, name: string, reading: Reading): FileFormat {
  if (!bytes.length) {
    throw new ScreeningError(reading.line("the file is empty"));
  }
  const begins = (offset: number, mark: string) =>
    [...mark].every((letter, place) => bytes[offset + place] === letter.charCodeAt(0));
  const found = SIGNATURES.find(([offset, mark]) => begins(offset, mark))?.[2];
  if (found && !READ.includes(found)) {
    throw unsupported(found, reading);
  }
  if (found) {
    return found as FileFormat;
  }
  if (/\.(dcm|dicom)$/i.test(name)) {
    return "dicom";
  }
  throw new ScreeningError(reading.line("not a PNG, JPEG, BMP, TIFF or DICOM"));
}
