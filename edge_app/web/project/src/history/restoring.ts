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
import { NewerError, readDatabase } from "./sqlite";
import { imagesOf, UNDO_MS, type History } from "./store";
import { readDirectory, readMember, type Member } from "./zip";

const NO_BACKUP = msg("not a backup of a history, or damaged ({reason}); choose another backup");
const NEWER = msg("a newer version of osteo-edge made this backup; update osteo-edge first");
const LOCKED = msg(
  "This backup is encrypted, which this page cannot open: restore it in the app for the desktop or the Raspberry Pi.",
);
const TOO_LARGE = msg(
  "This backup is too large for a browser: restore it in the app for the desktop or the Raspberry Pi.",
);
const MAX_DATABASE_BYTES = 256 * 2 ** 20;
const MAX_REASON = 300;
/** So much is written at a time. */
const BATCH_BYTES = 16 * 2 ** 20;

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

/**
 * Add what is in a backup and not here yet: what is here stays as it is. `onProgress` is given the share that is done,
 * and what it throws ends it; nothing is added then. Throws `HistoryError` for what is no backup, damaged, encrypted,
 * or of a newer version, and where the browser's storage is in the way.
 */
export async function addBackup(
  history: History,
  file: File,
  tables: ScreenTables,
  onProgress: (share: number) => void,
): Promise<Added> {
  try {
    return await whileRestoring(() => addAllOrNothing(history, file, tables, onProgress));
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
  onProgress: (share: number) => void,
): Promise<Added> {
  try {
    return await add(history, file, tables, onProgress);
  } catch (error) {
    await history.purge(UNDO_MS, true).catch(() => undefined); // the pictures that were added before
    throw error;
  }
}

async function add(
  history: History,
  file: File,
  tables: ScreenTables,
  onProgress: (share: number) => void,
): Promise<Added> {
  const members = new Map((await readDirectory(file)).map((member) => [member.name, member]));
  if (tables.history.encrypted.some((name) => members.has(name))) throw new HistoryError(say(LOCKED));
  const parts = await checkedContents(file, members, tables);
  const total = parts.reduce((sum, part) => sum + part.size_bytes, 0) || 1;
  let done = 0;
  const tell = (bytes: number): void => onProgress((done += bytes / total) / 2);
  const sound = new Map<string, Member>();
  let database: Uint8Array = new Uint8Array();
  for (const part of parts) {
    const member = members.get(part.name) as Member;
    const bytes = await readMember(file, member);
    require(sha256(bytes) === part.sha256, part.name);
    if (part.name === tables.history.database) database = bytes;
    else if (part.name.includes(`/${part.sha256}`)) sound.set(part.name, member); // else damaged before it was backed up
    tell(part.size_bytes);
  }
  const rows = await readDatabase(tables.history, database);
  const entries = rows.entries.map(checkedEntry);
  const pictures = neededPictures(entries, rows.images, sound, tables);
  await store(history, file, pictures.found, tell);
  return { count: await history.addAll(entries, rows.drafts.flatMap(draftOf)), missing: pictures.missing };
}

/** The parts that the list of contents names, once the archive holds just these. */
async function checkedContents(
  file: File,
  members: ReadonlyMap<string, Member>,
  tables: ScreenTables,
): Promise<readonly Part[]> {
  const { contents: name, format, database, maxContentsBytes } = tables.history;
  const member = members.get(name);
  if (member === undefined || member.sizeBytes > maxContentsBytes) throw new Error(`no ${name} in it`);
  const contents = JSON.parse(new TextDecoder().decode(await readMember(file, member))) as Row | null;
  require(contents?.["format"] === format && contents["version"] === 1 && Array.isArray(contents["files"]), name);
  const image = new RegExp(`^${tables.history.images}/([0-9a-f]{2})/\\1[0-9a-f]{62}(\\.[a-z0-9]{1,8})?$`);
  const parts = (contents["files"] as readonly unknown[]).map((one) => {
    require(typeof one === "object" && one !== null, name);
    const { name: path, sha256: digest, size_bytes: size } = one as Partial<Part>;
    require(typeof path === "string" && (path === database || image.test(path)), name);
    require(typeof digest === "string" && /^[0-9a-f]{64}$/.test(digest), name);
    require(size !== undefined && size === members.get(path)?.sizeBytes, path);
    const most = path === database ? MAX_DATABASE_BYTES : tables.limits.maxFileBytes;
    if (size > most) throw new RangeError("too large");
    return { name: path, sha256: digest, size_bytes: size };
  });
  const names = new Set(parts.map((part) => part.name));
  require(names.size === parts.length && names.has(database) && members.size === parts.length + 1, name);
  return parts;
}

/** The pictures that the screenings name, as far as they are in the backup. */
function neededPictures(
  entries: readonly Entry[],
  images: readonly Row[],
  sound: ReadonlyMap<string, Member>,
  tables: ScreenTables,
): { found: readonly (readonly [string, string, Member])[]; missing: number } {
  const suffixes = new Map(images.map((row) => [String(row["sha256"]), String(row["suffix"])]));
  const named = [...new Set(entries.flatMap(imagesOf))];
  const found = named.flatMap((sha) => {
    const suffix = suffixes.get(sha) ?? "";
    const member = sound.get(imagePath(tables, sha, suffix));
    return member === undefined ? [] : [[sha, suffix, member] as const];
  });
  return { found, missing: named.length - found.length };
}

async function store(
  history: History,
  file: File,
  pictures: readonly (readonly [string, string, Member])[],
  tell: (bytes: number) => void,
): Promise<void> {
  let batch: Picture[] = [];
  let size = 0;
  for (const [sha, suffix, member] of pictures) {
    const bytes = await readMember(file, member);
    require(sha256(bytes) === sha, member.name); // the file may have changed since it was checked
    batch.push({ sha256: sha, suffix, bytes });
    size += bytes.length;
    tell(bytes.length);
    if (size >= BATCH_BYTES) {
      await history.addImages(batch);
      [batch, size] = [[], 0];
    }
  }
  await history.addImages(batch);
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
