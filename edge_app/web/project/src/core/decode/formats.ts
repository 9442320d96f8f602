/** What kind of file bytes are, by the first of them. */

/** Offset, first bytes and name of the kinds of files that are told apart; those in small letters are read. */
const SIGNATURES: readonly (readonly [number, string, string])[] = [
  [128, "DICM", "dicom"],
  [0, "\x89PNG\r\n\x1a\n", "png"],
  [0, "\xff\xd8\xff", "jpeg"],
  [0, "BM", "bmp"],
  [0, "II*\0", "TIFF"],
  [0, "MM\0*", "TIFF"],
  [0, "GIF8", "GIF"],
  [8, "WEBP", "WebP"],
  [4, "ftypavif", "AVIF"],
  [4, "ftyp", "HEIC"],
  [0, "%PDF", "PDF"],
  [0, "PK\x03\x04", "ZIP"],
  [0, "II+\0", "BigTIFF"],
  [0, "MM\0+", "BigTIFF"],
  [4, "jP  \r\n", "JPEG 2000"],
];

/** The kind of a file, whatever its name says; undefined for one that is not known. */
export function formatOf(bytes: Uint8Array): string | undefined {
  const begins = (offset: number, mark: string) =>
    [...mark].every((letter, place) => bytes[offset + place] === letter.charCodeAt(0));
  return SIGNATURES.find(([offset, mark]) => begins(offset, mark))?.[2];
}
