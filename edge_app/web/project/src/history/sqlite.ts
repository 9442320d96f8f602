/** The Kivy app's history database, written and read with SQLite in WebAssembly, which is loaded when it is needed. */

import type { Database, Sql, Value } from "sql.js/dist/sql-wasm-browser.js";

import type { ScreenTables } from "../ui/shared";
import type { Row } from "./checked";
import type { Entry } from "./entry";

type Tables = ScreenTables["history"];

const AS_JSON = new Set(["probabilities", "reasons", "warnings", "milliseconds", "image_stats"]);
/** Of one table: more than a browser holds. */
const MOST_ROWS = 200_000;

/** The rows of a history, as a database has them. */
export interface Rows {
  readonly entries: readonly Row[];
  readonly images: readonly Row[];
  readonly drafts: readonly Row[];
}

/** A database of a version of the program that this one does not know. */
export class NewerError extends Error {}

/** The database file of these screenings, with every version's statements one after the other, as Python migrates. */
export async function writeDatabase(
  tables: Tables,
  entries: readonly Entry[],
  suffixes: ReadonlyMap<string, string>,
  drafts: readonly Readonly<{ id: string; saved_at: string; fields: object }>[],
): Promise<Uint8Array<ArrayBuffer>> {
  const database = new (await load()).Database();
  try {
    database.run("BEGIN");
    migrate(database, tables, 0);
    insert(database, "images", ["sha256", "suffix"], [...suffixes]);
    insert(
      database,
      "entries",
      tables.columns,
      entries.map((entry) => valuesOf(entry, tables.columns)),
    );
    const forms = drafts.map((draft) => [draft.id, draft.saved_at, JSON.stringify(draft.fields)]);
    insert(database, "drafts", ["id", "saved_at", "fields"], forms);
    database.run("COMMIT");
    return database.export();
  } finally {
    database.close();
  }
}

/**
 * The rows of a database file that anybody may have written, brought to this version; throws where it is no history,
 * and a RangeError for one of too many rows.
 */
export async function readDatabase(tables: Tables, bytes: Uint8Array): Promise<Rows> {
  const database = new (await load()).Database(bytes);
  try {
    const sound = rows(database, "PRAGMA quick_check(1)")[0];
    if (sound?.["quick_check"] !== "ok") throw new Error("its database is damaged");
    const version = rows(database, "PRAGMA user_version")[0]?.["user_version"];
    if (typeof version !== "number" || version < 1) throw new Error("its database is no history");
    if (version > tables.migrations.length) throw new NewerError();
    const [active] = rows(database, "SELECT name FROM sqlite_master WHERE type NOT IN ('table', 'index') LIMIT 1");
    if (active) throw new Error("its database holds more than tables"); // a view or a trigger may never end
    migrate(database, tables, version);
    return {
      entries: rows(database, `SELECT ${tables.columns.join(", ")} FROM entries WHERE deleted_at IS NULL`),
      images: rows(database, "SELECT sha256, suffix FROM images", 2 * MOST_ROWS),
      drafts: rows(database, "SELECT id, saved_at, fields FROM drafts"),
    };
  } finally {
    database.close();
  }
}

let loading: Promise<Sql> | null = null;

function load(): Promise<Sql> {
  loading ??= (async () => {
    const [{ default: start }, { default: address }] = await Promise.all([
      import("sql.js/dist/sql-wasm-browser.js"),
      import("sql.js/dist/sql-wasm-browser.wasm?url"),
    ]);
    return start({ locateFile: () => new URL(address, document.baseURI).href });
  })();
  loading.catch(() => (loading = null));
  return loading;
}

function migrate(database: Database, tables: Tables, from: number): void {
  database.create_function("finding_of", findingOf);
  for (const statements of tables.migrations.slice(from)) for (const statement of statements) database.run(statement);
  database.run(`PRAGMA user_version = ${tables.migrations.length}`);
}

/** What an answer speaks of, by the probabilities of its positive labels: `osteo_edge.findings.finding_called`. */
function findingOf(probabilities: string): string {
  try {
    const labels = Object.keys(JSON.parse(probabilities) as object);
    const areAbnormal = labels.every((label) => label.toLowerCase().split(" ").at(-1) === "abnormal");
    return labels.length && areAbnormal ? "abnormality" : "density";
  } catch {
    return "density";
  }
}

function insert(
  database: Database,
  table: string,
  columns: readonly string[],
  values: readonly (readonly Value[])[],
): void {
  const marks = columns.map(() => "?").join(", ");
  const statement = database.prepare(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${marks})`);
  for (const row of values) statement.run(row);
  statement.free();
}

function valuesOf(entry: Entry, columns: readonly string[]): readonly Value[] {
  const named: Readonly<Record<string, unknown>> = { ...entry };
  return columns.map((column) => {
    const value = named[column];
    if (AS_JSON.has(column)) return JSON.stringify(value);
    if (typeof value === "boolean") return Number(value);
    if (value === undefined) throw new Error(`an entry has no ${column}`);
    return value as Value;
  });
}

function rows(database: Database, sql: string, most = MOST_ROWS): Row[] {
  const statement = database.prepare(sql);
  const found: Row[] = [];
  while (statement.step()) {
    if (found.length === most) throw new RangeError("too large");
    found.push(statement.getAsObject());
  }
  statement.free();
  return found;
}
