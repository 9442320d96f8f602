/** Files of the page's own folder, fetched whole or not at all. */

import { ScreeningError } from "./types";
import type { Progress } from "./types";

export type OnProgress = (progress: Progress) => void;

/** The bytes at an address; ScreeningError where they cannot be had. */
export async function fetchBytes(url: string, onProgress: OnProgress = () => {}): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const response = await fetch(url);
    if (!response.ok || !response.body) {
      throw new TypeError(`${url}: status ${response.status}`);
    }
    return await readAll(response.body, Number(response.headers.get("content-length") ?? 0), onProgress);
  } catch {
    throw new ScreeningError("Part of this page could not be loaded. Look at the connection, and load the page again.");
  }
}

/** All of a stream; `expected` are its bytes as far as they are known, fewer where it comes compressed. */
async function readAll(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  expected: number,
  onProgress: OnProgress,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let done = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    parts.push(step.value);
    done += step.value.length;
    onProgress({ stage: "fetching", done, total: Math.max(expected, done) });
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
