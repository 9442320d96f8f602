/** Evidence as a grey PNG file of 8 bits: some kilobytes, from which any overlay can be drawn anew. */

import { decode, encode } from "fast-png";

import { roundHalfEven } from "../core/rounding";
import { sha256 } from "../core/sha256";
import type { Plane } from "../core/types";
import type { Picture } from "./entry";

const MAX_SIDE_PX = 1024;

/** The file of an evidence in [0, 1]. */
export function encodeEvidence(evidence: Plane): Picture {
  const data = Uint8Array.from(evidence.data, (value) => roundHalfEven(255 * Math.min(1, Math.max(0, value))));
  const bytes = new Uint8Array(encode({ width: evidence.width, height: evidence.height, data, depth: 8, channels: 1 }));
  return { sha256: sha256(bytes), suffix: ".png", bytes };
}

/** The evidence of such a file; throws for any other. */
export function decodeEvidence(bytes: Uint8Array): Plane {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (header.getUint32(16) > MAX_SIDE_PX || header.getUint32(20) > MAX_SIDE_PX) throw new Error("too large");
  const picture = decode(bytes);
  if (picture.channels !== 1 || picture.depth !== 8) throw new Error("no evidence");
  return {
    width: picture.width,
    height: picture.height,
    data: Float32Array.from(picture.data, (value) => value / 255),
  };
}
