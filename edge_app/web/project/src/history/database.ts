/** The IndexedDB database: its stores, and transactions that are on the disk when they are over. */

import type { Draft } from "./drafts";
import type { Entry, Picture } from "./entry";
import { forbidden, told } from "./errors";

export const DATABASE = "osteo-edge";
const VERSION = 1;

/** An entry as it is kept; `deleted_at`, in milliseconds since 1970, is there while a deletion can be undone. */
export type KeptEntry = Entry & { readonly deleted_at?: number };

export interface Stores {
  entries: KeptEntry;
  images: Picture;
  drafts: Draft;
}
type Store = keyof Stores;

/**
 * Open the database, made if it is not there. `onClosed` is called when a newer version of the page, in another tab,
 * needs it to be closed. Throws `HistoryError` where the browser keeps nothing for this page.
 */
export function openDatabase(onClosed: () => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    let request: IDBOpenDBRequest;
    try {
      request = indexedDB.open(DATABASE, VERSION);
    } catch (error) {
      reject(forbidden(error));
      return;
    }
    request.onupgradeneeded = () => {
      const database = request.result;
      database.createObjectStore("entries", { keyPath: "id" }).createIndex("by_time", ["taken_at", "id"]);
      database.createObjectStore("images", { keyPath: "sha256" });
      database.createObjectStore("drafts", { keyPath: "id" });
    };
    request.onerror = () =>
      reject(request.error?.name === "InvalidStateError" ? forbidden(request.error) : told(request.error));
    request.onsuccess = () => {
      const database = request.result;
      database.onversionchange = () => {
        database.close();
        onClosed();
      };
      resolve(database);
    };
  });
}

/**
 * Run `work` in one transaction; what it gives, once all of it is on the disk. Nothing was changed where this throws
 * `HistoryError`. `work` may wait for requests of this transaction alone.
 */
export async function transact<Result>(
  database: IDBDatabase,
  stores: readonly Store[],
  mode: "readonly" | "readwrite",
  work: (transaction: IDBTransaction) => Promise<Result>,
): Promise<Result> {
  try {
    const transaction = database.transaction(stores as Store[], mode, { durability: "strict" });
    const over = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new DOMException("", "AbortError"));
    });
    const [result] = await Promise.all([workOrAbort(transaction, work), over]);
    return result;
  } catch (error) {
    throw told(error);
  }
}

async function workOrAbort<Result>(
  transaction: IDBTransaction,
  work: (transaction: IDBTransaction) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(transaction);
  } catch (error) {
    try {
      transaction.abort();
    } catch {
      // it is over already
    }
    throw error;
  }
}

/** What a request gives. */
export function result<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new DOMException("", "UnknownError"));
  });
}

/** Call `visit` with each value that a cursor meets, until it gives true. */
export function walk<Value>(
  request: IDBRequest<IDBCursorWithValue | null>,
  visit: (value: Value, cursor: IDBCursorWithValue) => boolean | void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    request.onerror = () => reject(request.error ?? new DOMException("", "UnknownError"));
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor === null || visit(cursor.value as Value, cursor)) resolve();
      else cursor.continue();
    };
  });
}
