/** The stored values of a DICOM image, uncompressed or in one of the compressions that are read here. */

import dicomParser from "dicom-parser";
import type { DataSet } from "dicom-parser";
import { Decoder as LosslessDecoder } from "jpeg-lossless-decoder-js";

import { openDecoder } from "./codecs";
import { decodeFrame } from "./jpeg";
import { damaged } from "./limits";
import type { Reading } from "./limits";
import { ScreeningError } from "../types";

export type Stored = Uint8Array | Int8Array | Uint16Array | Int16Array;

/** Values (height, width), or (height, width, 3) in colour, by rows. */
export interface Frame {
  readonly height: number;
  readonly width: number;
  readonly data: Stored;
}

/** How the data set says that the values are stored. */
interface Claim {
  readonly height: number;
  readonly width: number;
  readonly samples: number;
  readonly bytesEach: 1 | 2;
  readonly bitsStored: number;
  readonly isSigned: boolean;
}

const BIG_ENDIAN = "1.2.840.10008.1.2.2";
const UNCOMPRESSED = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", BIG_ENDIAN];
const RUN_LENGTH = "1.2.840.10008.1.2.5";
/** JPEG of 8 bits; lossless JPEG; JPEG-LS; JPEG 2000 (PS3.5 section 10). */
const JPEG = ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"];
const LOSSLESS_JPEG = ["1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"];
const JPEG_LS = ["1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"];
const JPEG_2000 = ["1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"];
const NO_FRAME = [0xc4, 0xc8, 0xcc];
const RUN_HEADER_BYTES = 64;

/** The values of the image; ScreeningError for a compression that is not read here, and for damage. */
export async function samplesOf(dataset: DataSet, syntax: string, reading: Reading): Promise<Frame> {
  const claim = claimOf(dataset, reading);
  const { height, width } = claim;
  if (UNCOMPRESSED.includes(syntax)) {
    return { height, width, data: uncompressed(dataset, claim, syntax === BIG_ENDIAN) };
  }
  const element = dataset.elements["x7fe00010"]!;
  const fragments = element.fragments ?? [];
  const frame = dicomParser.readEncapsulatedPixelDataFromFragments(dataset, element, 0, fragments.length);
  const bytes = Uint8Array.from(frame);
  if (syntax === RUN_LENGTH) {
    return { height, width, data: runLengthDecoded(bytes, claim, reading) };
  }
  if (JPEG.includes(syntax) && claim.bitsStored <= 8) {
    checkFrame(bytes, claim, reading);
    return { height, width, data: (await decodeFrame(bytes, "dicom", reading)).data };
  }
  if (LOSSLESS_JPEG.includes(syntax)) {
    checkFrame(bytes, claim, reading);
    const data = new LosslessDecoder().decode(bytes.buffer, 0, bytes.length, claim.bytesEach);
    return { height, width, data: asStored(new Uint8Array(data.buffer), claim) };
  }
  if (JPEG_LS.includes(syntax) || JPEG_2000.includes(syntax)) {
    const kind = JPEG_LS.includes(syntax) ? "jpeg-ls" : "jpeg-2000";
    return { height, width, data: await byCodec(kind, bytes, claim, reading) };
  }
  const name = reading.transferSyntaxes[syntax] ?? reading.line("an unknown transfer syntax");
  throw new ScreeningError(reading.line("compressed as {name}", { name }));
}

function claimOf(dataset: DataSet, reading: Reading): Claim {
  const bitsAllocated = dataset.uint16("x00280100");
  if (bitsAllocated !== 8 && bitsAllocated !== 16) {
    throw new ScreeningError(reading.line("neither a grey nor a colour image"));
  }
  return {
    height: dataset.uint16("x00280010")!,
    width: dataset.uint16("x00280011")!,
    samples: dataset.uint16("x00280002") ?? 1,
    bytesEach: bitsAllocated === 8 ? 1 : 2,
    bitsStored: dataset.uint16("x00280101") ?? bitsAllocated,
    isSigned: dataset.uint16("x00280103") === 1,
  };
}

function uncompressed(dataset: DataSet, claim: Claim, isBigEndian: boolean): Stored {
  const { dataOffset, length, vr } = dataset.elements["x7fe00010"]!;
  const wanted = claim.height * claim.width * claim.samples * claim.bytesEach;
  if (length < wanted || dataOffset + wanted > dataset.byteArray.length) {
    throw new RangeError("fewer values than pixels");
  }
  const even = wanted + (wanted % 2);
  const bytes = Uint8Array.from(dataset.byteArray.subarray(dataOffset, dataOffset + even));
  if (isBigEndian && (claim.bytesEach === 2 || vr === "OW")) {
    swapPairs(bytes);
  }
  const isByPlanes = claim.samples === 3 && dataset.uint16("x00280006") === 1;
  const stored = asStored(bytes.subarray(0, wanted), claim);
  const shown = isByPlanes ? interleaved(stored, claim) : stored;
  return (dataset.string("x00280004") ?? "").startsWith("YBR_FULL") ? toRgb(shown) : shown;
}

function swapPairs(bytes: Uint8Array): void {
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    const first = bytes[at]!;
    bytes[at] = bytes[at + 1]!;
    bytes[at + 1] = first;
  }
}

/** Little-endian bytes as what the data set says that they are. */
function asStored(bytes: Uint8Array, { bytesEach, bitsStored, isSigned }: Claim): Stored {
  const { buffer } = bytes.slice();
  if (bytesEach === 1) {
    return isSigned ? new Int8Array(buffer) : new Uint8Array(buffer);
  }
  const values = new Uint16Array(buffer);
  const unused = 16 - bitsStored;
  return isSigned ? Int16Array.from(values, (value) => ((value << 16) << unused) >> (16 + unused)) : values;
}

/** Planes of red, green and blue as pixels. */
function interleaved(planes: Stored, { height, width }: Claim): Stored {
  const pixels = planes.slice();
  const size = height * width;
  for (let place = 0; place < size; place++) {
    for (let channel = 0; channel < 3; channel++) {
      pixels[3 * place + channel] = planes[channel * size + place]!;
    }
  }
  return pixels;
}

/** Red, green and blue of brightness and two differences of colour of 8 bits (PS3.3 C.7.6.3.1.2). */
function toRgb(pixels: Stored): Stored {
  const colours = Uint8ClampedArray.from(pixels);
  for (let at = 0; at < pixels.length; at += 3) {
    const [bright, blue, red] = [pixels[at]!, pixels[at + 1]! - 128, pixels[at + 2]! - 128];
    colours[at] = bright + 1.402 * red;
    colours[at + 1] = bright - (0.114 * 1.772 * blue + 0.299 * 1.402 * red) / 0.587;
    colours[at + 2] = bright + 1.772 * blue;
  }
  return new Uint8Array(colours.buffer);
}

/** Segments of a byte of each sample, the highest first, each of runs (PS3.5 annex G). */
function runLengthDecoded(bytes: Uint8Array, claim: Claim, reading: Reading): Stored {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { samples, bytesEach } = claim;
  const count = view.getUint32(0, true);
  if (count !== samples * bytesEach || bytes.length < RUN_HEADER_BYTES) {
    throw damaged("dicom", reading);
  }
  const size = claim.height * claim.width;
  const values = new Uint8Array(size * count);
  for (let segment = 0; segment < count; segment++) {
    const start = view.getUint32(4 + 4 * segment, true);
    const end = segment + 1 < count ? view.getUint32(8 + 4 * segment, true) : bytes.length;
    const [sample, byte] = [Math.floor(segment / bytesEach), bytesEach - 1 - (segment % bytesEach)];
    if (!expandRuns(bytes.subarray(start, end), values, sample * bytesEach + byte, count, size)) {
      throw damaged("dicom", reading);
    }
  }
  return asStored(values, claim);
}

/** Put a byte at every `step`th place from `to` on, `size` of them; whether there were as many. */
function expandRuns(runs: Uint8Array, values: Uint8Array, to: number, step: number, size: number): boolean {
  let [at, found] = [0, 0];
  while (at < runs.length && found < size) {
    const run = runs[at]!;
    const isCopied = run < 128;
    const length = isCopied ? run + 1 : run > 128 ? 257 - run : 0;
    for (let place = 0; place < length && found < size; place++, found++) {
      values[to + found * step] = runs[at + 1 + (isCopied ? place : 0)] ?? 0;
    }
    at += isCopied ? run + 2 : run > 128 ? 2 : 1;
  }
  return found === size;
}

/** ScreeningError unless the frame is of the size that the data set around it claims. */
function checkFrame(bytes: Uint8Array, claim: Claim, reading: Reading): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2;
  for (;;) {
    const marker = view.getUint8(at + 1);
    if (marker >= 0xc0 && marker <= 0xcf && !NO_FRAME.includes(marker)) {
      break;
    }
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  const [height, width, samples] = [view.getUint16(at + 5), view.getUint16(at + 7), view.getUint8(at + 9)];
  if (height !== claim.height || width !== claim.width || samples !== claim.samples) {
    throw damaged("dicom", reading);
  }
}

async function byCodec(
  kind: "jpeg-ls" | "jpeg-2000",
  bytes: Uint8Array,
  claim: Claim,
  reading: Reading,
): Promise<Stored> {
  const decoder = await openDecoder(kind);
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const { height, width, componentCount, bitsPerSample } = decoder.getFrameInfo();
    if (height !== claim.height || width !== claim.width || componentCount !== claim.samples) {
      throw damaged("dicom", reading);
    }
    const decoded = decoder.getDecodedBuffer().slice();
    const bytesEach = bitsPerSample > 8 ? 2 : 1;
    return asStored(decoded, { ...claim, bytesEach });
  } finally {
    decoder.delete();
  }
}
