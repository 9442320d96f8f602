/** Rounding as Python does it: halves go to the even neighbour. */

const WHOLE = 3 * 2 ** 51;

/** The nearest whole number, of two the even one; for less than 2^50. */
export function roundHalfEven(value: number): number {
  return value + WHOLE - WHOLE;
}

/** A number with so many decimals, as Python's `format(value, ".2f")` writes it. */
export function fixed(value: number, digits: number): string {
  const doubled = value * 2 ** (digits + 1);
  if (!Number.isInteger(doubled) || doubled % 2 === 0) {
    return value.toFixed(digits);
  }
  return (roundHalfEven(value * 10 ** digits) / 10 ** digits).toFixed(digits); // halfway, and binary numbers can say so
}
