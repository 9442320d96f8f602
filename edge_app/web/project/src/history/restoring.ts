/** The screenings of a backup, which anybody may have written: checked to the last byte, then added, all or none. */

import { sha256 } from "../core/sha256";
import { msg, say } from "../ui/say";
import { EMPTY, type FormFields } from "../ui/screening_form";
import type { ScreenTables } from "../ui/shared";
import { imagePath } from "./backup";
import { checkedEntry, require, type Row } from "./checked";
import type { Draft } from "./drafts";
import type { Entry, Picture } from "./entry";
import { HistoryError } from "./errors";
import { whileRestoring } from "./held";
import { Lock, type Opener } from "./lock";
import { NewerError, readDatabase } from "./sqlite";
import { imagesOf, UNDO_MS, type History } from "./store";
import { readDirectory, readMember, type Member } from "./zip";

const NO_BACKUP = msg("not a backup of a history, or damaged ({reason}); choose another backup");
const NEWER = msg("a newer version of osteo-edge made this backup; update osteo-edge first");
const TOO_LARGE = msg(
  "This backup is too large for a browser: restore it in the app for the desktop or the Raspberry Pi.",
);
const MAX_DATABASE_BYTES = 256 * 2 ** 20;
const MAX_REASON = 300;
/** So much is written at a time. */
const BATCH_BYTES = 16 * 2 ** 20;

type Bytes = Uint8Array<ArrayBuffer>;

/** How many screenings were added, and how many pictures are missing or damaged. */
export interface Added {
  readonly count: number;
  readonly missing: number;
}

interface Part {
  readonly name: string;
  readonly sha256: string;
  readonly size_bytes: number;
}

/** The lock of an encrypted backup, null for one that is not; `HistoryError` for what is no backup, or damaged. */
export function lockOf(file: File, tables: ScreenTables): Promise<Lock | null> {
  return toldOf(file, async () => {
    const members = await membersOf(file);
    await checkedContents(file, members, tables);
    const vaults = tables.history.encrypted.flatMap((name) => members.get(name) ?? []);
    if (vaults.length === 0) return null;
    return Lock.read(await Promise.all(vaults.map((member) => readMember(file, member))), tables);
  });
}

/**
 * Add what is in a backup and not here yet: what is here stays as it is. An encrypted one has a `lock`, which is open.
 * `onProgress` is given the share that is done, and what it throws ends it; nothing is added then. Throws
 * `HistoryError` for what is no backup, damaged, or of a newer version, and where the browser's storage is in the way.
 */
export function addBackup(
  history: History,
  file: File,
  tables: ScreenTables,
  lock: Lock | null,
  onProgress: (share: number) => void,
): Promise<Added> {
  const opener = lock ?? notEncrypted(tables);
  return toldOf(file, () => whileRestoring(() => addAllOrNothing(history, file, tables, opener, onProgress)));
}

function notEncrypted(tables: ScreenTables): Opener {
  return {
    database: async (bytes) => bytes,
    places: async (pictures) => pictures.map(([sha, suffix]) => imagePath(tables, sha, suffix)),
    picture: async (_, bytes) => bytes,
  };
}

/** Do something with a file; what is wrong with that is a sentence about it. */
async function toldOf<Value>(file: File, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HistoryError || (error instanceof DOMException && error.name === "AbortError")) throw error;
    if (error instanceof NewerError) throw new HistoryError(`${file.name}: ${say(NEWER)}`, { cause: error });
    if (error instanceof RangeError && error.message === "too large")
      throw new HistoryError(say(TOO_LARGE), { cause: error });
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, MAX_REASON);
    throw new HistoryError(`${file.name}: ${say(NO_BACKUP, { reason })}`, { cause: error });
  }
}

async function addAllOrNothing(
  history: History,
  file: File,
  tables: ScreenTables,
  opener: Opener,
  onProgress: (share: number) => void,
): Promise<Added> {
  try {
    return await add(history, file, tables, opener, onProgress);
  } catch (error) {
    await history.purge(UNDO_MS, true).catch(() => undefined); // the pictures that were added before
    throw error;
  }
}

async function add(
  history: History,
  file: File,
  tables: ScreenTables,
  opener: Opener,
  onProgress: (share: number) => void,
): Promise<Added> {
  const members = await membersOf(file);
  const parts = await checkedContents(file, members, tables);
  const total = parts.reduce((sum, part) => sum + part.size_bytes, 0) || 1;
  let done = 0;
  const tell = (bytes: number): void => onProgress((done += bytes / total) / 2);
  let database: Bytes = new Uint8Array();
  for (const part of parts) {
    const bytes = await readMember(file, members.get(part.name) as Member);
    const isKeys = tables.history.encrypted.includes(part.name); // checked by their own hash: one of the two is enough
    require(isKeys || sha256(bytes) === part.sha256, part.name);
    if (part.name === tables.history.database) database = bytes;
    tell(part.size_bytes);
  }
  const rows = await readDatabase(tables.history, await opener.database(database));
  const entries = rows.entries.map(checkedEntry);
  const pictures = await neededPictures(entries, rows.images, members, opener);
  const damaged = await store(history, file, pictures.found, opener, tell);
  const count = await history.addAll(entries, rows.drafts.flatMap(draftOf));
  return { count, missing: pictures.missing + damaged };
}

async function membersOf(file: File): Promise<ReadonlyMap<string, Member>> {
  return new Map((await readDirectory(file)).map((member) => [member.name, member]));
}

/** The parts that the list of contents names, once the archive holds just these. */
async function checkedContents(
  file: File,
  members: ReadonlyMap<string, Member>,
  tables: ScreenTables,
): Promise<readonly Part[]> {
  const { contents: name, format, database, encrypted, maxContentsBytes } = tables.history;
  const member = members.get(name);
  if (member === undefined || member.sizeBytes > maxContentsBytes) throw new Error(`no ${name} in it`);
  const contents = JSON.parse(new TextDecoder().decode(await readMember(file, member))) as Row | null;
  require(contents?.["format"] === format && contents["version"] === 1 && Array.isArray(contents["files"]), name);
  const image = new RegExp(`^${tables.history.images}/([0-9a-f]{2})/\\1[0-9a-f]{62}(\\.[a-z0-9]{1,8})?$`);
  const parts = (contents["files"] as readonly unknown[]).map((one) => {
    require(typeof one === "object" && one !== null, name);
    const { name: path, sha256: digest, size_bytes: size } = one as Partial<Part>;
    const isKeys = typeof path === "string" && encrypted.includes(path);
    require(typeof path === "string" && (path === database || isKeys || image.test(path)), name);
    require(typeof digest === "string" && /^[0-9a-f]{64}$/.test(digest), name);
    require(size !== undefined && size === members.get(path)?.sizeBytes, path);
    const most = path === database ? MAX_DATABASE_BYTES : tables.limits.maxFileBytes + tables.vault.sealedExtraBytes;
    if (size > most) throw new RangeError("too large");
    return { name: path, sha256: digest, size_bytes: size };
  });
  const names = new Set(parts.map((part) => part.name));
  require(names.size === parts.length && names.has(database) && members.size === parts.length + 1, name);
  require(new Set(encrypted.map((one) => names.has(one))).size === 1, name);
  return parts;
}

/** The pictures that the screenings name, as far as they are in the backup. */
async function neededPictures(
  entries: readonly Entry[],
  images: readonly Row[],
  members: ReadonlyMap<string, Member>,
  opener: Opener,
): Promise<{ found: readonly (readonly [string, string, Member])[]; missing: number }> {
  const suffixes = new Map(images.map((row) => [String(row["sha256"]), String(row["suffix"])]));
  const named = [...new Set(entries.flatMap(imagesOf))].map((sha) => [sha, suffixes.get(sha) ?? ""] as const);
  const places = await opener.places(named);
  const found = named.flatMap(([sha, suffix], number) => {
    const member = members.get(places[number] as string);
    return member === undefined ? [] : [[sha, suffix, member] as const];
  });
  return { found, missing: named.length - found.length };
}

/** Keep these pictures; how many of them were damaged before they were backed up. */
async function store(
  history: History,
  file: File,
  pictures: readonly (readonly [string, string, Member])[],
  opener: Opener,
  tell: (bytes: number) => void,
): Promise<number> {
  let batch: Picture[] = [];
  let size = 0;
  let damaged = 0;
  for (const [sha, suffix, member] of pictures) {
    tell(member.sizeBytes);
    const bytes = await opener.picture(member.name, await readMember(file, member));
    if (bytes === null || sha256(bytes) !== sha) {
      damaged += 1;
      continue;
    }
    batch.push({ sha256: sha, suffix, bytes });
    size += bytes.length;
    if (size >= BATCH_BYTES) {
      await history.addImages(batch);
      [batch, size] = [[], 0];
    }
  }
  await history.addImages(batch);
  return damaged;
}

/** A form that was not finished; nothing of a row that holds none. */
function draftOf(row: Row): readonly Draft[] {
  try {
    const [id, saved_at] = [String(row["id"]), String(row["saved_at"])];
    const typed = JSON.parse(String(row["fields"])) as Record<string, unknown>;
    const names = Object.keys(EMPTY) as (keyof FormFields)[];
    const fields = Object.fromEntries(
      names.map((name) => [name, String(typed[name] ?? "").slice(0, 200)]),
    ) as unknown as FormFields;
    return /^[0-9a-f]{32}$/.test(id) && !Number.isNaN(Date.parse(saved_at))
      ? [{ id, saved_at, fields, film: null }]
      : [];
  } catch {
    return [];
  }
}
