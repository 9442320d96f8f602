/** Elements with their attributes, listeners and children; texts become text nodes, never markup. */

export type Child = Node | string | null | false | undefined;
type Listener = (event: never) => void;
type Attributes = Readonly<Record<string, string | number | boolean | null | undefined | Listener>>;

/**
 * Make an element. An attribute that is true stands without a value, one that is false, null or undefined is left out,
 * and a function under "onclick" and the like listens to that event.
 */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...children.filter(isThere));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** Make an element of a drawing. */
export function svg(tag: string, attributes: Attributes = {}, ...children: readonly SVGElement[]): SVGElement {
  const element = document.createElementNS(SVG, tag);
  set(element, attributes);
  element.append(...children);
  return element;
}

/** Put these children in the place of those that are there. */
export function fill(element: Element, ...children: readonly Child[]): void {
  element.replaceChildren(...children.filter(isThere));
}

let count = 0;

/** An id that no other element of the page has. */
export function newElementId(): string {
  count += 1;
  return `e${count}`;
}

function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
}

function isThere(child: Child): child is Node | string {
  return child !== null && child !== undefined && child !== false && child !== "";
}
