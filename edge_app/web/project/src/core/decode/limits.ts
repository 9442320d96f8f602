/** What a decoder may be given: sides of a radiograph, and no more bytes than the file can hold. */

import { Inflate } from "fflate";

import type { Line } from "../messages";
import type { FileLimits, Shared } from "../shared";
import { ScreeningError } from "../types";
import type { FileFormat } from "../types";

const PUSHED_BYTES = 1 << 16;

/** What a decoder needs to know beside the bytes. */
export interface Reading {
  readonly limits: FileLimits;
  readonly transferSyntaxes: Shared["transferSyntaxes"];
  readonly line: Line;
}

/** ScreeningError unless the sides, in pixels, are those of a radiograph; to be called before decoding. */
export function checkSize(height: number, width: number, { limits, line }: Reading): void {
  const { minSidePx, maxSidePx, maxPixels } = limits;
  const problem =
    Math.min(height, width) < minSidePx
      ? line("too small for a radiograph", { min_side_px: minSidePx })
      : line("too large (", { max_side_px: maxSidePx, max_pixels: maxPixels / 1e6 });
  if (Math.min(height, width) < minSidePx || Math.max(height, width) > maxSidePx || height * width > maxPixels) {
    throw new ScreeningError(line("{width} x {height} pixels is", { width, height, problem }));
  }
}

/** The error for a file that is cut short or altered. */
export function damaged(format: FileFormat, { line }: Reading): ScreeningError {
  return new ScreeningError(line("the {file_format} data are damaged", { file_format: format.toUpperCase() }));
}

/** The error for a kind of file that is not read here. */
export function unsupported(name: string, { line }: Reading): ScreeningError {
  return new ScreeningError(line("{name} files are not supported", { name }));
}

/** Inflate raw deflated bytes to `most` bytes at most; null where there are more, or the bytes are damaged. */
export function inflated(deflated: Uint8Array, most: number): Uint8Array | null {
  const parts: Uint8Array[] = [];
  let [length, isDone] = [0, false];
  const inflate = new Inflate((part, isLast) => {
    length += part.length;
    isDone = isLast;
    parts.push(part);
  });
  try {
    for (let at = 0; at < deflated.length && length <= most; at += PUSHED_BYTES) {
      inflate.push(deflated.subarray(at, at + PUSHED_BYTES), at + PUSHED_BYTES >= deflated.length);
    }
  } catch {
    return null;
  }
  return isDone && length <= most ? joined(parts, length) : null;
}

export function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  parts.reduce((at, part) => {
    whole.set(part, at);
    return at + part.length;
  }, 0);
  return whole;
}
