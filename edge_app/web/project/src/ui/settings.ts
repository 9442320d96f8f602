/** What was set in this browser; where it keeps nothing, it holds for this visit. */

import type { ColourMap } from "../core/shared";
import { isLanguage, type Language } from "./say";

export type Theme = "system" | "light" | "dark";

export interface Settings {
  readonly language: Language;
  readonly theme: Theme;
  readonly colourMap: ColourMap;
}

const KEY = "osteo-edge settings";
const THEMES: readonly Theme[] = ["system", "light", "dark"];
const COLOUR_MAPS: readonly ColourMap[] = ["viridis", "cividis", "jet"];

/** What was set; where a value is missing or cannot be used it is as in a first visit, in `language`. */
export function readSettings(language: Language): Settings {
  let kept: Record<string, unknown> = {};
  try {
    const read: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    if (typeof read === "object" && read !== null) kept = { ...read };
  } catch {
    // no settings that can be read
  }
  return {
    language: typeof kept["language"] === "string" && isLanguage(kept["language"]) ? kept["language"] : language,
    theme: THEMES.find((theme) => theme === kept["theme"]) ?? "system",
    colourMap: COLOUR_MAPS.find((colours) => colours === kept["colourMap"]) ?? "viridis",
  };
}

/** Keep the settings; whether they are there the next time. */
export function keepSettings(settings: Settings): boolean {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
    return true;
  } catch {
    return false;
  }
}

/** Have the page look as it was set. */
export function wear(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}
