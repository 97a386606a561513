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
  document.addEventListener("keydown", (e) => {
    if (typing(e) || keys?.open) return;
    if (e.key === "?") return keys?.showModal();
    if (Date.now() - going < 1500) {
      going = 0;
      const link = one(`[data-go="${CSS.escape(e.key)}"]`);
      if (link) { e.preventDefault(); link.click(); }
      return;
    }
    if (e.key === "g") { going = Date.now(); return; }
    if (e.key === "j" || e.key === "k") { e.preventDefault(); return step(e.key === "j" ? 1 : -1); }
    const button = one(`button[data-key="${CSS.escape(e.key)}"]`);
    if (button && !button.disabled) { e.preventDefault(); return button.click(); }
    const link = one(`a[data-key-link="${CSS.escape(e.key)}"]`);
    if (link) { e.preventDefault(); link.click(); }
  });

  // Live lists: asked every two seconds while somebody looks; where nothing is new, nothing is sent.
  const live = one("[data-live]");
  if (live) {
    live.hidden = false;
    live.addEventListener("click", () => live.setAttribute("aria-pressed", String(live.getAttribute("aria-pressed") !== "true")));
    const look = async () => {
      const rows = one("#rows");
      if (live.getAttribute("aria-pressed") === "true" && !document.hidden && !rows.contains(document.activeElement) && !rows.matches(":hover")) {
        try {
          const answer = await fetch(`${live.dataset.live}&seen=${encodeURIComponent(rows.dataset.version)}`, { headers: { "x-nosce": "live" } });
          if (answer.status === 401) return location.reload();
          if (answer.status === 200) rows.replaceWith(one("#rows", new DOMParser().parseFromString(await answer.text(), "text/html")));
        } catch { /* the server is away; the next look may find it again */ }
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
