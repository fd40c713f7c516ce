/** What surrounds every tab: name, tabs, age of the data, language, sign-out. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useRoute } from "wouter";
import { type Problem, signOut } from "../api/client";
import { SESSION } from "../api/queries";
import type { Session, Tab } from "../api/types";
import { useSpeech } from "../i18n/language";
import { type Language, titleOf } from "../i18n/texts";
import { StreamProvider } from "../stream/StreamProvider";
import { FreshnessPill } from "./FreshnessPill";
import { LanguageSwitch } from "./LanguageSwitch";
import { Mark } from "./Mark";
import "./shell.css";

export function Shell({ session, children }: { session: Session; children: ReactNode }) {
  const { t } = useSpeech();
  return (
    <StreamProvider>
      <a className="skip" href="#content">
        {t("app.skip")}
      </a>
      <header className="shell-header">
        <Mark />
        <Tabs tabs={session.tabs} />
        <FreshnessPill />
        <div className="shell-person">
          <LanguageSwitch />
          <SignOut name={session.name} />
        </div>
      </header>
      <main id="content" className="shell-content" tabIndex={-1}>
        {children}
      </main>
    </StreamProvider>
  );
}

function Tabs({ tabs }: { tabs: Tab[] }) {
  const { t, language } = useSpeech();
  return (
    <nav className="shell-tabs" aria-label={t("app.tabs")}>
      {tabs.map((tab) => (
        <TabLink key={tab.id} tab={tab} language={language} />
      ))}
    </nav>
  );
}

function TabLink({ tab, language }: { tab: Tab; language: Language }) {
  const [here] = useRoute(`/${tab.id}`);
  return (
    <Link href={`/${tab.id}`} className="shell-tab" aria-current={here ? "page" : undefined}>
      {titleOf(tab, language)}
    </Link>
  );
}

function SignOut({ name }: { name: string }) {
  const { t } = useSpeech();
  const client = useQueryClient();
  const leave = useMutation<void, Problem>({
    mutationFn: signOut,
    onSuccess: () => client.resetQueries({ queryKey: SESSION }),
    networkMode: "always",
  });
  return (
    <>
      <span className="shell-name">{name}</span>
      <button
        type="button"
        className="button button-quiet"
        disabled={leave.isPending}
        onClick={() => leave.mutate()}
      >
        {t("app.signOut")}
      </button>
      {leave.error === null ? null : (
        <span className="visually-hidden" role="alert">
          {t(`problem.${leave.error.kind}`)}
        </span>
      )}
    </>
  );
}
