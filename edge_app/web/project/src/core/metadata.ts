/**
 * What is no picture leaves an image file: camera notes, places, names, comments, small copies. No pixel is touched.
 *
 * The bytes are those of `osteo_edge.metadata`, which says more of it.
 */

import { crc32, joined } from "./bytes";
import { ORIENTATION, orientationOf, UPRIGHT } from "./decode/exif";

export type Raster = "jpeg" | "png" | "bmp";

const EXIF = ascii("Exif\0\0");
const [JPEG_START, JPEG_END] = [Uint8Array.of(0xff, 0xd8), Uint8Array.of(0xff, 0xd9)];
const [FILLING, COMMENT, START_OF_SCAN, END_OF_IMAGE] = [0xff, 0xfe, 0xda, 0xd9];
const [JFIF, NOTES, HP, ADOBE] = [0xe0, 0xe1, 0xe8, 0xee];
const [FIRST_APPLICATION, LAST_APPLICATION] = [0xe0, 0xef];
const [FIRST_RESTART, LAST_RESTART] = [0xd0, 0xd7];
/** Below it, what follows 0xFF belongs to the coded samples (ITU-T T.81, B.1.1.2, and T.87, A.1). */
const FIRST_MARKER = 0x80;
/** The fixed part of each; a small copy of the picture may follow in the first. */
const [JFIF_BYTES, ADOBE_BYTES] = [14, 12];
const COLOURS_BYTES = 9;

const PNG_SIGNATURE = ascii("\x89PNG\r\n\x1a\n");
const PNG_CHUNKS = ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"];

const FILE_HEADER_BYTES = 14;
const [INFO_HEADER_BYTES, MASKED, MASKS_BYTES] = [40, 3, 12];
/** Where in a file header and colour description begin to say more than sizes and masks. */
const MASKS_END = FILE_HEADER_BYTES + INFO_HEADER_BYTES + 16;

const CLEANERS: Readonly<Record<Raster, (bytes: Uint8Array) => Uint8Array<ArrayBuffer>>> = {
  jpeg: jpegWithoutMetadata,
  png: pngWithoutMetadata,
  bmp: bmpWithoutMetadata,
};

/**
 * The same picture, with nothing but the picture and how it is turned; null where the parts of the file cannot be told
 * apart. Decoded samples are the same, bit by bit. The file must be one that could be decoded.
 */
export function withoutMetadata(bytes: Uint8Array, format: Raster): Uint8Array<ArrayBuffer> | null {
  try {
    return CLEANERS[format](bytes);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Tables, frame and scans, and the orientation if it is not upright. */
function jpegWithoutMetadata(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const kept: Uint8Array[] = [];
  let orientation = UPRIGHT;
  for (const [marker, segment] of jpegSegments(bytes)) {
    if (marker === NOTES && orientation === UPRIGHT && holds(segment, 4, EXIF)) {
      orientation = orientationOf(segment.subarray(4 + EXIF.length));
    }
    const part = keptSegment(marker, segment);
    if (part !== null) kept.push(part);
  }
  if (orientation !== UPRIGHT) {
    const notes = joined([EXIF, notesOf(orientation)]);
    const at = kept[0]?.[1] === JFIF ? 1 : 0;
    kept.splice(at, 0, joined([Uint8Array.of(0xff, NOTES, 0, 2 + notes.length), notes]));
  }
  return joined([JPEG_START, ...kept, JPEG_END]);
}

/** Marker and bytes of each segment up to the end of the image; those of a scan with the samples that follow. */
function* jpegSegments(bytes: Uint8Array): Generator<readonly [number, Uint8Array]> {
  const view = viewOf(bytes);
  for (let at = 2; ; ) {
    if (view.getUint8(at) !== 0xff) throw new RangeError("no marker where one must be");
    const marker = view.getUint8(at + 1);
    if (marker === END_OF_IMAGE) return;
    if (marker === FILLING) {
      at += 1;
      continue;
    }
    let end = at + 2 + view.getUint16(at + 2);
    if (marker === START_OF_SCAN) end = endOfScan(bytes, view, end);
    yield [marker, bytes.subarray(at, end)];
    at = end;
  }
}

/** Where the marker after the coded samples is. */
function endOfScan(bytes: Uint8Array, view: DataView, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at)) {
    const following = view.getUint8(at + 1);
    const isRestart = following >= FIRST_RESTART && following <= LAST_RESTART;
    if (following >= FIRST_MARKER && !isRestart && following !== FILLING) return at;
    at += following === FILLING ? 1 : 2;
  }
  throw new RangeError("no marker after the samples");
}

function keptSegment(marker: number, segment: Uint8Array): Uint8Array | null {
  if (marker === JFIF && holds(segment, 4, ascii("JFIF\0"))) {
    const header = Uint8Array.of(0xff, JFIF, 0, 2 + JFIF_BYTES);
    return joined([header, segment.subarray(4, 2 + JFIF_BYTES), new Uint8Array(2)]);
  }
  if (marker === ADOBE && holds(segment, 4, ascii("Adobe"))) {
    return joined([Uint8Array.of(0xff, ADOBE, 0, 2 + ADOBE_BYTES), segment.subarray(4, 4 + ADOBE_BYTES)]);
  }
  if (marker === HP && holds(segment, 4, ascii("mrfx"))) return segment.subarray(0, COLOURS_BYTES);
  const isApplication = marker >= FIRST_APPLICATION && marker <= LAST_APPLICATION;
  return isApplication || marker === COMMENT ? null : segment;
}

/** Camera notes that say how the picture is turned, and nothing else (Exif 2.32, 4.6.4). */
function notesOf(orientation: number): Uint8Array {
  const notes = new DataView(new ArrayBuffer(26));
  notes.setUint32(0, 0x4d4d002a);
  notes.setUint32(4, 8);
  [1, ORIENTATION, 3, 0, 1, orientation].forEach((value, place) => notes.setUint16(8 + 2 * place, value));
  return new Uint8Array(notes.buffer);
}

function pngWithoutMetadata(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const kept: Uint8Array[] = [];
  let orientation = UPRIGHT;
  for (const [kind, chunk] of pngChunks(bytes)) {
    if (kind === "eXIf") {
      const notes = chunk.subarray(8, -4);
      orientation = orientationOf(holds(notes, 0, EXIF) ? notes.subarray(EXIF.length) : notes);
    } else if (PNG_CHUNKS.includes(kind)) {
      kept.push(chunk);
    }
  }
  if (orientation !== UPRIGHT) {
    const notes = joined([ascii("eXIf"), notesOf(orientation)]);
    kept.splice(1, 0, joined([bigEndian(notes.length - 4), notes, bigEndian(crc32(notes))]));
  }
  return joined([PNG_SIGNATURE, ...kept]);
}

/** Kind and bytes of each chunk to the last one; what follows that is no part of the picture. */
function* pngChunks(bytes: Uint8Array): Generator<readonly [string, Uint8Array]> {
  const view = viewOf(bytes);
  let kind = "";
  for (let at = PNG_SIGNATURE.length; kind !== "IEND"; ) {
    const end = at + 12 + view.getUint32(at);
    kind = [4, 5, 6, 7].map((place) => String.fromCharCode(view.getUint8(at + place))).join("");
    yield [kind, bytes.subarray(at, end)];
    at = end;
  }
}

/** Header, colours and pixels at their places; what lies between and behind becomes 0 or is cut off. */
function bmpWithoutMetadata(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const view = viewOf(bytes);
  const [pixelsAt, headerBytes] = [view.getUint32(10, true), view.getUint32(14, true)];
  const [width, height] = [view.getInt32(18, true), view.getInt32(22, true)];
  const [bits, compression, colours] = [view.getUint16(28, true), view.getUint32(30, true), view.getUint32(46, true)];
  const headerEnd = FILE_HEADER_BYTES + headerBytes;
  const masksBytes = headerBytes === INFO_HEADER_BYTES && compression === MASKED ? MASKS_BYTES : 0;
  const coloursAt = headerEnd + masksBytes;
  const coloursEnd = coloursAt + 4 * Math.min(256, colours || (bits <= 8 ? 2 ** bits : 0));
  const end = pixelsAt + Math.floor((width * bits + 31) / 32) * 4 * Math.abs(height);
  const kept = bytes.slice(0, end);
  const keptView = viewOf(kept);
  keptView.setUint32(2, kept.length, true);
  keptView.setUint32(6, 0);
  for (const [first, last] of [
    [MASKS_END, headerEnd],
    [coloursEnd, pixelsAt],
  ] as const) {
    if (first < last && last <= kept.length) kept.fill(0, first, last);
  }
  return kept;
}

/** Whether the bytes have these at that place. */
function holds(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  return wanted.every((byte, place) => bytes[at + place] === byte);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bigEndian(value: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setUint32(0, value);
  return new Uint8Array(bytes.buffer);
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
