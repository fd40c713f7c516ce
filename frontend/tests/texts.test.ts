import { describe, expect, it } from "vitest";
import { LOCALES, preferredLanguage, TEXTS, text, wordOf } from "../src/i18n/texts";

const placeholders = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

describe("languages", () => {
  it("have the same texts with the same placeholders, none of them empty", () => {
    expect(Object.keys(TEXTS.en).sort()).toEqual(Object.keys(TEXTS.es).sort());
    for (const [key, spanish] of Object.entries(TEXTS.es)) {
      const english = TEXTS.en[key as keyof typeof TEXTS.en];
      expect(placeholders(english), key).toEqual(placeholders(spanish));
      expect(spanish.trim() && english.trim(), key).not.toBe("");
    }
  });

  it("have locales that this runtime knows", () => {
    for (const locale of Object.values(LOCALES)) {
      expect(Intl.NumberFormat.supportedLocalesOf(locale)).toEqual([locale]);
    }
  });

  it("follow the choice, then the browser, then Spanish", () => {
    expect(preferredLanguage("en", ["es-PR"])).toBe("en");
    expect(preferredLanguage(null, ["fr-FR", "en-GB", "es"])).toBe("en");
    expect(preferredLanguage("xx", ["de"])).toBe("es");
  });

  it("fill placeholders, and pass on words that the page does not know", () => {
    expect(text("es", "freshness.age", { age: "3 s" })).toBe("hace 3 s");
    expect(wordOf("en", "state", "agent_silent")).toBe("Agent silent");
    expect(wordOf("en", "unit", "pallets")).toBe("pallets");
  });
});
