/** How a picture is turned, as its camera noted (Exif 2.32, 4.6.4). */

export const ORIENTATION = 0x112;
export const UPRIGHT = 1;

/** The orientation, 1 to 8, in notes that begin as a TIFF file; 1 where they are damaged or say nothing of it. */
export function orientationOf(notes: Uint8Array): number {
  const view = new DataView(notes.buffer, notes.byteOffset, notes.byteLength);
  const mark = String.fromCharCode(...notes.subarray(0, 4));
  if (mark !== "II*\0" && mark !== "MM\0*") {
    return UPRIGHT;
  }
  const little = mark.startsWith("I");
  try {
    const at = view.getUint32(4, little);
    for (let entry = at + 2, left = view.getUint16(at, little); left > 0; left--, entry += 12) {
      if (view.getUint16(entry, little) === ORIENTATION) {
        const value = view.getUint16(entry + 8, little);
        return value >= 1 && value <= 8 ? value : UPRIGHT;
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) {
      throw error;
    }
  }
  return UPRIGHT;
}
