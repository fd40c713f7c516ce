import { useSpeech } from "../i18n/language";

/** Offers the other language, in its own words. */
export function LanguageSwitch() {
  const { language, setLanguage } = useSpeech();
  const other = language === "es" ? "en" : "es";
  return (
    <button
      type="button"
      className="button button-quiet"
      data-testid="language"
      lang={other}
      onClick={() => setLanguage(other)}
    >
      {other === "en" ? "English" : "Español"}
    </button>
  );
}
