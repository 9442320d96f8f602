/** A film to be looked at closely: fingers, wheel, buttons or keys enlarge and move it, and the evidence lies over it. */

import { layer } from "../core/overlay";
import type { ColourMap, Shared } from "../core/shared";
import type { GreyPicture, Plane } from "../core/types";
import { el, newElementId } from "./dom";
import { cells, remark } from "./kit";
import { say } from "./say";

const MOST_ZOOM = 12;
/** How much one press of a button, or one notch of the wheel, enlarges. */
const STEP = 1.5;
/** How much of what is seen of an enlarged film an arrow key moves it by. */
const KEY_SHARE = 0.2;
const RAMP_PX = 128;
const LEAST_OPACITY = 0.1;
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [1, 0],
  ArrowRight: [-1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

interface Look {
  readonly overlay: Shared["overlay"];
  readonly colourMap: ColourMap;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** The film, its buttons, and the slider that tells how much of it the evidence hides. */
export class FilmView {
  readonly element: HTMLElement;
  private readonly box: HTMLElement;
  private readonly layers: HTMLElement;
  private readonly fingers = new Map<number, Point>();
  private zoom = 1;
  /** How far the film's middle lies from that of its box, in pixels. */
  private offset: Point = { x: 0, y: 0 };

  constructor(
    private readonly picture: GreyPicture,
    evidence: Plane | null,
    look: Look,
    noEvidence: string,
  ) {
    const film = canvasOf(greyPixels(picture), "film-picture");
    film.setAttribute("role", "img");
    film.setAttribute("aria-label", say("X-ray film"));
    const shown = evidence !== null && evidence.data.some((value) => value > 0) ? evidence : null;
    const veil =
      shown === null ? null : canvasOf(layer(shown, look.overlay.colourMaps, look.colourMap), "film-evidence");
    this.layers = el("div", { class: "film-layers" }, film, veil);
    this.box = el(
      "div",
      {
        class: "film",
        tabindex: 0,
        role: "group",
        "aria-label": say("Film: the plus and minus keys enlarge it, the arrow keys move it"),
      },
      this.layers,
    );
    this.listen();
    const tools = veil === null ? remark(noEvidence) : evidenceTools(veil, look);
    this.element = el(
      "section",
      { class: "film-part" },
      el("div", { class: "film-frame" }, this.box, this.buttons()),
      tools,
    );
  }

  private buttons(): HTMLElement {
    const button = (sign: string, name: string, onTap: () => void): HTMLElement =>
      el("button", { type: "button", class: "tap quiet sign", "aria-label": name, title: name, onclick: onTap }, sign);
    return el(
      "div",
      { class: "film-buttons" },
      button("+", say("Enlarge"), () => this.enlarge(STEP)),
      button("−", say("Make smaller"), () => this.enlarge(1 / STEP)),
      button("⤢", say("Show all of the film"), () => this.fit()),
    );
  }

  /** Show all of the film. */
  private fit(): void {
    this.zoom = 1;
    this.move({ x: 0, y: 0 });
  }

  /** Enlarge around a point, in pixels from the middle of the box. */
  private enlarge(factor: number, at: Point = { x: 0, y: 0 }): void {
    const zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor));
    const grown = zoom / this.zoom;
    this.zoom = zoom;
    this.move({ x: at.x - (at.x - this.offset.x) * grown, y: at.y - (at.y - this.offset.y) * grown });
  }

  /** Put the film's middle there, as far as its edges allow. */
  private move(offset: Point): void {
    const { clientWidth: width, clientHeight: height } = this.box;
    const scale = Math.min(width / this.picture.width, height / this.picture.height) * this.zoom;
    const reach = (side: number, room: number): number => Math.max(0, (side * scale - room) / 2);
    const [across, down] = [reach(this.picture.width, width), reach(this.picture.height, height)];
    this.offset = {
      x: Math.min(across, Math.max(-across, offset.x)),
      y: Math.min(down, Math.max(-down, offset.y)),
    };
    this.layers.style.transform = `translate(${this.offset.x}px, ${this.offset.y}px) scale(${this.zoom})`;
    this.box.classList.toggle("enlarged", this.zoom > 1);
  }

  private listen(): void {
    const box = this.box;
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("dblclick", () => this.fit());
    box.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && document.activeElement !== box && this.zoom === 1) return; // the page scrolls
        event.preventDefault();
        this.enlarge(event.deltaY < 0 ? STEP : 1 / STEP, this.from(event));
      },
      { passive: false },
    );
    box.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.fingers.set(event.pointerId, this.from(event));
      box.setPointerCapture(event.pointerId); // it may be let go elsewhere
    });
    box.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"] as const) {
      box.addEventListener(name, (event) => this.fingers.delete(event.pointerId));
    }
    new ResizeObserver(() => this.move(this.offset)).observe(box); // a phone is turned
  }

  private key(event: KeyboardEvent): void {
    const arrow = ARROWS[event.key];
    if (event.key === "+" || event.key === "=") this.enlarge(STEP);
    else if (event.key === "-") this.enlarge(1 / STEP);
    else if (event.key === "0") this.fit();
    else if (arrow !== undefined && this.zoom > 1) {
      const { clientWidth, clientHeight } = this.box;
      this.move({
        x: this.offset.x + arrow[0] * KEY_SHARE * clientWidth,
        y: this.offset.y + arrow[1] * KEY_SHARE * clientHeight,
      });
    } else return;
    event.preventDefault();
  }

  private drag(event: PointerEvent): void {
    const before = this.fingers.get(event.pointerId);
    if (before === undefined) return;
    const now = this.from(event);
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    this.fingers.set(event.pointerId, now);
    if (other === undefined) {
      if (this.zoom > 1) this.move({ x: this.offset.x + now.x - before.x, y: this.offset.y + now.y - before.y });
      return;
    }
    this.enlarge(apart(now, other) / Math.max(1, apart(before, other)), {
      x: (now.x + other.x) / 2,
      y: (now.y + other.y) / 2,
    });
  }

  /** Where an event is, in pixels from the middle of the box. */
  private from(event: MouseEvent): Point {
    const { left, top, width, height } = this.box.getBoundingClientRect();
    return { x: event.clientX - left - width / 2, y: event.clientY - top - height / 2 };
  }
}

/** Evidence on or off, how much of the film it hides, and what its colours stand for. */
function evidenceTools(veil: HTMLCanvasElement, { overlay, colourMap }: Look): HTMLElement {
  const id = newElementId();
  const colours = canvasOf(layer(rising(), overlay.colourMaps, colourMap), "ramp");
  const strength = (opacity: number): void => {
    for (const canvas of [veil, colours]) canvas.style.opacity = String(opacity);
  };
  const slider = el("input", {
    id,
    type: "range",
    min: LEAST_OPACITY,
    max: 1,
    step: 0.05,
    "aria-label": say("How much of the film the evidence hides"),
    oninput: () => strength(Number(slider.value)),
  });
  slider.value = String(overlay.opacity);
  strength(overlay.opacity);
  const shows = el("input", {
    type: "checkbox",
    checked: true,
    onchange: () => {
      veil.hidden = !shows.checked;
      slider.disabled = !shows.checked;
    },
  });
  return el(
    "div",
    { class: "evidence-tools" },
    cells(el("label", { class: "option" }, shows, el("span", {}, say("Evidence"))), slider),
    el("p", { class: "faint" }, say("Evidence to the model, relative to the strongest region of this image:")),
    el(
      "div",
      { class: "scale faint" },
      el("span", {}, say("none")),
      el("div", { class: "ramp-ground" }, colours),
      el("span", {}, say("strong")),
    ),
  );
}

/** The evidence from none to the strongest, side by side. */
function rising(): Plane {
  return { height: 1, width: RAMP_PX, data: Float32Array.from({ length: RAMP_PX }, (_, at) => at / (RAMP_PX - 1)) };
}

function greyPixels({ width, height, grey }: GreyPicture): ImageData {
  const pixels = new ImageData(width, height);
  for (let at = 0; at < grey.length; at++) {
    pixels.data.fill(grey[at] as number, 4 * at, 4 * at + 3);
    pixels.data[4 * at + 3] = 255;
  }
  return pixels;
}

function canvasOf(pixels: ImageData, kind: string): HTMLCanvasElement {
  const canvas = el("canvas", { class: kind, width: pixels.width, height: pixels.height });
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
  return canvas;
}

function apart(one: Point, other: Point): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
