/** The worker's side of the screening: one classic script, since LiteRT.js loads its own by importScripts. */

import { fetchBundle } from "./core/bundle";
import { Interpreter } from "./core/runtime";
import { FilmScreener } from "./core/screening";
import { ScreeningError } from "./core/types";
import type { GreyPicture, Progress, Screening } from "./core/types";
import type { Manifest } from "./core/manifest";
import type { Shared } from "./core/shared";

/** What the page asks for; each request has a number of its own. */
export type Request =
  | { readonly id: number; readonly task: "open"; readonly baseUrl: string }
  | (OfFilm & { readonly task: "screen"; readonly bone: string | null })
  | (OfFilm & { readonly task: "picture" | "grey" });

interface OfFilm {
  readonly id: number;
  readonly bytes: ArrayBuffer;
  readonly name: string;
}

/** What the page needs of an opened bundle. */
export interface Opened {
  readonly manifest: Manifest;
  readonly shared: Shared;
}

/** What the worker answers: progress, a result, or the sentence that says why there is none. */
export type Reply =
  | { readonly id: number; readonly progress: Progress }
  | { readonly id: number; readonly result: Result }
  | { readonly id: number; readonly error: string; readonly isForUser: boolean };

type Result = Opened | Screening | GreyPicture | Uint8Array<ArrayBuffer>;

let screener: FilmScreener | null = null;
let work: Promise<void> = Promise.resolve();

addEventListener("message", ({ data }: MessageEvent<Request>) => {
  work = work.then(() => answer(data)); // one after another: the model is not to be shared
});

async function answer(request: Request): Promise<void> {
  try {
    postMessage({ id: request.id, result: await result(request) } satisfies Reply);
  } catch (error) {
    const isForUser = error instanceof ScreeningError;
    const words = error instanceof Error ? error.message : String(error);
    postMessage({ id: request.id, error: words, isForUser } satisfies Reply);
  }
}

async function result(request: Request): Promise<Result> {
  if (request.task === "open") {
    return open(request.id, request.baseUrl);
  }
  if (!screener) {
    throw new Error("nothing is opened");
  }
  const bytes = new Uint8Array(request.bytes);
  return request.task === "screen"
    ? screener.screen(bytes, request.name, request.bone)
    : screener[request.task](bytes, request.name);
}

async function open(id: number, baseUrl: string): Promise<Opened> {
  const onProgress = (progress: Progress) => postMessage({ id, progress } satisfies Reply);
  const bundle = await fetchBundle(baseUrl, onProgress);
  onProgress({ stage: "starting", done: 0, total: 0 });
  const folder = new URL(LITERT_FOLDER, baseUrl).href;
  const interpreter = await Interpreter.open(bundle.model, bundle.manifest.outputs, folder);
  screener = new FilmScreener(bundle, interpreter);
  return { manifest: bundle.manifest, shared: bundle.shared };
}
