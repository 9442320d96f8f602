/** What is kept of a film: the picture, and nobody's name, date or place with it. */

import { formatOf } from "../core/decode/formats";
import { withoutMetadata, type Raster } from "../core/metadata";
import { sha256 } from "../core/sha256";
import type { Film } from "./drafts";

/** The bytes of an image file that tell of nobody, and its suffix. */
export interface KeptFilm {
  readonly suffix: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const SUFFIXES: Readonly<Record<Raster, string>> = { jpeg: ".jpg", png: ".png", bmp: ".bmp" };

/**
 * The picture in a PNG, JPEG or BMP file that can be decoded, with the same samples; null for every other file, and
 * where its parts cannot be told apart.
 */
export function keptRaster(bytes: Uint8Array): KeptFilm | null {
  const format = formatOf(bytes);
  if (format !== "jpeg" && format !== "png" && format !== "bmp") return null;
  const kept = withoutMetadata(bytes, format);
  return kept && { suffix: SUFFIXES[format], bytes: kept };
}

/** A film as a form keeps it, under a name that is not its file's. */
export function filmOf({ suffix, bytes }: KeptFilm, film: Film): Film {
  return {
    name: `film${suffix}`,
    bytes,
    isPhoto: film.isPhoto,
    cameAs: film.cameAs ?? sha256(film.bytes),
  };
}
