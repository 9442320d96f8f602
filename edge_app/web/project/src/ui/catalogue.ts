/**
 * A catalogue of messages: English in, the language out; `edge_app/languages/catalogue.py` in TypeScript.
 *
 * A message is looked up as it is. A line that was made of one, with values in it, is found by the message's template:
 * "no film 7" by "no film {number}". What such a line is about stands before it, as in "film.png: no film 7", and stays;
 * so does every line that no catalogue knows.
 */

const MAX_HEADS = 6;
const MAX_DEPTH = 3;
const MAX_LINES = 500;
/** A template with fewer letters of its own fits too many lines: its values must be known, or without spaces. */
const TELLING_LETTERS = 9;
/** Names of values that are data, and stay even where they read like a message. */
const NEVER_MESSAGES = new Set([
  "path",
  "file",
  "filename",
  "folder",
  "name",
  "id",
  "code",
  "hash",
  "label_source",
  "package",
]);
const NAME = /\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

export type Messages = Readonly<Record<string, string>>;

export class Catalogue {
  private readonly known: Map<string, string>;
  private readonly templates: Template[];
  private readonly lines = new Map<string, string | null>();

  constructor(messages: Messages) {
    this.known = new Map(Object.entries(messages));
    this.templates = [...this.known]
      .filter(([message]) => message.includes("{"))
      .map(([message, translation]) => new Template(message, translation))
      .filter((template) => template.letters > 0)
      .sort((one, other) => other.letters - one.letters);
  }

  /** The translation of a message, or of a line that was made of one; the text itself where none is known. */
  translate(text: string): string {
    const known = this.known.get(text);
    if (known !== undefined) return known;
    let found = this.lines.get(text);
    if (found === undefined) {
      found = this.line(text, MAX_DEPTH);
      if (this.lines.size >= MAX_LINES) this.lines.clear();
      this.lines.set(text, found);
    }
    return found ?? text;
  }

  private line(line: string, depth: number): string | null {
    if (depth === 0 || !line) return null;
    return this.byTemplate(line, depth) ?? this.afterHead(line, depth) ?? this.inParts(line, depth);
  }

  private byTemplate(line: string, depth: number): string | null {
    for (const template of this.templates) {
      const values = template.values(line);
      if (values === null) continue;
      const filled: Record<string, string> = {};
      let fits = true;
      for (const [name, value] of Object.entries(values)) {
        const translated = this.value(name, value, depth);
        fits &&= template.tells || translated !== null || !value.includes(" ");
        filled[name] = translated ?? value;
      }
      if (fits) return template.fill(filled);
    }
    return null;
  }

  private value(name: string, value: string, depth: number): string | null {
    if (NEVER_MESSAGES.has(name.replace(/[0-9]+$/, ""))) return null;
    return this.known.get(value) ?? this.line(value, depth - 1) ?? this.list(value);
  }

  /** Messages with commas between, such as the bones that a model knows; null where one of them is none. */
  private list(value: string): string | null {
    const known = value.split(", ").map((one) => this.known.get(one));
    return known.every((one) => one !== undefined) ? known.join(", ") : null;
  }

  /** What follows what the line is about: the first ": " after which there is a message. */
  private afterHead(line: string, depth: number): string | null {
    let place = -1;
    for (let head = 0; head < MAX_HEADS; head++) {
      place = line.indexOf(": ", place + 1);
      if (place < 1) return null;
      const rest = line.slice(place + 2);
      const translated = this.known.get(rest) ?? this.byTemplate(rest, depth);
      if (translated !== null) return line.slice(0, place + 2) + translated;
    }
    return null;
  }

  /** Several lines in one, with a semicolon between. */
  private inParts(line: string, depth: number): string | null {
    const parts = line.split("; ");
    if (parts.length < 2) return null;
    const translated = parts.map((part) => this.known.get(part) ?? this.line(part, depth - 1));
    return translated.some(Boolean) ? parts.map((part, at) => translated[at] ?? part).join("; ") : null;
  }
}

/** A message with {names} in it, to be recognized in a line. */
class Template {
  readonly letters: number;
  readonly tells: boolean;
  private readonly longest: string;
  private readonly names: string[];
  private compiled: RegExp | null = null;

  constructor(
    private readonly message: string,
    private readonly translation: string,
  ) {
    const own = message.split(/\{[^}]*\}/);
    this.letters = own.join("").replace(/[^\p{L}]/gu, "").length;
    this.tells = this.letters >= TELLING_LETTERS;
    this.longest = own.reduce((longest, one) => (one.length > longest.length ? one : longest), "");
    this.names = [...new Set([...message.matchAll(NAME)].map((found) => found[1] as string))];
  }

  /** The values that the line has in the places of the names; null if it was not made of this template. */
  values(line: string): Record<string, string> | null {
    if (!line.includes(this.longest)) return null;
    this.compiled ??= pattern(this.message);
    const found = this.compiled.exec(line);
    return found === null ? null : Object.fromEntries(this.names.map((name) => [name, found.groups?.[name] ?? ""]));
  }

  fill(values: Messages): string {
    return filled(this.translation, values);
  }
}

/** A message with its {names} replaced by values; what has no value becomes nothing. */
export function filled(message: string, values: Messages): string {
  return message.replace(NAME, (_, name: string) => values[name] ?? "");
}

function pattern(message: string): RegExp {
  const seen = new Set<string>();
  let source = "";
  let place = 0;
  for (const found of message.matchAll(NAME)) {
    const name = found[1] as string;
    source += escaped(message.slice(place, found.index));
    if (seen.has(name)) source += `\\k<${name}>`;
    else source += `(?<${name}>${found.index === 0 ? "(?:(?!: )[^])+?" : "[^]+?"})`;
    seen.add(name);
    place = found.index + found[0].length;
  }
  return new RegExp(`^${source}${escaped(message.slice(place))}$`, "u");
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
