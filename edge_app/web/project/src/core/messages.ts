/** The lines that Python has, looked up by their first words, so that no sentence stands in two places. */

export type Values = Readonly<Record<string, string | number>>;
export type Line = (start: string, values?: Values) => string;

/** What gives the line that begins with `start`, its {names} filled in; RangeError unless it is one line alone. */
export function linesOf(messages: readonly string[]): Line {
  const known = new Map<string, string>();
  return (start, values = {}) => {
    const message = known.get(start) ?? only(messages, start);
    known.set(start, message);
    return message.replace(/\{(\w+)\}/g, (name, key: string) => String(values[key] ?? name));
  };
}

function only(messages: readonly string[], start: string): string {
  const found = messages.filter((message) => message.startsWith(start));
  if (found.length !== 1) {
    throw new RangeError(`${found.length} messages begin with "${start}"`);
  }
  return found[0]!;
}
