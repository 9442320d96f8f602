/** An entry out of a file that anybody may have written: each value is checked before any of it is used. */

import { DECIDED, DXAS, FINDINGS, OUTCOMES, SEXES, TO_FOLLOW, type Entry } from "./entry";

/** What a row of a database gives. */
export type Row = Readonly<Record<string, unknown>>;

const MAX_TEXT = 100_000;
const MAX_NAMED = 200;
const UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?\+00:00$/;

/** The entry of a row; throws where it is none, with the field that is wrong. */
export function checkedEntry(row: Row): Entry {
  const read = new Reader(row);
  const entry: Entry = {
    id: read.matching("id", /^[0-9a-f]{32}$/),
    taken_at: read.moment("taken_at"),
    code: read.optional("code", (name) => read.text(name)),
    age_years: read.optional("age_years", (name) => read.whole(name, 0, 130)),
    sex: read.optional("sex", (name) => read.oneOf(name, SEXES)),
    weight_kg: read.optional("weight_kg", (name) => read.number(name, Number.MIN_VALUE, 500)),
    outcome: read.oneOf("outcome", OUTCOMES),
    probabilities: read.numbers("probabilities"),
    score: read.optional("score", (name) => read.number(name)),
    threshold: read.number("threshold"),
    abstain_low: read.optional("abstain_low", (name) => read.number(name)),
    abstain_high: read.optional("abstain_high", (name) => read.number(name)),
    reasons: read.texts("reasons"),
    warnings: read.texts("warnings"),
    image_sha256: read.hash("image_sha256"),
    overlay_sha256: read.optional("overlay_sha256", (name) => read.hash(name)),
    model_name: read.text("model_name"),
    model_sha256: read.hash("model_sha256"),
    intended_use: read.optional("intended_use", (name) => read.text(name)),
    is_demo: read.whole("is_demo", 0, 1) === 1,
    finding: read.oneOf("finding", FINDINGS),
    bone: read.optional("bone", (name) => read.text(name)),
    software: read.text("software"),
    milliseconds: read.numbers("milliseconds"),
    note: read.text("note"),
    dxa: read.optional("dxa", (name) => read.oneOf(name, DXAS)),
    t_score: read.optional("t_score", (name) => read.number(name)),
    image_stats: read.numbers("image_stats"),
    decided: read.optional("decided", (name) => read.oneOf(name, DECIDED)),
    override_reason: read.text("override_reason"),
    film_sha256: read.optional("film_sha256", (name) => read.hash(name)),
  };
  require(entry.decided === null || TO_FOLLOW.includes(entry.outcome), "decided");
  require(Boolean(entry.override_reason.trim()) === (entry.decided === "otherwise"), "override_reason");
  return entry;
}

/** Throws, and names the field, unless it is right. */
export function require(isRight: boolean, field: string): asserts isRight {
  if (!isRight) throw new Error(`${field} is not as it should be`);
}

class Reader {
  constructor(private readonly row: Row) {}

  text(name: string): string {
    const value = this.row[name];
    require(typeof value === "string" && value.length <= MAX_TEXT, name);
    return value;
  }

  matching(name: string, pattern: RegExp): string {
    const value = this.text(name);
    require(pattern.test(value), name);
    return value;
  }

  hash(name: string): string {
    return this.matching(name, /^[0-9a-f]{64}$/);
  }

  moment(name: string): string {
    const value = this.matching(name, UTC);
    require(!Number.isNaN(Date.parse(value)), name);
    return value;
  }

  number(name: string, least = -Number.MAX_VALUE, most = Number.MAX_VALUE): number {
    const value = this.row[name];
    require(typeof value === "number" && value >= least && value <= most, name);
    return value;
  }

  whole(name: string, least: number, most: number): number {
    const value = this.number(name, least, most);
    require(Number.isInteger(value), name);
    return value;
  }

  oneOf<Value extends string>(name: string, values: readonly Value[]): Value {
    const value = values.find((one) => one === this.row[name]);
    require(value !== undefined, name);
    return value;
  }

  optional<Value>(name: string, read: (name: string) => Value): Value | null {
    return this.row[name] === null || this.row[name] === undefined ? null : read(name);
  }

  texts(name: string): readonly string[] {
    const value: unknown = JSON.parse(this.text(name));
    require(Array.isArray(value) && value.length <= MAX_NAMED && value.every((one) => typeof one === "string"), name);
    return value as string[];
  }

  numbers(name: string): Readonly<Record<string, number>> {
    const value: unknown = JSON.parse(this.text(name));
    require(typeof value === "object" && value !== null && !Array.isArray(value), name);
    const named = Object.entries(value);
    require(named.length <= MAX_NAMED &&
      named.every(([, one]) => typeof one === "number" && Number.isFinite(one)), name);
    return Object.fromEntries(named) as Record<string, number>;
  }
}
