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

/* What only galleries have: search, and moving about by keyboard. look.js stands before it. */
"use strict";

(() => {
  const MOST_RESULTS = 40;

  const element = (name, className, text = "") => {
    const made = document.createElement(name);
    made.className = className;
    made.textContent = text;
    return made;
  };

  const go = (relation) => {
    const link = document.querySelector(`link[rel="${relation}"]`);
    if (link) location.href = link.href;
    return Boolean(link);
  };

  /* ---- Search ---- */

  /* assets/search.js sets window.lucidtorchUnits: a list of [address, folder, [[index, label, dead, picture], ...]].
     It is a script because a page opened from a file may not fetch, and it is loaded when the search is first used. */
  let loading = null;
  const loadUnits = (root) => {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${root}assets/search.js`;
      script.onload = () => resolve(window.lucidtorchUnits);
      script.onerror = reject;
      document.head.append(script);
    });
    return loading;
  };

  /* How well a unit fits each word of the query; 0 where one word does not fit at all. */
  const isNumber = (word) => /^\d+$/.test(word);
  const scoreUnit = (words, address, index, label) => {
    let total = 0;
    for (const word of words) {
      const score = String(index) === word ? 8
        : label === word ? 7
        : label.startsWith(word) ? 6
        : label.includes(word) ? 5
        : address === word ? 4
        : isNumber(word) ? Number(String(index).startsWith(word))
        : address.includes(word) ? 2
        : 0;
      if (!score) return 0;
      total += score;
    }
    return total;
  };

  const find = (layers, query, here) => {
    const words = query.toLowerCase().split(/[\s:]+/).filter(Boolean);
    if (!words.length) return { found: [], count: 0 };
    const found = [];
    for (const [address, folder, units] of layers) {
      const lower = address.toLowerCase();
      const bonus = folder === here ? 0.5 : 0;
      if (words.every((word) => lower.includes(word))) {
        const score = lower === words[0] ? 100 : words.every(isNumber) ? 0.5 : 50;
        found.push({ score: score + bonus, address, folder, units: units.length, unit: null });
      }
      for (const unit of units) {
        const score = scoreUnit(words, lower, unit[0], unit[1].toLowerCase());
        if (score) found.push({ score: score + bonus, address, folder, unit });
      }
    }
    found.sort((one, other) => other.score - one.score);
    return { found: found.slice(0, MOST_RESULTS), count: found.length };
  };

  const showResult = ({ address, folder, unit, units }, place, root) => {
    const link = element("a", "");
    link.id = `result-${place}`;
    link.setAttribute("role", "option");
    link.setAttribute("aria-selected", "false");
    link.tabIndex = -1;
    link.href = `${root}layers/${folder}/${unit ? `unit-${unit[0]}` : "index"}.html`;
    const words = element("span", "words");
    if (unit === null) {
      link.append(element("span", "blank", "layer"));
      words.append(element("span", "what", address), element("span", "where", `${units} units`));
    } else {
      const [index, label, dead, picture] = unit;
      if (dead || !picture) {
        link.append(element("span", "blank", dead ? "dead" : "none"));
      } else {
        const image = element("img", "");
        image.src = root + picture;
        image.alt = "";
        image.width = image.height = 40;
        link.append(image);
      }
      words.append(element("span", "what", label ? `${index} ${label}` : `${index}`), element("span", "where", address));
    }
    link.append(words);
    return link;
  };

  const startSearch = () => {
    const input = document.getElementById("search");
    const panel = document.getElementById("results");
    const { root, layer } = document.body.dataset;
    let chosen = -1;

    const options = () => [...panel.querySelectorAll("a")];
    const open = (isOpen) => {
      panel.hidden = !isOpen;
      input.setAttribute("aria-expanded", String(isOpen));
    };
    const choose = (place) => {
      const links = options();
      chosen = links.length ? (place + links.length) % links.length : -1;
      links.forEach((link, at) => link.setAttribute("aria-selected", String(at === chosen)));
      if (chosen < 0) input.removeAttribute("aria-activedescendant");
      else {
        input.setAttribute("aria-activedescendant", links[chosen].id);
        links[chosen].scrollIntoView({ block: "nearest" });
      }
    };
    const say = (text) => {
      panel.replaceChildren(element("p", "", text));
      open(true);
    };
    const refresh = async () => {
      const query = input.value;
      if (!query.trim()) return open(false);
      let layers;
      try { layers = await loadUnits(root); } catch { return say("The search data (assets/search.js) is missing."); }
      if (query !== input.value) return undefined;
      const { found, count } = find(layers, query, layer);
      if (!found.length) return say(`Nothing is called “${query.trim()}”.`);
      panel.replaceChildren(...found.map((result, place) => showResult(result, place, root)));
      if (count > found.length) panel.append(element("p", "", `and ${(count - found.length).toLocaleString("en")} more`));
      panel.scrollTop = 0;
      open(true);
      return choose(0);
    };

    input.addEventListener("focus", () => { loadUnits(root).catch(() => {}); refresh(); });
    input.addEventListener("input", refresh);
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
      } else if (event.key === "Enter" && chosen >= 0 && !panel.hidden) {
        event.preventDefault();
        options()[chosen].click();
      } else if (event.key === "Escape") {
        event.stopPropagation();
        open(false);
        input.blur();
      }
    });
    document.addEventListener("pointerdown", (event) => {
      if (!event.target.closest(".search")) open(false);
    });
    return () => { input.focus(); input.select(); };
  };

  /* ---- Moving in a grid of pictures ---- */

  /* The tile beside, or the nearest one in the next row; undefined at the edge. */
  const neighbour = (tiles, from, key) => {
    if (key === "ArrowLeft") return tiles[from - 1];
    if (key === "ArrowRight") return tiles[from + 1];
    const down = key === "ArrowDown";
    const box = tiles[from].getBoundingClientRect();
    const middle = box.left + box.width / 2;
    let best, bestRow = Infinity, bestAside = Infinity;
    for (const tile of tiles) {
      const other = tile.getBoundingClientRect();
      const row = down ? other.top - box.top : box.top - other.top;
      const aside = Math.abs(other.left + other.width / 2 - middle);
      if (row > 4 && (row < bestRow - 4 || (row < bestRow + 4 && aside < bestAside))) {
        [best, bestRow, bestAside] = [tile, row, aside];
      }
    }
    return best;
  };

  const moveInGrid = (event, tiles) => {
    const from = tiles.indexOf(document.activeElement);
    const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
    if (from < 0 && !sideways) return;
    const seen = tiles.find((tile) => tile.getBoundingClientRect().top >= 60);
    const to = from < 0 ? (document.querySelector(".tile:target") ?? seen) : neighbour(tiles, from, event.key);
    if (to) {
      event.preventDefault();
      to.focus({ preventScroll: true });
      to.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else if (sideways) {
      go(event.key === "ArrowLeft" ? "prev" : "next");
    }
  };

  const onKey = (event, focusSearch, help) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || help.open) return;
    if (event.target.closest("input, textarea, select, pre")) return;
    if (event.key === "/") {
      event.preventDefault();
      focusSearch();
    } else if (event.key === "?") {
      help.showModal();
    } else if (event.key === "Escape") {
      go("up");
    } else if (event.key.startsWith("Arrow")) {
      const tiles = [...document.querySelectorAll(".tile")];
      if (tiles.length) moveInGrid(event, tiles);
      else if (event.key === "ArrowLeft") go("prev");
      else if (event.key === "ArrowRight") go("next");
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const help = document.getElementById("help");
    const focusSearch = startSearch();
    document.getElementById("ask").addEventListener("click", () => help.showModal());
    document.addEventListener("keydown", (event) => onKey(event, focusSearch, help));
  });
})();
