/** The way in: a token, exchanged for the session's cookie and then forgotten. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { type Problem, signIn } from "../api/client";
import { useSpeech } from "../i18n/language";
import { usePageTitle } from "../ui/usePageTitle";
import { LanguageSwitch } from "./LanguageSwitch";
import { Mark } from "./Mark";
import "./signin.css";

export function SignIn() {
  const { t } = useSpeech();
  usePageTitle(t("signIn.title"));
  const client = useQueryClient();
  const exchange = useMutation<void, Problem, string>({
    mutationFn: signIn,
    // Nothing that an earlier session read outlives it.
    onSuccess: () => client.resetQueries(),
    networkMode: "always",
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const token = new FormData(event.currentTarget).get("token");
    if (typeof token === "string") exchange.mutate(token.trim());
  };

  return (
    <main className="sign-in">
      <form className="sign-in-form" onSubmit={submit}>
        <div className="sign-in-head">
          <Mark />
          <LanguageSwitch />
        </div>
        <h1>{t("signIn.title")}</h1>
        <p className="lead">{t("signIn.lead")}</p>
        <label htmlFor="token">{t("signIn.token")}</label>
        <input
          id="token"
          name="token"
          type="password"
          required
          autoComplete="off"
          spellCheck={false}
          aria-describedby="sign-in-problem"
          data-testid="sign-in-token"
        />
        <p id="sign-in-problem" className="sign-in-problem" role="alert">
          {exchange.error === null ? null : <Refusal problem={exchange.error} />}
        </p>
        <button
          type="submit"
          className="button button-strong"
          disabled={exchange.isPending}
          data-testid="sign-in-submit"
        >
          {exchange.isPending ? t("signIn.busy") : t("signIn.submit")}
        </button>
      </form>
    </main>
  );
}

function Refusal({ problem }: { problem: Problem }) {
  const { t } = useSpeech();
  if (problem.kind === "signed_out" || problem.status === 403) return t("signIn.refused");
  return `${t(`problem.${problem.kind}`)}. ${problem.detail ?? t(`problem.${problem.kind}.remedy`)}`;
}
