/** The language in use, chosen in one place and kept for the next visit. */

import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { type Language, LOCALES, preferredLanguage, type TextKey, text, wordOf } from "./texts";

const CHOICE = "language";

interface Speech {
  language: Language;
  locale: string;
  setLanguage: (language: Language) => void;
  t: (key: TextKey, values?: Readonly<Record<string, string>>) => string;
  word: (group: "state" | "phase" | "condition" | "unit", word: string) => string;
}

const SpeechContext = createContext<Speech | null>(null);

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(() =>
    preferredLanguage(localStorage.getItem(CHOICE), navigator.languages),
  );
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const speech = useMemo<Speech>(
    () => ({
      language,
      locale: LOCALES[language],
      setLanguage: (chosen) => {
        localStorage.setItem(CHOICE, chosen);
        setLanguage(chosen);
      },
      t: (key, values) => text(language, key, values),
      word: (group, word) => wordOf(language, group, word),
    }),
    [language],
  );
  return <SpeechContext value={speech}>{children}</SpeechContext>;
}

export function useSpeech(): Speech {
  const speech = useContext(SpeechContext);
  if (speech === null) throw new Error("useSpeech needs a LanguageProvider above it");
  return speech;
}
