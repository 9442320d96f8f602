/** The history in one file, as the Kivy app writes it: a ZIP with the database, the images, and their hashes. */

import { sha256 } from "../core/sha256";
import { msg, say } from "../ui/say";
import type { ScreenTables } from "../ui/shared";
import { HistoryError } from "./errors";
import { writeDatabase } from "./sqlite";
import { imagesOf, type History } from "./store";
import { ZipWriter } from "./zip";

const TOO_LARGE = msg("The history is too large for one backup of 4 GB: delete screenings that are no longer needed.");

/** A backup that was written; `missing` counts pictures that are not there, or damaged. */
export interface Backup {
  readonly file: Blob;
  readonly missing: number;
}

/** Where a picture lies in a backup, and on the disk of the Kivy app. */
export function imagePath(tables: ScreenTables, sha: string, suffix: string): string {
  return `${tables.history.images}/${sha.slice(0, 2)}/${sha}${suffix}`;
}

/** What a backup is called, which says nothing of any patient. */
export function backupName(now: Date): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  return `osteo-edge-backup-${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}.zip`;
}

/** Write a backup of all; `onProgress` is given the share that is done, and what it throws ends it. */
export async function writeBackup(
  history: History,
  tables: ScreenTables,
  onProgress: (share: number) => void,
): Promise<Backup> {
  const entries = await history.search();
  const drafts = await history.drafts();
  const named = [...new Set(entries.flatMap(imagesOf))].sort();
  const archive = new ZipWriter(new Date());
  const suffixes = new Map(named.map((sha) => [sha, ""]));
  const parts: { name: string; sha256: string; size_bytes: number }[] = [];
  let missing = 0;
  const add = (name: string, bytes: Uint8Array<ArrayBuffer>): string => {
    const digest = sha256(bytes);
    parts.push({ name, sha256: digest, size_bytes: bytes.length });
    archive.add(name, bytes);
    return digest;
  };
  try {
    for (const [number, sha] of named.entries()) {
      onProgress(number / (named.length + 1));
      const picture = await history.image(sha).catch(() => null);
      if (picture !== null) suffixes.set(sha, picture.suffix);
      const isSound = picture !== null && add(imagePath(tables, sha, picture.suffix), picture.bytes) === sha;
      if (!isSound) missing += 1;
    }
    add(tables.history.database, await writeDatabase(tables.history, entries, suffixes, drafts));
    const contents = {
      format: tables.history.format,
      version: 1,
      made_at: `${new Date().toISOString().slice(0, 19)}+00:00`,
      made_by: `osteo-edge ${tables.app.version}`,
      files: parts,
    };
    archive.add(tables.history.contents, new TextEncoder().encode(`${JSON.stringify(contents, null, 1)}\n`));
  } catch (error) {
    if (error instanceof RangeError) throw new HistoryError(say(TOO_LARGE), { cause: error });
    throw error;
  }
  onProgress(1);
  return { file: archive.close(), missing };
}
