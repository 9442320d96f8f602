/** The page's side of the screening: a worker does the work, and answers one film after another. */

import type { Manifest } from "./core/manifest";
import * as overlay from "./core/overlay";
import type { Drawn } from "./core/overlay";
import type { ColourMap, Shared } from "./core/shared";
import { ScreeningError } from "./core/types";
import type { GreyPicture, Plane, Progress, Screening } from "./core/types";
import type { Opened, Reply, Request } from "./worker";

const STOPPED = "The screening was ended by the browser, perhaps for want of memory. Close other pages, and try again.";

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: (progress: Progress) => void;
}

type Task = Request extends infer R ? (R extends Request ? Omit<R, "id"> : never) : never;

/** A worker that answers requests by their numbers. */
class Desk {
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url));
  private readonly waiting = new Map<number, Waiting>();
  private last = 0;
  private ended: Error | null = null;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Reply>) => this.take(data);
    this.worker.onerror = () => this.close(new ScreeningError(STOPPED));
  }

  ask<T>(task: Task, transfer: Transferable[] = [], onProgress: Waiting["onProgress"] = () => {}): Promise<T> {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      if (this.ended !== null) {
        reject(this.ended);
        return;
      }
      this.waiting.set(id, { resolve: resolve as Waiting["resolve"], reject, onProgress });
      this.worker.postMessage({ ...task, id }, transfer);
    });
  }

  close(reason: Error): void {
    this.ended = reason;
    this.worker.terminate();
    this.waiting.forEach(({ reject }) => reject(reason));
    this.waiting.clear();
  }

  private take(reply: Reply): void {
    const waiting = this.waiting.get(reply.id);
    if (!waiting) {
      return;
    }
    if ("progress" in reply) {
      waiting.onProgress(reply.progress);
      return;
    }
    this.waiting.delete(reply.id);
    if ("result" in reply) {
      waiting.resolve(reply.result);
    } else {
      waiting.reject(reply.isForUser ? new ScreeningError(reply.error) : new Error(reply.error));
    }
  }
}

/** Screens films by one bundle, without which there is none. */
export class Screener {
  private constructor(
    private readonly desk: Desk,
    readonly manifest: Manifest,
    readonly shared: Shared,
  ) {}

  /** Fetch the bundle beneath `baseUrl`, check it and start the model; ScreeningError where that is not possible. */
  static async open(baseUrl: string, onProgress: (progress: Progress) => void = () => {}): Promise<Screener> {
    const desk = new Desk();
    try {
      const opened = await desk.ask<Opened>({ task: "open", baseUrl }, [], onProgress);
      return new Screener(desk, opened.manifest, opened.shared);
    } catch (error) {
      desk.close(new ScreeningError(STOPPED));
      throw error;
    }
  }

  /**
   * The answer for the bytes of one file, which are handed over; `name` only names it. ScreeningError says why not.
   *
   * A model that tells bones apart believes whoever names the `bone`.
   */
  screen(bytes: ArrayBuffer, name: string, bone: string | null = null): Promise<Screening> {
    return this.desk.ask({ task: "screen", bytes, name, bone }, [bytes]);
  }

  /** The film of a file as `Screening.picture` has it, without an answer; the bytes are handed over. */
  decode(bytes: ArrayBuffer, name: string): Promise<GreyPicture> {
    return this.desk.ask({ task: "picture", bytes, name }, [bytes]);
  }

  /** The film of a file as a grey PNG file, which says nothing of the patient; the bytes are handed over. */
  grey(bytes: ArrayBuffer, name: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.desk.ask({ task: "grey", bytes, name }, [bytes]);
  }

  /** The film with the evidence over it, the more opaque the stronger; of the size of its picture. */
  paint(drawn: Drawn, opacity = this.shared.overlay.opacity, colours: ColourMap = "viridis"): ImageData {
    return overlay.paintOverlay(drawn, opacity, this.shared.overlay.colourMaps, colours);
  }

  /** The evidence alone, with an alpha of its own, of the size of the map. */
  layer(map: Plane, colours: ColourMap = "viridis"): ImageData {
    return overlay.layer(map, this.shared.overlay.colourMaps, colours);
  }

  close(): void {
    this.desk.close(new ScreeningError(STOPPED));
  }
}
