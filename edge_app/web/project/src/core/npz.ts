/** Arrays that numpy saved together (numpy.lib.format, version 1): little-endian float16, float32 or float64. */

import { unzipSync } from "fflate";

/** Numbers by rows, whatever they were stored as. */
export interface NumberArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

const MAGIC = "\x93NUMPY";
const HEADER_AT = 10;

/** The arrays of an .npz file by their names; without those that are no numbers or are damaged. */
export function readArrays(bytes: Uint8Array): Map<string, NumberArray> {
  const arrays = new Map<string, NumberArray>();
  for (const [name, content] of Object.entries(unzipped(bytes))) {
    const array = readArray(content);
    if (array) {
      arrays.set(name.replace(/\.npy$/, ""), array);
    }
  }
  return arrays;
}

function unzipped(bytes: Uint8Array): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes);
  } catch {
    return {};
  }
}

function readArray(content: Uint8Array): NumberArray | null {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const text = (start: number, end: number) => String.fromCharCode(...content.subarray(start, end));
  if (content.length < HEADER_AT || text(0, MAGIC.length) !== MAGIC) {
    return null;
  }
  const start = HEADER_AT + view.getUint16(8, true);
  const header = /'descr': '<f([248])', 'fortran_order': False, 'shape': \(([\d, ]*)\)/.exec(text(HEADER_AT, start));
  if (!header) {
    return null;
  }
  const bytesEach = Number(header[1]);
  const shape = header[2]!.split(",").filter((side) => side.trim()).map(Number);
  const count = shape.reduce((product, side) => product * side, 1);
  if (content.length - start < count * bytesEach) {
    return null;
  }
  const read = (place: number) => readNumber(view, start + place * bytesEach, bytesEach);
  return { shape, data: Float64Array.from({ length: count }, (_, place) => read(place)) };
}

function readNumber(view: DataView, at: number, bytes: number): number {
  if (bytes === 2) {
    return fromHalf(view.getUint16(at, true));
  }
  return bytes === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true);
}

/** The number that 16 bits hold (IEEE 754, binary16). */
function fromHalf(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) {
    return fraction ? NaN : sign * Infinity;
  }
  return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -14 * (fraction / 1024);
}
