/** What was typed in a field, whatever form it is in. */

/** A typed number with the digits 0 to 9 of any script, and its sign, as ASCII; its decimal sign may be a comma. */
export function plainNumber(text: string): string {
  const folded = text.normalize("NFKC").trim().toLowerCase().replaceAll("\u066b", ",").replaceAll("\u2212", "-");
  return folded.replace(/\p{Nd}/gu, digit);
}

/** The digit that a character stands for: each script has its ten in a row, the first of them one that none precedes. */
function digit(character: string): string {
  const code = character.codePointAt(0) as number;
  let first = code;
  while (code - first < 9 && /^\p{Nd}$/u.test(String.fromCodePoint(first - 1))) first -= 1;
  return String(code - first);
}

/** The text on one line, or its beginning with a sign where more would follow. */
export function shortened(text: string, most = 4000): string {
  const line = text.trim().split(/\s+/).join(" ");
  return line.length <= most ? line : `${line.slice(0, most - 1).trimEnd()}…`;
}
