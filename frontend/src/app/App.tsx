/** From the session to a tab: sign-in without one, otherwise the shell with the tabs that the server names. */

import { QueryClientProvider } from "@tanstack/react-query";
import { type ComponentType, useState } from "react";
import { Link, Redirect, Route, Switch, useLocation } from "wouter";
import { pageCache, useSession } from "../api/queries";
import type { Session, Tab } from "../api/types";
import { LanguageProvider, useSpeech } from "../i18n/language";
import { titleOf } from "../i18n/texts";
import { TestingTab } from "../testing/TestingTab";
import { FailureBoundary } from "../ui/FailureBoundary";
import { EmptyNotice, ProblemNotice, Skeleton } from "../ui/Notice";
import { usePageTitle } from "../ui/usePageTitle";
import { Shell } from "./Shell";
import { SignIn } from "./SignIn";

/** The tabs that this version knows, by the server's id. */
const TAB_PAGES: Readonly<Record<string, ComponentType>> = { testing: TestingTab };

export function App() {
  const [cache] = useState(pageCache);
  return (
    <QueryClientProvider client={cache}>
      <LanguageProvider>
        <Gate />
      </LanguageProvider>
    </QueryClientProvider>
  );
}

function Gate() {
  const { data: session, error, refetch } = useSession();
  if (error?.kind === "signed_out") return <SignIn />;
  if (session !== undefined) {
    return (
      <Shell session={session}>
        <Tabs session={session} />
      </Shell>
    );
  }
  return (
    <main className="shell-content">
      {error === null ? (
        <Skeleton count={1} className="skeleton-page" />
      ) : (
        <ProblemNotice problem={error} onRetry={() => void refetch()} />
      )}
    </main>
  );
}

function Tabs({ session: { tabs } }: { session: Session }) {
  const { t } = useSpeech();
  const [first] = tabs;
  if (first === undefined) return <EmptyNotice title={t("app.noTabs")}>{t("app.noTabs.detail")}</EmptyNotice>;
  return (
    <Switch>
      <Route path="/">
        <Redirect to={`/${first.id}`} replace />
      </Route>
      {tabs.map((tab) => (
        <Route key={tab.id} path={`/${tab.id}`}>
          <TabPage tab={tab} />
        </Route>
      ))}
      <Route>
        <NotFound first={first} />
      </Route>
    </Switch>
  );
}

function TabPage({ tab }: { tab: Tab }) {
  const { t, language } = useSpeech();
  usePageTitle(titleOf(tab, language));
  const Page = TAB_PAGES[tab.id];
  if (Page !== undefined) {
    return (
      <FailureBoundary>
        <Page />
      </FailureBoundary>
    );
  }
  return <EmptyNotice title={t("app.unknownTab")}>{t("app.unknownTab.detail", { tab: tab.id })}</EmptyNotice>;
}

function NotFound({ first }: { first: Tab }) {
  const { t } = useSpeech();
  const [path] = useLocation();
  return (
    <EmptyNotice title={t("app.notFound")}>
      {t("app.notFound.detail", { path })} <Link href={`/${first.id}`}>{t("app.notFound.back")}</Link>
    </EmptyNotice>
  );
}
