/** An image file becomes a Radiograph: grey in [0, 1], bone bright, whatever the file stored. */

import { decodeBmp } from "./bmp";
import { decodeDicom } from "./dicom";
import { formatOf } from "./formats";
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
  const found = formatOf(bytes);
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
