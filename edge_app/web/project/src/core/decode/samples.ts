/** The samples of a decoded file, before they become grey in [0, 1]. */

import { plane } from "../plane";
import type { Shared } from "../shared";
import type { Plane } from "../types";

/** Grey (height, width) or red, green, blue (height, width, 3) by rows, as stored. */
export interface Samples {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array | Uint16Array;
}

/** Grey in [0, 1], and the mean over the pixels of the largest less the smallest colour channel, in [0, 1]. */
export interface GreyAndChroma {
  readonly pixels: Plane;
  readonly chroma: number;
}

/** Luminance (ITU-R BT.601) in the whole numbers of the stored samples, over the value that means full brightness. */
export function greyAndChroma(samples: Samples, fullScale: number, luminance: Shared["luminance"]): GreyAndChroma {
  const { height, width, channels, data } = samples;
  const pixels = plane(height, width);
  if (channels === 1) {
    pixels.data.forEach((_, place) => (pixels.data[place] = data[place]! / fullScale));
    return { pixels, chroma: 0 };
  }
  const { bits, weights: [blueShare, greenShare, redShare] } = luminance;
  let spread = 0;
  for (let place = 0, at = 0; place < pixels.data.length; place++, at += 3) {
    const red = data[at]!;
    const green = data[at + 1]!;
    const blue = data[at + 2]!;
    const bright = blue * blueShare + green * greenShare + red * redShare;
    pixels.data[place] = Math.floor((bright + 2 ** (bits - 1)) / 2 ** bits) / fullScale;
    spread += Math.max(red, green, blue) - Math.min(red, green, blue);
  }
  return { pixels, chroma: spread / pixels.data.length / fullScale };
}

/** The value that means full brightness: of 16 bits, only those in use count, so that 12-bit data are not dark. */
export function fullScaleOf({ data }: Samples): number {
  if (data instanceof Uint8Array) {
    return 255;
  }
  const most = data.reduce((one, other) => Math.max(one, other), 0);
  return 2 ** Math.max(8, 32 - Math.clz32(most)) - 1;
}

/** The samples as EXIF's orientation, 1 to 8, says they are seen (Exif 2.32, 4.6.4). */
export function turned(samples: Samples, orientation: number): Samples {
  if (orientation < 2 || orientation > 8) {
    return samples;
  }
  const { channels } = samples;
  const isSideways = orientation > 4;
  const [height, width] = isSideways ? [samples.width, samples.height] : [samples.height, samples.width];
  const isMirrored = [2, 3, 6, 7].includes(orientation);
  const isUpsideDown = [3, 4, 7, 8].includes(orientation);
  const data = samples.data.slice();
  for (let row = 0, to = 0; row < height; row++) {
    const y = isUpsideDown ? height - 1 - row : row;
    for (let column = 0; column < width; column++, to += channels) {
      const x = isMirrored ? width - 1 - column : column;
      const from = (isSideways ? x * samples.width + y : y * samples.width + x) * channels;
      for (let channel = 0; channel < channels; channel++) {
        data[to + channel] = samples.data[from + channel]!;
      }
    }
  }
  return { height, width, channels, data };
}
