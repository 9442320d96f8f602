/** What the page takes from shared.json, which `edge_app/web/shared.py` writes from the Python it belongs to. */

import type { Decision, Router } from "../core/manifest";
import type { Shared } from "../core/shared";
import type { Finding, Outcome } from "../core/types";
import type { Decided, Dxa, Sex } from "../history/entry";
import type { Language } from "./say";

type OfOutcomes = Readonly<Record<Outcome, string>>;

export interface ScreenTables extends Shared {
  /** `name` and `language` are null where they were not chosen when the app was packed. */
  readonly app: { readonly name: string | null; readonly language: Language | null; readonly version: string };
  readonly form: {
    readonly maxCode: number;
    readonly maxAgeYears: number;
    readonly adultAgeYears: number;
    readonly maxWeightKg: number;
    readonly usualWeightKg: readonly [number, number];
    readonly birthYears: readonly [number, number];
  };
  readonly note: { readonly maxLetters: number };
  readonly decision: { readonly maxLetters: number; readonly words: Readonly<Record<Decided, string>> };
  readonly dxa: { readonly maxTScore: number; readonly words: Readonly<Record<Dxa, string>> };
  readonly alphabet: readonly (readonly [number, number])[];
  readonly ost: {
    readonly groupsFromYears: number;
    readonly riskWords: Readonly<Record<"high" | "moderate" | "low", string>>;
    readonly noGroup: string;
    readonly about: string;
  };
  readonly bones: Readonly<Record<string, string>>;
  readonly whichBone: string;
  readonly findingsOfBones: Readonly<Record<string, string>>;
  readonly outcomeChoices: OfOutcomes;
  readonly periods: Readonly<Record<string, string>>;
  readonly sexWords: Readonly<Record<Sex, string>>;
  readonly mark: string;
  readonly photoOfFilm: string;
  readonly isDemo: boolean;
  readonly findings: readonly Finding[];
  /** The model in titles and values, and its figures in lines. */
  readonly facts: readonly (readonly [string, string])[];
  readonly figures: readonly string[];
  readonly history: {
    /** The statements that lead from each version of the tables to the next. */
    readonly migrations: readonly (readonly string[])[];
    readonly columns: readonly string[];
    readonly database: string;
    readonly contents: string;
    readonly format: string;
    readonly images: string;
    readonly maxContentsBytes: number;
    /** Files that only the backup of an encrypted history holds. */
    readonly encrypted: readonly string[];
  };
  readonly vault: VaultTables;
}

/** The format of an encrypted history, and what is said of its PIN and its recovery code. */
export interface VaultTables {
  readonly maxFileBytes: number;
  readonly keyBytes: number;
  readonly saltBytes: number;
  readonly nonceBytes: number;
  readonly tagBytes: number;
  readonly sealedExtraBytes: number;
  readonly pageBytes: number;
  /** What scrypt may cost, and its blocks. */
  readonly leastCost: number;
  readonly mostCost: number;
  readonly blocks: number;
  /** How a database begins that is not encrypted. */
  readonly plainDatabase: string;
  /** How each sealed file begins. */
  readonly mark: string;
  /** What HKDF is told that a key is for. */
  readonly info: Readonly<Record<"database" | "images" | "names", string>>;
  /** What AES-GCM is told of each slot. */
  readonly about: Readonly<Record<"pin" | "recovery", string>>;
  readonly locked: string;
  readonly wrongSecret: string;
  readonly noMemory: string;
}

/** What the page reads of the bundle's manifest itself. */
export interface ModelFacts {
  readonly name: string;
  readonly version: string;
  readonly intended_use: string;
  readonly model: { readonly sha256: string };
  readonly decision: Decision;
  readonly router?: Router | null;
}

/** Fetch a JSON file of this folder; throws where it is not there or cannot be read. */
export async function fetchJson<Value>(name: string, base: URL): Promise<Value> {
  const answer = await fetch(new URL(name, base));
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${answer.statusText}`);
  return (await answer.json()) as Value;
}
