/** The page's texts: one list of keys, every language has all of them (the compiler sees to it). */

import { en } from "./en";
import { es } from "./es";

export type TextKey = keyof typeof es;
export type Texts = Readonly<Record<TextKey, string>>;
export type Language = "es" | "en";

export const TEXTS: Readonly<Record<Language, Texts>> = { es, en };

/** How each language writes numbers and dates. */
export const LOCALES: Readonly<Record<Language, string>> = { es: "es-MX", en: "en-US" };

/** A text with its `{placeholders}` filled in. */
export function text(
  language: Language,
  key: TextKey,
  values: Readonly<Record<string, string>> = {},
): string {
  return TEXTS[language][key].replace(
    /\{(\w+)\}/g,
    (placeholder, name: string) => values[name] ?? placeholder,
  );
}

/** A word that the server may send before this page knows it: translated where known, otherwise as sent. */
export function wordOf(
  language: Language,
  group: "state" | "phase" | "condition" | "unit",
  word: string,
): string {
  const key = `${group}.${word}`;
  return key in TEXTS[language] ? text(language, key as TextKey) : word;
}

/** The title, in the reader's language, of what the server names in both. */
export function titleOf(titled: { title_es: string; title_en: string }, language: Language): string {
  return language === "es" ? titled.title_es : titled.title_en;
}

/** The reader's earlier choice, else the first language of the browser that the page speaks, else Spanish. */
export function preferredLanguage(chosen: string | null, browser: readonly string[]): Language {
  const spoken = [chosen ?? "", ...browser].map((tag) => tag.slice(0, 2).toLowerCase());
  return spoken.find((tag): tag is Language => tag === "es" || tag === "en") ?? "es";
}
