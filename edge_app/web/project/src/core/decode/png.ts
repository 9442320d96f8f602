/** PNG files (ISO/IEC 15948) of all kinds, in 8 and 16 bits, by fast-png. */

import { decode } from "fast-png";
import type { DecodedPng } from "fast-png";

import { orientationOf } from "./exif";
import { checkSize, damaged, inflated, joined } from "./limits";
import type { Reading } from "./limits";
import type { Samples } from "./samples";
import { turned } from "./samples";

const SIGNATURE_BYTES = 8;
const ZLIB_HEADER_BYTES = 2;
const ZLIB_CHECK_BYTES = 4;
/** Samples a pixel of each colour type (11.2.2). */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const PASSES = 7;
/** What an interlaced picture's passes may hold beside its samples: a byte at the end of each row, and its filter. */
const BYTES_PER_ROW = 2;

interface Chunk {
  readonly kind: string;
  readonly content: Uint8Array;
  readonly whole: Uint8Array;
}

/** The samples of a file, turned as its EXIF notes say; alpha is dropped. */
export function decodePng(bytes: Uint8Array, reading: Reading): Samples {
  const chunks = chunksOf(bytes);
  const header = chunks?.[0];
  if (!chunks || header?.kind !== "IHDR" || header.content.length < 13) {
    throw damaged("png", reading);
  }
  const view = new DataView(header.content.buffer, header.content.byteOffset);
  const [width, height, bits, kind] = [view.getUint32(0), view.getUint32(4), view.getUint8(8), view.getUint8(9)];
  checkSize(height, width, reading);
  checkFits(chunks, height, width, bits * (CHANNELS[kind] ?? 1), bytes.length, reading);
  const notes = chunks.find((chunk) => chunk.kind === "eXIf");
  try {
    const samples = opaque(decode(withoutAncillary(bytes, chunks), { checkCrc: true }));
    return turned(samples, notes ? orientationOf(notes.content) : 1);
  } catch {
    throw damaged("png", reading);
  }
}

/** The chunks up to the last; null where one does not lie in the file. */
function chunksOf(bytes: Uint8Array): Chunk[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE_BYTES; at + 8 <= bytes.length; ) {
    const end = at + 12 + view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (end > bytes.length) {
      return null;
    }
    chunks.push({ kind, content: bytes.subarray(at + 8, end - 4), whole: bytes.subarray(at, end) });
    if (kind === "IEND") {
      return chunks;
    }
    at = end;
  }
  return null;
}

/** Refuse a file that is too short for what it claims, or that inflates to more. */
function checkFits(chunks: Chunk[], height: number, width: number, bits: number, size: number, reading: Reading): void {
  const data = chunks.filter(({ kind }) => kind === "IDAT").map(({ content }) => content);
  const deflated = joined(data, data.reduce((sum, part) => sum + part.length, 0));
  const most = Math.ceil((height * width * bits) / 8) + PASSES * BYTES_PER_ROW * height;
  const claimed = height * width * bits > reading.limits.mostBitsPerByte.png * size;
  if (claimed || !inflated(deflated.subarray(ZLIB_HEADER_BYTES, -ZLIB_CHECK_BYTES), most)) {
    throw damaged("png", reading);
  }
}

/** The file without the chunks that the picture does not need: a colour profile may swell. */
function withoutAncillary(bytes: Uint8Array, chunks: Chunk[]): Uint8Array {
  const kept = chunks.filter(({ kind }) => kind[0]! < "a").map(({ whole }) => whole);
  const parts = [bytes.subarray(0, SIGNATURE_BYTES), ...kept];
  return joined(parts, parts.reduce((sum, part) => sum + part.length, 0));
}

function opaque(png: DecodedPng): Samples {
  const { height, width } = png;
  if (png.palette) {
    return lookedUp(unpacked(png, false), height, width, png.palette);
  }
  const data = png.depth < 8 ? unpacked(png, true) : (png.data as Uint8Array | Uint16Array);
  const channels = png.channels < 3 ? 1 : 3;
  if (png.channels === channels) {
    return { height, width, channels, data };
  }
  const kept = new (png.depth === 16 ? Uint16Array : Uint8Array)(height * width * channels);
  kept.forEach((_, place) => {
    kept[place] = data[Math.floor(place / channels) * png.channels + (place % channels)]!;
  });
  return { height, width, channels, data: kept };
}

/** One sample a byte; 1, 2 and 4 bits are spread over 0 to 255 where they are grey. */
function unpacked({ height, width, depth, data }: DecodedPng, isGrey: boolean): Uint8Array {
  if (depth === 8) {
    return data as Uint8Array;
  }
  const [mask, perRow] = [2 ** depth - 1, Math.ceil((width * depth) / 8)];
  const samples = new Uint8Array(height * width);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const bit = column * depth;
      const value = (data[row * perRow + (bit >> 3)]! >> (8 - depth - (bit & 7))) & mask;
      samples[row * width + column] = isGrey ? (value * 255) / mask : value;
    }
  }
  return samples;
}

function lookedUp(places: Uint8Array, height: number, width: number, palette: number[][]): Samples {
  const data = new Uint8Array(3 * places.length);
  places.forEach((place, pixel) => data.set((palette[place] ?? [0, 0, 0]).slice(0, 3), 3 * pixel));
  return { height, width, channels: 3, data };
}
