/** The film in a photo is framed by hand; what lies outside the frame is cut off. Nothing is straightened. */

import type { App } from "../app";
import { el, fill } from "../dom";
import { card, cells, quietTap, remark, tap, words } from "../kit";
import { say } from "../say";
import type { Screen } from "../shell";

const JPEG_QUALITY = 0.95;
/** As large as the Kivy app makes the film of a photo. */
const LONGEST_PX = 2048;
/** A frame's least side, and how far an arrow key moves a corner, as shares of the photo. */
const LEAST = 0.1;
const STEP = 0.01;
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The frame's edges as shares of the photo, from its upper left corner. */
interface Edges {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export function photoScreen(app: App): Screen {
  const place = el("div", { class: "page" }, words(say("The photo is being opened…")));
  const begin = async (): Promise<void> => {
    if (app.photo === null) return app.shell.go("#new");
    try {
      fill(place, ...framing(app, await createImageBitmap(app.photo)));
    } catch {
      const again = cells(quietTap(say("Take again"), () => app.shell.go("#new")));
      fill(place, card(words(say("the photo cannot be read; take it again"), "warning"), again));
    }
  };
  return { title: say("Photo of a film"), back: "#new", element: place, shown: () => void begin() };
}

function framing(app: App, photo: ImageBitmap): readonly HTMLElement[] {
  const scale = Math.min(1, LONGEST_PX / Math.max(photo.width, photo.height));
  const canvas = el("canvas", {
    class: "photo",
    role: "img",
    "aria-label": say("The photo"),
    width: Math.round(photo.width * scale),
    height: Math.round(photo.height * scale),
  });
  canvas.getContext("2d")?.drawImage(photo, 0, 0, canvas.width, canvas.height);
  const edges: Edges = { left: 0.05, top: 0.05, right: 0.95, bottom: 0.95 };
  const frame = new Frame(edges);
  const screen = async (): Promise<void> => {
    const cut = await cutOut(photo, edges);
    photo.close();
    app.photo = null;
    app.form.film = { name: `photo-${Date.now()}.jpg`, bytes: cut, isPhoto: true, cameAs: null };
    app.shell.go("#answer");
  };
  return [
    words(say("Drag the corners of the frame onto those of the film, or move them with the arrow keys.")),
    el("div", { class: "framing" }, canvas, frame.element),
    remark(
      say("A photo is not straightened here: a slanted one has to be taken again, straight in front of the film."),
    ),
    remark(say(app.tables.photoOfFilm)),
    cells(
      tap(say("Go on"), () => app.shell.run(screen())),
      quietTap(say("Take again"), () => app.shell.go("#new")),
    ),
  ].filter((one) => one !== null);
}

/** The frame with a handle at two opposite corners, which are dragged or moved by keys. */
class Frame {
  readonly element = el("div", { class: "frame" });
  private readonly inner = el("div", { class: "frame-inner" });

  constructor(private readonly edges: Edges) {
    const first = this.handle(say("Upper left corner"), "first", (x, y) => {
      edges.left = within(x, 0, edges.right - LEAST);
      edges.top = within(y, 0, edges.bottom - LEAST);
    });
    const last = this.handle(say("Lower right corner"), "last", (x, y) => {
      edges.right = within(x, edges.left + LEAST, 1);
      edges.bottom = within(y, edges.top + LEAST, 1);
    });
    this.inner.append(first, last);
    this.element.append(this.inner);
    this.place();
  }

  private handle(name: string, which: "first" | "last", put: (x: number, y: number) => void): HTMLElement {
    const handle = el("button", { type: "button", class: `handle ${which}`, "aria-label": name });
    const bring = (x: number, y: number): void => {
      put(x, y);
      this.place();
    };
    const corner = (): readonly [number, number] => {
      const { left, top, right, bottom } = this.edges;
      return which === "first" ? [left, top] : [right, bottom];
    };
    const under = (event: PointerEvent): readonly [number, number] => {
      const { left, top, width, height } = this.element.getBoundingClientRect();
      return [(event.clientX - left) / width, (event.clientY - top) / height];
    };
    let held: readonly [number, number] = [0, 0]; // from the corner to the finger
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      const [finger, at] = [under(event), corner()];
      held = [finger[0] - at[0], finger[1] - at[1]];
    });
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const finger = under(event);
      bring(finger[0] - held[0], finger[1] - held[1]);
    });
    handle.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.key];
      if (arrow === undefined) return;
      event.preventDefault();
      const at = corner();
      bring(at[0] + arrow[0] * STEP, at[1] + arrow[1] * STEP);
    });
    return handle;
  }

  private place(): void {
    const { left, top, right, bottom } = this.edges;
    const { style } = this.inner;
    style.left = `${100 * left}%`;
    style.top = `${100 * top}%`;
    style.width = `${100 * (right - left)}%`;
    style.height = `${100 * (bottom - top)}%`;
  }
}

async function cutOut(photo: ImageBitmap, edges: Edges): Promise<Uint8Array<ArrayBuffer>> {
  const [x, y] = [edges.left * photo.width, edges.top * photo.height];
  const [width, height] = [(edges.right - edges.left) * photo.width, (edges.bottom - edges.top) * photo.height];
  const scale = Math.min(1, LONGEST_PX / Math.max(width, height));
  const canvas = el("canvas", { width: Math.round(width * scale), height: Math.round(height * scale) });
  canvas.getContext("2d")?.drawImage(photo, x, y, width, height, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
  if (blob === null) throw new Error("the photo could not be cut");
  return new Uint8Array(await blob.arrayBuffer());
}

function within(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
