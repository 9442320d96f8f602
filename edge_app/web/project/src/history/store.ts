/** The history of this browser: screenings with their films, and forms under way, in IndexedDB. */

import { msg, say } from "../ui/say";
import { openDatabase, result, transact, walk, type KeptEntry } from "./database";
import type { Draft } from "./drafts";
import type { Decided, Dxa, Entry, Picture, Saved } from "./entry";
import { HistoryError } from "./errors";
import { mayTidyUp } from "./held";
import { matches, type Query } from "./query";

export const UNDO_MS = 60_000;
const CHANNEL = "osteo-edge history";
const GONE = msg("This screening is not in the history any more.");
const NO_IMAGE = msg("The film of this screening is missing: look for it in a backup.");

/**
 * The open history; other tabs may have it open too. What a method has written is on the disk when it is over. Every
 * method throws `HistoryError` where the browser's storage is in the way; then nothing was changed.
 */
export class History {
  private readonly channel = new BroadcastChannel(CHANNEL);

  private constructor(private readonly database: IDBDatabase) {}

  /** `onChange` is called when another tab has changed the history, `onClosed` when this one may use it no more. */
  static async open(onChange: () => void, onClosed: () => void): Promise<History> {
    const history = new History(await openDatabase(onClosed));
    history.channel.onmessage = onChange;
    await history.purge().catch(() => undefined); // what cannot be tidied up now can be read all the same
    return history;
  }

  /** Save a screening with its images, and end the draft that it was; nothing happens to one that is there already. */
  async add(saved: Saved, draftId: string | null = null): Promise<void> {
    await this.write(async (transaction) => {
      await put(transaction, saved.pictures);
      const entries = transaction.objectStore("entries");
      if ((await result(entries.count(saved.entry.id))) === 0) await result(entries.put(saved.entry));
      if (draftId !== null) await result(transaction.objectStore("drafts").delete(draftId));
    });
  }

  /** Keep images that no screening names yet, as before `addAll`. */
  async addImages(pictures: readonly Picture[]): Promise<void> {
    await transact(this.database, ["images"], "readwrite", (transaction) => put(transaction, pictures));
  }

  /** Add screenings whose images are there already, all or none; how many were not there yet, or were deleted. */
  async addAll(entries: readonly Entry[], drafts: readonly Draft[] = []): Promise<number> {
    return this.write(async (transaction) => {
      const store = transaction.objectStore("entries");
      const kept = await result(store.getAll() as IDBRequest<KeptEntry[]>);
      const known = new Set(kept.filter((entry) => entry.deleted_at === undefined).map((entry) => entry.id));
      const added = entries.filter((entry) => !known.has(entry.id));
      for (const entry of added) store.put(entry);
      const forms = transaction.objectStore("drafts");
      const begun = new Set(await result(forms.getAllKeys()));
      for (const draft of drafts) if (!begun.has(draft.id)) forms.put(draft);
      return added.length;
    });
  }

  annotate(id: string, note: string): Promise<Entry> {
    return this.change(id, { note });
  }

  markDxa(id: string, dxa: Dxa | null, t_score: number | null): Promise<Entry> {
    return this.change(id, { dxa, t_score });
  }

  /** Enter what was decided on an answer, with the reason if it was otherwise; null takes it away again. */
  decide(id: string, decided: Decided | null, reason: string): Promise<Entry> {
    return this.change(id, { decided, override_reason: reason });
  }

  /** Take a screening out of the history; `undoDelete` brings it back until it is purged. */
  async delete(id: string): Promise<void> {
    await this.write(async (transaction) => {
      const entry = await existing(transaction, id);
      await result(transaction.objectStore("entries").put({ ...entry, deleted_at: Date.now() }));
    });
  }

  async undoDelete(id: string): Promise<void> {
    await this.write(async (transaction) => {
      const entries = transaction.objectStore("entries");
      const kept = (await result(entries.get(id))) as KeptEntry | undefined;
      if (kept === undefined) throw new HistoryError(say(GONE));
      const { deleted_at: _, ...entry } = kept;
      await result(entries.put(entry));
    });
  }

  /**
   * Remove for good what was deleted before the undo window, and images that nothing names, as a closed tab can leave.
   * What seems to have been deleted in the future goes too: the clock was set back since.
   */
  async purge(undoMs = UNDO_MS, tidies?: boolean): Promise<void> {
    const now = Date.now();
    tidies ??= await mayTidyUp();
    await this.write(async (transaction) => {
      const named = new Set<string>();
      const doomed = new Set<string>();
      await walk<KeptEntry>(transaction.objectStore("entries").openCursor(), (entry, cursor) => {
        const isDoomed =
          entry.deleted_at !== undefined && !(now - undoMs < entry.deleted_at && entry.deleted_at <= now);
        for (const sha256 of imagesOf(entry)) (isDoomed ? doomed : named).add(sha256);
        if (isDoomed) cursor.delete();
      });
      const images = transaction.objectStore("images");
      if (tidies) for (const key of await result(images.getAllKeys())) doomed.add(String(key));
      for (const sha256 of doomed) if (!named.has(sha256)) images.delete(sha256);
    }, false);
  }

  async entry(id: string): Promise<Entry> {
    return this.read((transaction) => existing(transaction, id));
  }

  /** What the query finds, the newest first. */
  async search(query: Query = {}): Promise<readonly Entry[]> {
    const found = await this.read((transaction) =>
      result(transaction.objectStore("entries").index("by_time").getAll() as IDBRequest<KeptEntry[]>),
    );
    return found.filter((entry) => matches(entry, query)).reverse();
  }

  /** The film or overlay with that hash; `HistoryError` where there is none. */
  async image(sha256: string): Promise<Picture> {
    const found = await this.read((transaction) =>
      result(transaction.objectStore("images").get(sha256) as IDBRequest<Picture | undefined>),
    );
    if (found === undefined) throw new HistoryError(say(NO_IMAGE));
    return found;
  }

  /** Keep the state of a form under way, over its earlier one. */
  async saveDraft(draft: Draft): Promise<void> {
    await this.write((transaction) => result(transaction.objectStore("drafts").put(draft)), false);
  }

  /** The forms that were never finished, the newest first. */
  async drafts(): Promise<readonly Draft[]> {
    const drafts = await this.read((transaction) =>
      result(transaction.objectStore("drafts").getAll() as IDBRequest<Draft[]>),
    );
    return drafts.sort((one, other) => (one.saved_at < other.saved_at ? 1 : -1));
  }

  async dropDraft(id: string): Promise<void> {
    await this.write((transaction) => result(transaction.objectStore("drafts").delete(id)), false);
  }

  private change(id: string, changed: Partial<Entry>): Promise<Entry> {
    return this.write(async (transaction) => {
      const entry: Entry = { ...(await existing(transaction, id)), ...changed };
      await result(transaction.objectStore("entries").put(entry));
      return entry;
    });
  }

  private read<Value>(work: (transaction: IDBTransaction) => Promise<Value>): Promise<Value> {
    return transact(this.database, ["entries", "images", "drafts"], "readonly", work);
  }

  private async write<Value>(work: (transaction: IDBTransaction) => Promise<Value>, tells = true): Promise<Value> {
    const value = await transact(this.database, ["entries", "images", "drafts"], "readwrite", work);
    if (tells) this.channel.postMessage(null);
    return value;
  }
}

/** The images that an entry names, by their hashes. */
export function imagesOf(entry: Entry): string[] {
  return entry.overlay_sha256 === null ? [entry.image_sha256] : [entry.image_sha256, entry.overlay_sha256];
}

async function put(transaction: IDBTransaction, pictures: readonly Picture[]): Promise<void> {
  const images = transaction.objectStore("images");
  for (const picture of pictures) {
    if ((await result(images.count(picture.sha256))) === 0) await result(images.put(picture));
  }
}

async function existing(transaction: IDBTransaction, id: string): Promise<Entry> {
  const entry = (await result(transaction.objectStore("entries").get(id))) as KeptEntry | undefined;
  if (entry === undefined || entry.deleted_at !== undefined) throw new HistoryError(say(GONE));
  return entry;
}
