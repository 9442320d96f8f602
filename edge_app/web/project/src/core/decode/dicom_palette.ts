/** The colour tables of DICOM's PALETTE COLOR (PS3.3 C.7.9.2); not those that are written in segments. */

import type { DataSet } from "dicom-parser";

import type { Stored } from "./dicom_frames";

const DESCRIPTORS = ["x00281101", "x00281102", "x00281103"];
const TABLES = ["x00281201", "x00281202", "x00281203"];

/** Red, green and blue of each stored value; what lies outside takes the nearest entry. RangeError without tables. */
export function lookedUp(dataset: DataSet, stored: Stored): Uint8Array | Uint16Array {
  const bits = dataset.uint16(DESCRIPTORS[0]!, 2);
  const first = dataset.uint16(DESCRIPTORS[0]!, 1) ?? 0;
  const tables = TABLES.map((tag) => tableOf(dataset, tag, bits === 8));
  const length = Math.min(...tables.map((table) => table.length));
  const colours = bits === 8 ? new Uint8Array(3 * stored.length) : new Uint16Array(3 * stored.length);
  stored.forEach((value, pixel) => {
    const place = Math.min(Math.max(value - first, 0), length - 1);
    tables.forEach((table, channel) => (colours[3 * pixel + channel] = table[place]!));
  });
  return colours;
}

function tableOf(dataset: DataSet, tag: string, isOfBytes: boolean): number[] {
  const element = dataset.elements[tag];
  if (!element?.length) {
    throw new RangeError(`${tag} is missing`);
  }
  const { dataOffset, length } = element;
  return isOfBytes
    ? Array.from(dataset.byteArray.subarray(dataOffset, dataOffset + length))
    : Array.from({ length: length / 2 }, (_, place) => dataset.uint16(tag, place)!);
}
