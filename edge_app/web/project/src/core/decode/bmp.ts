/** BMP files: Windows DIB of 8 bits with a palette, or 24 and 32 bits, uncompressed. */

import { checkSize, damaged, unsupported } from "./limits";
import type { Reading } from "./limits";
import type { Samples } from "./samples";
import { ScreeningError } from "../types";

const LEAST_HEADER_BYTES = 40;
const FILE_HEADER_BYTES = 14;

/** The samples of a file; a negative height means rows from the top. */
export function decodeBmp(bytes: Uint8Array, reading: Reading): Samples {
  if (bytes.length < FILE_HEADER_BYTES + LEAST_HEADER_BYTES) {
    throw damaged("bmp", reading);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [start, headerBytes] = [view.getUint32(10, true), view.getUint32(14, true)];
  const [width, signedHeight] = [view.getInt32(18, true), view.getInt32(22, true)];
  const [bits, compression] = [view.getUint16(28, true), view.getUint32(30, true)];
  if (headerBytes < LEAST_HEADER_BYTES || ![0, 3].includes(compression)) {
    throw new ScreeningError(reading.line("compressed and OS/2 BMP"));
  }
  const height = Math.abs(signedHeight);
  checkSize(height, width, reading);
  if (![8, 24, 32].includes(bits) || compression === 3) {
    throw unsupported(`${bits}-bit BMP`, reading);
  }
  const rowBytes = Math.floor((width * bits + 31) / 32) * 4;
  if (start + rowBytes * height > bytes.length) {
    throw damaged("bmp", reading);
  }
  const fromTop = (row: number) => (signedHeight < 0 ? row : height - 1 - row);
  const rows = Array.from({ length: height }, (_, row) => start + rowBytes * fromTop(row));
  const colour = bits === 8 ? paletteOf(view, FILE_HEADER_BYTES + headerBytes, start) : null;
  const isGrey = colour?.every(([red, green, blue], place) => red === place && green === place && blue === place);
  const channels = isGrey ? 1 : 3;
  const data = new Uint8Array(height * width * channels);
  rows.forEach((from, row) => {
    for (let column = 0, to = row * width * channels; column < width; column++, to += channels) {
      const at = from + (column * bits) / 8;
      const found = colour ? (colour[bytes[at]!] ?? [0, 0, 0]) : [bytes[at + 2]!, bytes[at + 1]!, bytes[at]!];
      data.set(isGrey ? [bytes[at]!] : found, to);
    }
  });
  return { height, width, channels, data };
}

/** Red, green and blue of each place. */
function paletteOf(view: DataView, from: number, to: number): number[][] {
  const entries = Math.min(256, Math.floor((to - from) / 4));
  return Array.from({ length: entries }, (_, place) =>
    [2, 1, 0].map((channel) => view.getUint8(from + 4 * place + channel)),
  );
}
