/** The film with the evidence laid over it, in the colours of `osteo_edge.overlay`. */

import { enlarge, shrink } from "./raster/scaling";
import { fitted, toBytes } from "./plane";
import { roundHalfEven } from "./rounding";
import { unpackedBytes } from "./shared";
import type { ColourMap, Shared } from "./shared";
import type { GreyPicture, Plane, Screening } from "./types";

type Tables = Shared["overlay"]["colourMaps"];

/** What of a screening is drawn. */
export type Drawn = Pick<Screening, "picture" | "map">;

/** The film as it is shown: at most `longestPx` on a side, 0 to 255. */
export function greyPicture(pixels: Plane, longestPx: number): GreyPicture {
  const shown = shrink(pixels, ...fitted(pixels.height, pixels.width, longestPx));
  const grey = toBytes(shown.data, (value) => Math.trunc(Math.fround(value * 255)));
  return { height: shown.height, width: shown.width, grey: new Uint8ClampedArray(grey.buffer) };
}

/** The film with the evidence over it, the more opaque the stronger; `opacity` 0 is the film alone. */
export function paintOverlay(
  { picture, map }: Drawn,
  opacity: number,
  tables: Tables,
  colours: ColourMap = "viridis",
): ImageData {
  const { width, height, grey } = picture;
  const image = new ImageData(width, height);
  const strength = map && opacity > 0 ? enlarge(map, height, width).data : null;
  const table = unpackedBytes(tables[colours]);
  for (let place = 0; place < grey.length; place++) {
    const here = strength ? strength[place]! : 0;
    const alpha = opacity * veil(here);
    const colour = 3 * Math.trunc(Math.fround(here * 255));
    for (let channel = 0; channel < 3; channel++) {
      image.data[4 * place + channel] = Math.trunc(grey[place]! * (1 - alpha) + table[colour + channel]! * alpha);
    }
    image.data[4 * place + 3] = 255;
  }
  return image;
}

/** The evidence alone, to be laid over a film by a window; its alpha is that of an opacity of 1. */
export function layer(map: Plane, tables: Tables, colours: ColourMap = "viridis"): ImageData {
  const image = new ImageData(map.width, map.height);
  const table = unpackedBytes(tables[colours]);
  map.data.forEach((value, place) => {
    const colour = 3 * Math.trunc(Math.fround(value * 255));
    image.data.set(table.subarray(colour, colour + 3), 4 * place);
    image.data[4 * place + 3] = roundHalfEven(veil(value) * 255);
  });
  return image;
}

/** How much of the film the evidence hides: all of it from half the strongest on. */
function veil(strength: number): number {
  return Math.min(Math.max(strength * 2, 0), 1);
}
