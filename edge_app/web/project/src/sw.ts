/**
 * The service worker: stores the app at the first visit, each file by its SHA-256, and answers from that store ever
 * after. It is installed as soon as films can be screened from the store; the rest is stored when the page asks for it.
 * What leads to another origin is refused, whatever asks for it.
 *
 * Packaging writes one line before this script: which files there are, by their names relative to the app.
 */

export {};

declare const self: ServiceWorkerGlobalScope & { readonly PACKED: Packed };

interface Packed {
  /** SHA-256 of all that follows: a new one is a new store. */
  readonly version: string;
  /** SHA-256 in hex, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Of LiteRT.js's two variants only one runs in a browser: the names of those with relaxed SIMD, and without. */
  readonly relaxed: readonly string[];
  readonly compat: readonly string[];
  /** What can wait at the first visit: decoders of few films, and what reads backups. */
  readonly later: readonly string[];
  /** What every answer says beside its content, as a server should: a host of static files often cannot. */
  readonly headers: Readonly<Record<string, string>>;
}

/** (func (result v128) (i8x16.relaxed_swizzle (i32x4.splat (i32.const 1)) ...)): valid only with relaxed SIMD. */
const RELAXED_SIMD = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15,
  253, 128, 2, 11,
]);
const INDEX = "index.html";
const DIGEST = "X-SHA256";
const PREFIX = `osteo-edge ${self.registration.scope} `;
const STORE = PREFIX + self.PACKED.version;

self.addEventListener("install", (event) => event.waitUntil(storeEnough()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("fetch", (event) => event.respondWith(answer(event.request)));
self.addEventListener("message", (event) => {
  if (event.data === "use the new version") {
    event.waitUntil(self.skipWaiting());
  } else if (event.data === "store the rest") {
    const [port] = event.ports;
    event.waitUntil(
      storeMissing(needed()).then(
        () => port?.postMessage(true),
        () => port?.postMessage(false), // the page asks again at its next start
      ),
    );
  }
});

/**
 * Store what films are screened with; rejects, and stores nothing that counts, unless all of it is whole. A newer
 * version waits for all the rest, too: what worked without a network before works after it.
 */
async function storeEnough(): Promise<void> {
  const isNewer = (await ownStores()).some((name) => name !== STORE);
  const later = new Set(isNewer ? [] : self.PACKED.later);
  await storeMissing(needed().filter((name) => !later.has(name)));
}

/** Store those of the files that are not there: the store's name stands for what each of them must be. */
async function storeMissing(names: readonly string[]): Promise<void> {
  const store = await caches.open(STORE);
  const there = new Set((await store.keys()).map((request) => request.url));
  for (const name of names) {
    const [address, digest] = [addressOf(name), self.PACKED.files[name]!];
    if (!there.has(address)) {
      await store.put(address, (await fromOlder(address, digest)) ?? (await fetched(name, digest)));
    }
  }
}

/** The files that this browser needs, what can wait last. */
function needed(): string[] {
  const { files, relaxed, compat, later } = self.PACKED;
  const others = new Set([...(WebAssembly.validate(RELAXED_SIMD) ? compat : relaxed), ...later]);
  return [...Object.keys(files).filter((name) => !others.has(name)), ...later];
}

/** The same file in the store of another version. */
async function fromOlder(address: string, digest: string): Promise<Response | undefined> {
  for (const name of await ownStores()) {
    const found = await (await caches.open(name)).match(address);
    if (found?.headers.get(DIGEST) === digest) {
      return whole(await found.arrayBuffer(), found.headers, digest); // with the headers of this version
    }
  }
  return undefined;
}

async function fetched(name: string, digest: string): Promise<Response> {
  // a name with a version or a hash in it never changes its content; of others the server is asked
  const cache = name.startsWith("assets/") ? "default" : "no-cache";
  const response = await fetch(addressOf(name), { cache, credentials: "omit" });
  const content = await response.arrayBuffer();
  if (!response.ok || (await sha256(content)) !== digest) {
    throw new Error(`${name}: not as it was packed`);
  }
  return whole(content, response.headers, digest);
}

/** What is stored of a file: its content, its type, and what every answer says. */
function whole(content: ArrayBuffer, given: Headers, digest: string): Response {
  const type = given.get("Content-Type") ?? "application/octet-stream";
  return new Response(content, { headers: { ...self.PACKED.headers, "Content-Type": type, [DIGEST]: digest } });
}

async function sha256(content: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function takeOver(): Promise<void> {
  for (const name of await ownStores()) {
    if (name !== STORE) {
      await caches.delete(name);
    }
  }
  await self.clients.claim();
}

async function ownStores(): Promise<string[]> {
  return (await caches.keys()).filter((name) => name.startsWith(PREFIX));
}

async function answer(request: Request): Promise<Response> {
  const asked = new URL(request.url);
  if (asked.origin !== self.location.origin || request.method !== "GET") {
    return Response.error();
  }
  const address = request.mode === "navigate" && isStart(asked) ? addressOf(INDEX) : asked.origin + asked.pathname;
  return (await stored(address)) ?? fetch(request);
}

/** What the store has; nothing where the browser has lost it, and the network has to do. */
async function stored(address: string): Promise<Response | undefined> {
  try {
    return await (await caches.open(STORE)).match(address);
  } catch {
    return undefined;
  }
}

/** Whether an address is that of the app itself, with or without its first page's name. */
function isStart(asked: URL): boolean {
  const start = new URL(self.registration.scope).pathname;
  return asked.pathname === start || asked.pathname === start + INDEX;
}

function addressOf(name: string): string {
  return new URL(name, self.registration.scope).href;
}
