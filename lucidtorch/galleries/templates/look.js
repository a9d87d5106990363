/* Light or dark, and copying. Every page shows its pictures and links without any script.
   It stands in the head, so that the remembered colours are there before the first paint. */
"use strict";

(() => {
  const THEME = "lucidtorch-theme";
  const html = document.documentElement;
  html.classList.add("js");

  /* ---- Light or dark ---- */

  /* A browser may forbid storage to pages opened from files; the choice then lasts for the page. */
  const remembered = () => {
    try { return localStorage.getItem(THEME); } catch { return null; }
  };
  const remember = (theme) => {
    try { localStorage.setItem(THEME, theme); } catch { /* nothing to do: the page has its colours */ }
  };
  const choose = (theme) => {
    if (["light", "dark"].includes(theme)) html.dataset.theme = theme;
    else delete html.dataset.theme;
  };
  choose(remembered());

  const isDark = () => html.dataset.theme
    ? html.dataset.theme === "dark"
    : !matchMedia("(prefers-color-scheme: light)").matches;

  /* Paper is white, whatever was chosen for the screen. */
  let onScreen;
  addEventListener("beforeprint", () => { onScreen = html.dataset.theme; choose("light"); });
  addEventListener("afterprint", () => choose(onScreen));

  /* ---- Copying ---- */

  const copyText = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = document.createElement("textarea");
      field.value = text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
  };

  const startCopying = (button) => {
    button.addEventListener("click", async () => {
      await copyText(button.parentElement.querySelector("pre").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1600);
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => {
      choose(isDark() ? "light" : "dark");
      remember(html.dataset.theme);
    });
    document.querySelectorAll(".copy").forEach(startCopying);
  });
})();
