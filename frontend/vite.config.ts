import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds the API. */
const API = "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  build: {
    // The page's policy allows no data: addresses, so nothing is inlined.
    assetsInlineLimit: 0,
  },
  server: {
    proxy: { "/api": API },
  },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.{ts,tsx}"],
    testTimeout: 20_000,
    restoreMocks: true,
    unstubGlobals: true,
    env: { TZ: "America/Puerto_Rico" },
  },
});
