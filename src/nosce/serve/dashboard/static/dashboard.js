// The dashboard's only script. Every page works without it; with it pages are live and need no mouse.
"use strict";
(() => {
  const one = (what, from = document) => from.querySelector(what);
  const all = (what, from = document) => [...from.querySelectorAll(what)];
  const typing = (e) => e.target.closest?.("input, textarea, select, [contenteditable]") || e.ctrlKey || e.metaKey || e.altKey;

  // Theme: the system's, until somebody says otherwise; a cookie, so that the server paints it right at once.
  const toggle = one("[data-theme-toggle]");
  if (toggle) {
    const dark = () => (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    const name = () => { toggle.textContent = dark() ? "Light" : "Dark"; };
    toggle.hidden = false;
    name();
    toggle.addEventListener("click", () => {
      const theme = dark() ? "light" : "dark";
      document.documentElement.dataset.theme = theme;
      document.cookie = `nosce_theme=${theme}; path=/; max-age=31536000; samesite=strict`;
      name();
    });
  }
  one(".rail nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  for (const form of all("form[data-sure]")) form.addEventListener("submit", (e) => { if (!confirm(form.dataset.sure)) e.preventDefault(); });
  for (const field of all("select[data-go-on]")) field.addEventListener("change", () => field.form.submit());

  // Keys.
  const keys = one("#keys"), keysButton = one("[data-keys]");
  if (keysButton) { keysButton.hidden = false; keysButton.addEventListener("click", () => keys.showModal()); }
  let going = 0;
  const step = (by) => {
    const links = all(".list tbody th a, .list > li > a");
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    links[Math.min(links.length - 1, Math.max(0, at < 0 ? 0 : at + by))].focus();
  };
  if (location.hash === "#find") one("#find")?.focus();
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && e.target.closest?.("input, textarea, select")) return e.target.blur();
    if (typing(e) || keys?.open) return;
    if (e.key === "?") return keys?.showModal();
    if (Date.now() - going < 1500) {
      going = 0;
      const link = one(`[data-go="${CSS.escape(e.key)}"]`);
      if (link) { e.preventDefault(); link.click(); }
      return;
    }
    if (e.key === "g") { going = Date.now(); return; }
    if (e.key === "/" && one("#find")) { e.preventDefault(); return one("#find").select(); }
    if (e.key === "/") { e.preventDefault(); location.href = "/#find"; return; }
    if (e.key === "j" || e.key === "k") { e.preventDefault(); return step(e.key === "j" ? 1 : -1); }
    const button = one(`button[data-key="${CSS.escape(e.key)}"]`);
    if (button && !button.disabled) { e.preventDefault(); return button.click(); }
    const link = one(`a[data-key-link="${CSS.escape(e.key)}"]`);
    if (link) { e.preventDefault(); link.click(); }
  });

  // Traces: arrows walk the tree, right opens and left closes; all steps open at once; a link to share.
  const tree = one("[data-tree]");
  if (tree) {
    const steps = () => all("summary, .line", tree).filter((e) => e.checkVisibility());
    const opens = one("[data-open-all]");
    opens.hidden = !one("details", tree);
    opens.addEventListener("click", () => {
      const open = opens.textContent === "Open all";
      for (const step of all("details", tree)) step.open = open;
      opens.textContent = open ? "Close all" : "Open all";
    });
    tree.addEventListener("keydown", (e) => {
      if (e.ctrlKey || e.metaKey || e.altKey || !["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"].includes(e.key)) return;
      const known = steps(), at = known.indexOf(document.activeElement), within = document.activeElement.closest("details");
      e.preventDefault();
      if (e.key === "ArrowRight" && within && !within.open) within.open = true;
      else if (e.key === "ArrowLeft" && within?.open) { within.open = false; one("summary", within).focus(); }
      else known[{ Home: 0, End: known.length - 1, ArrowUp: Math.max(0, at - 1), ArrowLeft: Math.max(0, at - 1) }[e.key] ?? Math.min(known.length - 1, at + 1)]?.focus();
    });
    document.addEventListener("keydown", (e) => {
      if ((e.key === "ArrowDown" || e.key === "ArrowUp") && document.activeElement === document.body) { e.preventDefault(); steps()[0]?.focus(); }
    });
  }
  const copy = one("[data-copy]");
  if (copy && navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      const done = await navigator.clipboard.writeText(location.origin + location.pathname).then(() => "Copied", () => "Copy it from the address bar");
      copy.textContent = done;
      setTimeout(() => { copy.textContent = "Copy link"; }, 2000);
    });
  }
  const until = one("[data-until]");
  if (until) {
    const wait = async () => {
      if (!document.hidden) {
        const answer = await fetch(until.dataset.until, { headers: { "x-nosce": "live" } }).catch(() => null);
        if (answer && (!answer.ok || await answer.text() !== "started")) return location.reload();
      }
      setTimeout(wait, 2000);
    };
    setTimeout(wait, 2000);
  }

  // Live pages: asked every two seconds while somebody looks; where nothing is new, nothing is sent. A hidden tab asks nothing.
  // A list that somebody points at, or walks with the keyboard, stands still and says so.
  const live = one("[data-live]");
  if (live) {
    const says = (text) => { if (live.textContent !== text) live.textContent = text; };
    live.hidden = false;
    live.addEventListener("click", () => { live.setAttribute("aria-pressed", String(live.getAttribute("aria-pressed") !== "true")); says(live.getAttribute("aria-pressed") === "true" ? "live" : "paused"); });
    const renew = (name, made) => { const now = one(name), next = one(name, made); if (now && next) now.replaceWith(next); };
    const show = (made) => {
      const before = one("#now h1").textContent.trim(), focused = document.activeElement?.closest("#now a")?.getAttribute("href");
      renew("#now", made);
      if (focused) one(`#now a[href="${CSS.escape(focused)}"]`)?.focus();
      document.title = one("#now").dataset.title;
      const after = one("#now h1").textContent.trim();
      if (after !== before) one("#heard").textContent = after;
    };
    // A server that does not answer must not look well: after two looks in vain the page says so, until it answers again.
    let vain = 0;
    const lost = () => {
      says("no answer");
      if (++vain !== 2) return;
      one("#now").classList.add("stale");
      one("#now h1").textContent = one("#heard").textContent = "The server does not answer";
      document.title = "Alarm: the server does not answer · Nosce";
      one("#rows").dataset.version = "";
    };
    const look = async () => {
      const rows = one("#rows");
      if (live.getAttribute("aria-pressed") === "true" && !document.hidden) {
        try {
          const answer = await fetch(`${live.dataset.live}&seen=${encodeURIComponent(rows.dataset.version)}`, { headers: { "x-nosce": "live" } });
          if (answer.status === 401) return location.reload();
          if (answer.status === 200) {
            const made = new DOMParser().parseFromString(await answer.text(), "text/html");
            const still = rows.contains(document.activeElement) || rows.matches(":hover");
            show(made);
            if (!still) rows.replaceWith(one("#rows", made));
            says(still ? "new ones wait" : "live");
            vain = 0;
          } else if (answer.ok) { vain = 0; says("live"); } else lost();
          live.classList.toggle("lost", vain > 0);
        } catch { lost(); live.classList.add("lost"); }
      }
      setTimeout(look, 2000);
    };
    setTimeout(look, 2000);
  }

  // The playground: both sides at once, each telling what it does until its answer is there.
  const play = one("#play");
  if (play) {
    const box = one("#question");
    for (const example of all("[data-example]")) {
      example.hidden = false;
      example.addEventListener("click", () => { box.value = example.dataset.example; play.requestSubmit(); });
    }
    box.addEventListener("keydown", (e) => { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) play.requestSubmit(); });
    const said = (told) => {
      const value = typeof told.value === "number" ? ` ${told.value.toFixed(2)}` : "";
      return [told.status, told.act || told.name || told.action || told.tool || "", told.rung || ""].filter(Boolean).join(" ") + value;
    };
    const ask = async (side) => {
      const out = one(".out", side), list = document.createElement("ul");
      list.className = "happens";
      out.replaceChildren(list);
      const fields = new URLSearchParams({ csrf: play.elements.csrf.value, question: box.value, strategy: one("select", side).value });
      if (play.elements.upstream) fields.set("upstream", play.elements.upstream.value);
      const answer = await fetch(play.dataset.ask, { method: "POST", body: fields, headers: { "x-nosce": "ask" } });
      if (answer.status === 401) return location.reload();
      if (!answer.ok) throw new Error(one("main .note", new DOMParser().parseFromString(await answer.text(), "text/html"))?.textContent || answer.status);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      const counted = new Map();
      for (let held = "", piece; !(piece = await reader.read()).done;) {
        const lines = (held + piece.value).split("\n");
        held = lines.pop();
        for (const told of lines.filter(Boolean).map(JSON.parse)) {
          if (told.html) { out.replaceChildren(...new DOMParser().parseFromString(told.html, "text/html").body.childNodes); continue; }
          const name = said(told), item = counted.get(name) || list.appendChild(document.createElement("li"));
          item.count = (item.count || 0) + 1;
          counted.set(name, item);
          item.textContent = item.count > 1 ? `${name} × ${item.count}` : name;
          if (list.children.length > 8) { counted.delete(list.firstChild.textContent); list.firstChild.remove(); }
        }
      }
    };
    play.addEventListener("submit", async (e) => {
      e.preventDefault();
      const button = one("button.first", play);
      button.disabled = true;
      await Promise.all(all(".side", play).map((side) => ask(side).catch((error) => {
        const p = document.createElement("p");
        p.className = "alarm";
        p.textContent = `That did not work: ${error.message}`;
        one(".out", side).replaceChildren(p);
      })));
      button.disabled = false;
    });
  }
})();
