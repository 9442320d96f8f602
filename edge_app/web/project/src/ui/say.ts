/** The user's language: every text of the page goes through here, English first. */

import { Catalogue, filled, type Messages } from "./catalogue";

export type Language = "en" | "fr" | "es" | "sw";
export type Values = Readonly<Record<string, string | number>>;

/** In their own names, which are the same in every language. */
export const LANGUAGES: Readonly<Record<Language, string>> = {
  en: "English",
  fr: "Français",
  es: "Español",
  sw: "Kiswahili",
};

let catalogue = new Catalogue({});

/** A message in the user's language, with the {names} in it replaced by `values`. */
export function say(message: string, values: Values = {}): string {
  const translated = catalogue.translate(message);
  const texts = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
  return Object.keys(texts).length ? filled(translated, texts) : translated;
}

/** Marks a message that is said later. */
export function msg(message: string): string {
  return message;
}

export function isLanguage(name: string): name is Language {
  return Object.hasOwn(LANGUAGES, name);
}

/** Take a language from now on; false, and English, where its messages cannot be loaded. */
export async function speak(language: Language, base: URL): Promise<boolean> {
  let messages: Messages = {};
  let isLoaded = true;
  if (language !== "en") {
    try {
      const answer = await fetch(new URL(`strings/${language}.json`, base));
      if (!answer.ok) throw new Error(answer.statusText);
      messages = (await answer.json()) as Messages;
    } catch {
      isLoaded = false;
    }
  }
  catalogue = new Catalogue(messages);
  document.documentElement.lang = isLoaded ? language : "en";
  return isLoaded;
}
