/** JPEG files (ITU-T T.81) by libjpeg-turbo, as OpenCV has it: browsers differ in their pixels and let damage pass. */

import { orientationOf } from "./exif";
import { checkSize, damaged, unsupported } from "./limits";
import type { Reading } from "./limits";
import { openDecoder } from "./codecs";
import type { Samples } from "./samples";
import { turned } from "./samples";
import { ScreeningError } from "../types";
import type { FileFormat } from "../types";

const [START_OF_SCAN, NOTES, FILLING] = [0xda, 0xe1, 0xff];
/** Markers from 0xc0 to 0xcf that are no frame headers: tables, a reserved one, conditioning. */
const NO_FRAME = [0xc4, 0xc8, 0xcc];

interface Headers {
  readonly bits: number;
  readonly height: number;
  readonly width: number;
  readonly orientation: number;
  /** Where the first scan's header begins. */
  readonly scan: number;
}

/** The samples of a file, turned as its EXIF notes say. */
export async function decodeJpeg(bytes: Uint8Array, reading: Reading): Promise<Samples> {
  const headers = readHeaders(bytes);
  if (headers && count(bytes, 0xff, START_OF_SCAN) > reading.limits.maxScans) {
    throw new ScreeningError(reading.line("more than {max_scans} scans", { max_scans: reading.limits.maxScans }));
  }
  if (!headers || find(bytes, 0xff, 0xd9, headers.scan) < 0) {
    throw damaged("jpeg", reading);
  }
  if (headers.bits !== 8) {
    throw new ScreeningError(reading.line("{bits}-bit JPEG files", { bits: headers.bits }));
  }
  checkSize(headers.height, headers.width, reading);
  if (headers.height * headers.width > reading.limits.mostJpegPixelsPerByte * bytes.length) {
    throw damaged("jpeg", reading);
  }
  return turned(await decodeFrame(bytes, "jpeg", reading), headers.orientation);
}

/** The samples of a baseline or progressive frame of 8 bits, as they are stored in a file of this format. */
export async function decodeFrame(bytes: Uint8Array, format: FileFormat, reading: Reading): Promise<Samples> {
  const decoder = await openDecoder("jpeg");
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const { width, height, componentCount } = decoder.getFrameInfo();
    if (componentCount !== 1 && componentCount !== 3) {
      throw unsupported("CMYK JPEG", reading);
    }
    return { height, width, channels: componentCount, data: decoder.getDecodedBuffer().slice() };
  } catch (error) {
    throw error instanceof ScreeningError ? error : damaged(format, reading);
  } finally {
    decoder.delete();
  }
}

/** What stands before the first scan; null where that is cut short. */
function readHeaders(bytes: Uint8Array): Headers | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: { bits: number; height: number; width: number } | null = null;
  let orientation: number | null = null;
  try {
    let at = 2;
    for (let marker = view.getUint8(at + 1); marker !== START_OF_SCAN; marker = view.getUint8(at + 1)) {
      const length = view.getUint16(at + 2);
      if (marker >= 0xc0 && marker <= 0xcf && !NO_FRAME.includes(marker)) {
        frame = { bits: view.getUint8(at + 4), height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
      } else if (marker === NOTES) {
        orientation ??= exifIn(bytes.subarray(at + 4, at + 2 + length));
      }
      at += marker === FILLING ? 1 : 2 + length;
    }
    return frame && { ...frame, orientation: orientation ?? 1, scan: at };
  } catch {
    return null;
  }
}

function exifIn(segment: Uint8Array): number | null {
  return String.fromCharCode(...segment.subarray(0, 6)) === "Exif\0\0" ? orientationOf(segment.subarray(6)) : null;
}

function find(bytes: Uint8Array, first: number, second: number, from: number): number {
  let at = bytes.indexOf(first, from);
  while (at >= 0 && bytes[at + 1] !== second) {
    at = bytes.indexOf(first, at + 1);
  }
  return at;
}

function count(bytes: Uint8Array, first: number, second: number): number {
  let found = 0;
  for (let at = find(bytes, first, second, 0); at >= 0; at = find(bytes, first, second, at + 2)) {
    found++;
  }
  return found;
}
