/** The page's side of an encrypted backup: a worker tries the PIN and decrypts, so that the page never stands still. */

import { msg, say } from "../ui/say";
import type { ScreenTables } from "../ui/shared";
import { imagePath } from "./backup";
import { HistoryError } from "./errors";
import type { Reply, Request } from "./lock_worker";

type Bytes = Uint8Array<ArrayBuffer>;

const NOT_LOADED = msg(
  "What opens encrypted backups could not be loaded: connect to the network, reload the page and try again.",
);

/** How the files of a backup are read; of one that is not encrypted as they are. */
export interface Opener {
  database(bytes: Bytes): Promise<Bytes>;
  /** Where pictures lie in the backup, by their hashes and suffixes. */
  places(pictures: readonly (readonly [sha: string, suffix: string])[]): Promise<readonly string[]>;
  /** The picture in the file that lies there; null where that was altered before it was backed up. */
  picture(place: string, bytes: Bytes): Promise<Bytes | null>;
}

/**
 * The lock of an encrypted backup: it opens with its PIN or its recovery code, and then its files do. One method at a
 * time; `close` ends what is under way, with an AbortError, and forgets the keys.
 */
export class Lock implements Opener {
  private readonly worker = new Worker(new URL("./lock_worker.ts", import.meta.url));
  private fail: (error: Error) => void = () => undefined;
  private isClosed = false;

  private constructor(private readonly tables: ScreenTables) {}

  /** The lock that the files with the keys describe; throws where all of them are damaged. */
  static async read(files: readonly Bytes[], tables: ScreenTables): Promise<Lock> {
    const lock = new Lock(tables);
    try {
      await lock.ask({ task: "read", files, tables: tables.vault });
      return lock;
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  /** Whether it opens with this; every try takes a second or more, and 64 MiB. */
  open(secret: string): Promise<boolean> {
    return this.ask({ task: "open", secret });
  }

  database(bytes: Bytes): Promise<Bytes> {
    return this.ask({ task: "database", bytes }, [bytes.buffer]);
  }

  async places(pictures: readonly (readonly [sha: string, suffix: string])[]): Promise<readonly string[]> {
    const names = await this.ask<string[]>({ task: "names", hashes: pictures.map(([sha]) => sha) });
    return names.map((name) => imagePath(this.tables, name, ""));
  }

  picture(place: string, bytes: Bytes): Promise<Bytes | null> {
    const name = place.slice(place.lastIndexOf("/") + 1);
    return this.ask({ task: "picture", name, bytes }, [bytes.buffer]);
  }

  close(): void {
    this.isClosed = true;
    this.worker.terminate();
    this.fail(closed());
  }

  private ask<Result>(request: Request, transfer: Transferable[] = []): Promise<Result> {
    if (this.isClosed) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      this.fail = reject;
      this.worker.onmessage = ({ data }: MessageEvent<Reply>) => {
        if ("result" in data) resolve(data.result as Result);
        else if (!data.isMemory) reject(new Error(data.error));
        else if (request.task === "open") reject(new HistoryError(say(this.tables.vault.noMemory)));
        else reject(new RangeError("too large"));
      };
      this.worker.onerror = () => reject(new HistoryError(say(NOT_LOADED)));
      this.worker.postMessage(request, transfer);
    });
  }
}

function closed(): DOMException {
  return new DOMException("the lock was closed", "AbortError");
}
