// The console's script: the theme, live updates, the place to type, keys. The
// pages work without it. Every piece of HTML it inserts was rendered by the
// server's templates; it makes none of its own.
"use strict";
(() => {
  const root = document.documentElement;
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const store = {
    get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    set: (key, value) => { try { value ? localStorage.setItem(key, value) : localStorage.removeItem(key); } catch { /* private mode */ } },
  };
  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  const paint = (theme) => { if (theme) root.dataset.theme = theme; else delete root.dataset.theme; };
  paint(store.get("hikeshi-theme")); // before anything is drawn

  let word; // the sentences that the page brought along

  document.addEventListener("DOMContentLoaded", () => {
    word = document.body.dataset;
    theme();
    times(document);
    setInterval(ages, 1000);
    menus();
    presses();
    composer();
    keys();
    if ($("#stream")) room();
    if (word.stream) live();
  });

  function theme() {
    const button = $("#theme");
    button.hidden = false;
    button.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches;
      const next = dark ? "light" : "dark";
      const own = (next === "dark") === systemDark.matches ? "" : next; // as the system: nothing to remember
      store.set("hikeshi-theme", own);
      paint(own);
    });
  }

  // Times: the server writes UTC; here they become the reader's own.
  function times(from) {
    const lang = root.lang;
    const clock = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const seconds = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
    const date = new Intl.DateTimeFormat(lang, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const full = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "long" });
    for (const t of $$("time[data-clock], time[data-date], time[data-age]", from)) {
      const at = new Date(t.dateTime);
      if (isNaN(at)) continue;
      t.title = full.format(at);
      if (t.dataset.clock === "s") t.textContent = seconds.format(at);
      else if ("clock" in t.dataset) t.textContent = (Date.now() - at > 20 * 3600e3 ? date : clock).format(at);
      if ("date" in t.dataset) t.textContent = date.format(at);
    }
    ages();
  }

  function ages() {
    const lang = root.lang;
    const say = (n, unit) => new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay: "short" }).format(n);
    for (const t of $$("time[data-age]")) {
      const s = Math.max(0, Math.floor((Date.now() - new Date(t.dateTime)) / 1000));
      const parts = s < 60 ? [say(s, "second")]
        : s < 3600 ? [say(Math.floor(s / 60), "minute"), say(s % 60, "second")]
          : s < 86400 ? [say(Math.floor(s / 3600), "hour"), say(Math.floor(s % 3600 / 60), "minute")]
            : [say(Math.floor(s / 86400), "day"), say(Math.floor(s % 86400 / 3600), "hour")];
      if (/^0\D/.test(parts[1] || "")) parts.pop();
      const text = lang === "ja" ? parts.join("").replaceAll(" ", "") : parts.join(" ");
      if (t.textContent !== text) t.textContent = text;
    }
  }

  function menus() {
    document.addEventListener("click", (e) => {
      for (const d of $$("details.me[open]")) if (!d.contains(e.target)) d.open = false;
    });
  }

  // Sending: forms go by fetch, and what comes back is shown in place. What is
  // sent again after a failure carries the same name, so it happens once.
  const fresh = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

  async function send(form, fields) {
    const body = new URLSearchParams(new FormData(form));
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    const address = new URL(form.action);
    address.searchParams.set("lang", root.lang); // answer as the page speaks
    const answer = await fetch(address, { method: "POST", body, headers: { "Hikeshi-Fragment": "1" } });
    const to = answer.headers.get("Hikeshi-Location");
    if (to) {
      location.assign(to);
      return true;
    }
    const html = await answer.text();
    if (html) show(html);
    return answer.ok;
  }

  function parse(html) {
    const t = document.createElement("template");
    t.innerHTML = html.trim();
    times(t.content);
    return t.content.firstElementChild;
  }

  // show puts an answer that only the reader sees below everything else.
  function show(html) {
    const box = $("#replies");
    if (!box) return;
    place(parse(html));
  }

  function place(element) {
    const box = $("#replies");
    const close = document.createElement("button");
    close.type = "button";
    close.className = "dismiss";
    close.textContent = "✕";
    close.setAttribute("aria-label", word.wordClose);
    close.addEventListener("click", () => element.remove());
    element.append(close);
    while (box.children.length >= 3) box.firstElementChild.remove();
    box.append(element);
    toBottom();
  }

  function fail() {
    const box = document.createElement("div");
    box.className = "problem";
    box.setAttribute("role", "alert");
    const p = document.createElement("p");
    p.textContent = word.wordOffline;
    box.append(p);
    place(box);
  }

  function presses() {
    document.addEventListener("submit", async (e) => {
      const form = e.target;
      const button = e.submitter;
      if (!("press" in form.dataset) || !button || !$("#replies")) return;
      e.preventDefault();
      if (form.ariaBusy) return;
      form.ariaBusy = "true";
      button.dataset.once ||= fresh();
      try {
        await send(form, { button: button.value, once: button.dataset.once });
        delete button.dataset.once; // answered, whatever the answer was
      } catch {
        fail();
      }
      form.ariaBusy = null;
    });
  }

  // The place to type, with completion of the commands.
  function composer() {
    const form = $("[data-compose]");
    if (!form) return;
    const text = $("textarea", form);
    const pop = $(".pop", form);
    const all = $$("li", pop);
    let at = -1;

    const open = () => !pop.hidden;
    const shown = () => all.filter((li) => !li.hidden);
    const close = () => { pop.hidden = true; select(-1); };
    const verb = () => /^\/(?:(?:inc|incident)(?:\s+|$))?(\S*)(\s)?/.exec(text.value);

    function select(i) {
      at = i;
      const visible = shown();
      for (const li of all) li.setAttribute("aria-selected", "false");
      const li = visible[i];
      if (li) {
        li.setAttribute("aria-selected", "true");
        li.scrollIntoView({ block: "nearest" });
        text.setAttribute("aria-activedescendant", li.id);
      } else {
        text.removeAttribute("aria-activedescendant");
      }
    }

    function suggest() {
      text.classList.toggle("cmd", text.value.startsWith("/") && !text.value.startsWith("//"));
      const m = text.value.startsWith("//") ? null : verb();
      if (!m || text.value.includes("\n")) return close();
      const typed = m[1].toLowerCase();
      const names = (li) => [li.dataset.name, ...li.dataset.also.trim().split(/\s+/).filter(Boolean)];
      for (const li of all) {
        li.hidden = m[2] !== undefined ? !names(li).includes(typed) : !names(li).some((n) => n.startsWith(typed));
      }
      if (!shown().length) return close();
      pop.hidden = false;
      select(m[2] === undefined ? 0 : -1);
    }

    function take(li) {
      const m = verb();
      const rest = m ? text.value.slice(m[0].length) : "";
      text.value = "/" + li.dataset.name + " " + rest;
      text.focus({ preventScroll: true });
      suggest();
    }

    // What is typed while an answer is awaited stays, and is sent next.
    let next = false;
    async function submit() {
      if (form.ariaBusy) next = true;
      if (!text.value.trim() || form.ariaBusy) return;
      form.ariaBusy = "true";
      close();
      const sent = text.value;
      let done = false;
      try {
        done = await send(form, {});
        if (done) {
          text.value = text.value.startsWith(sent) ? text.value.slice(sent.length) : text.value;
          suggest();
          form.elements.once.value = fresh();
          toBottom();
        }
      } catch {
        fail();
      }
      form.ariaBusy = null;
      text.focus({ preventScroll: true });
      const again = done && next;
      next = false;
      if (again) submit();
    }

    text.addEventListener("input", suggest);
    text.addEventListener("focus", suggest);
    text.addEventListener("blur", () => setTimeout(close, 150));
    pop.addEventListener("mousedown", (e) => {
      e.preventDefault();
      const li = e.target.closest("li");
      if (li) take(li);
    });
    form.addEventListener("submit", (e) => { e.preventDefault(); submit(); });
    text.addEventListener("keydown", (e) => {
      if (e.isComposing || e.keyCode === 229) return; // an input method is at work: Enter is its own
      const visible = shown();
      if (open() && (e.key === "ArrowDown" || e.key === "ArrowUp")) {
        e.preventDefault();
        const step = e.key === "ArrowDown" ? 1 : -1;
        select((at + step + visible.length) % visible.length);
      } else if (open() && e.key === "Tab" && !e.shiftKey && at >= 0) {
        e.preventDefault();
        take(visible[at]);
      } else if (e.key === "Enter" && !e.shiftKey) {
        e.preventDefault();
        const m = verb();
        if (open() && at >= 0 && m && visible[at].dataset.name !== m[1]) take(visible[at]);
        else submit();
      } else if (e.key === "Escape") {
        if (open()) close(); else text.blur();
        e.stopPropagation();
      }
    });
  }

  function keys() {
    document.addEventListener("keydown", (e) => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      if (e.key === "Escape") {
        for (const d of $$("details.me[open]")) { d.open = false; $("summary", d).focus(); }
        return;
      }
      if (e.target.closest("input, textarea, select, [contenteditable]")) return;
      if (e.key === "/" && $("#text")) {
        e.preventDefault();
        const text = $("#text");
        text.focus({ preventScroll: true });
        if (!text.value) { text.value = "/"; text.dispatchEvent(new Event("input")); }
      } else if (e.key === "j" || e.key === "k") {
        move(e.key === "j" ? 1 : -1);
      }
    });
  }

  // j and k: the rows of the list, or the messages of a room with something to press.
  function move(step) {
    const stops = $$("[data-row] .what a, .stream .m-suggestions, .stream .m-approval, .stream .m-run, .stream .m-diagnostics, .stream .m-said, .stream .m-reply");
    if (!stops.length) return;
    const now = stops.findIndex((el) => el.contains(document.activeElement));
    const next = stops[Math.min(Math.max(now < 0 ? (step > 0 ? 0 : stops.length - 1) : now + step, 0), stops.length - 1)];
    if (next.tagName !== "A") next.tabIndex = -1;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  // The war room
  const nearBottom = () => innerHeight + scrollY >= root.scrollHeight - 180;
  function toBottom() {
    if (!$("#stream")) return;
    scrollTo({ top: root.scrollHeight, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  function room() {
    jump();
    const pill = $("#fresh");
    pill.addEventListener("click", () => {
      const to = pill.dataset.to && document.getElementById(pill.dataset.to);
      pill.hidden = true;
      if (to) to.scrollIntoView({ block: "start", behavior: "smooth" }); else toBottom();
    });
    addEventListener("scroll", () => { if (!pill.dataset.to && nearBottom()) pill.hidden = true; }, { passive: true });
    if (location.hash && location.hash !== "#composer") return;
    scrollTo(0, root.scrollHeight);
    // What can be decided now should not be out of sight.
    const open = $$(".stream button.primary").at(-1)?.closest(".m");
    if (open && open.getBoundingClientRect().top < 120) open.scrollIntoView({ block: "start" });
  }

  const seen = (el) => { const r = el.getBoundingClientRect(); return r.bottom > 130 && r.top < innerHeight - 100; };

  function notice(text, to) {
    const pill = $("#fresh");
    pill.textContent = text;
    pill.dataset.to = to || "";
    pill.hidden = false;
  }

  // jump lists where the important messages of the room are.
  function jump() {
    const nav = $("#jump");
    const last = (selector) => $$(selector, $("#stream")).at(-1);
    const links = [
      ["approval", $$('[data-kind="approval"]', $("#stream")).filter((m) => $("button", m)).at(-1)],
      ["suggestions", last('[data-kind="suggestions"]')],
      ["diagnostics", last('[data-kind="diagnostics"]')],
      ["run", last('[data-kind="run"]')],
    ].filter(([, m]) => m);
    nav.hidden = !links.length;
    nav.replaceChildren(...links.map(([kind, m]) => {
      const a = document.createElement("a");
      a.href = "#" + m.id;
      a.textContent = nav.dataset[kind];
      if (kind === "approval") a.className = "hot";
      return a;
    }));
  }

  // upsert puts a message where it belongs: in place of the one it edits, else
  // by its number.
  function upsert(piece) {
    const el = parse(piece.html);
    const stay = nearBottom();
    const old = document.getElementById(piece.id);
    if ("pinned" in el.dataset) {
      keepOpen($("#card"), el);
      $("#card").replaceChildren(el);
      return;
    }
    if (old) {
      keepOpen(old, el);
      const focused = old.contains(document.activeElement) ? document.activeElement.value || old.id : "";
      el.classList.add("flash");
      quietly(() => old.replaceWith(el));
      if (focused) refocus(el, focused);
      if (!seen(el) && /suggestions|approval|run/.test(el.dataset.kind)) {
        const name = $("#jump").dataset[el.dataset.kind];
        notice(word.wordChanged.replace("{what}", name), el.id);
      }
    } else {
      const others = [...$("#stream").children];
      if (piece.seq < Math.min(...others.map((m) => Number(m.dataset.seq)).filter((n) => n > 3)) && $(".talk > .more")) return; // on an earlier page
      const next = others.find((m) => Number(m.dataset.seq) > piece.seq);
      el.classList.add("in");
      $("#stream").insertBefore(el, next || null);
      if (!stay) notice(word.wordNew, "");
      if (document.hidden && !document.title.startsWith("• ")) document.title = "• " + document.title;
    }
    jump();
    if (stay) toBottom();
  }

  // An edit is no news: a screen reader should not read the message again.
  function quietly(edit) {
    const log = $("#stream");
    log.setAttribute("aria-live", "off");
    edit();
    setTimeout(() => log.setAttribute("aria-live", "polite"), 300);
  }

  function keepOpen(old, el) {
    for (const d of $$("details[open][data-k]", old)) {
      const same = $(`details[data-k="${CSS.escape(d.dataset.k)}"]`, el);
      if (same) same.open = true;
    }
  }

  function refocus(el, value) {
    const same = $$("button", el).find((b) => b.value === value);
    if (same) same.focus({ preventScroll: true }); else { el.tabIndex = -1; el.focus({ preventScroll: true }); }
  }

  // list puts a new list in place of the old one and keeps the reader's place.
  function list(piece) {
    const next = parse(piece.html);
    const old = $("#rows");
    const mark = (row) => row && [$(".sev", row), $(".st", row), $(".firing", row), $(".lead", row)].map((x) => x?.textContent).join();
    for (const row of $$("[data-row]", next)) {
      const before = document.getElementById(row.id);
      if (mark(before) !== mark(row)) row.classList.add("flash");
    }
    const focused = document.activeElement?.closest("[data-row]")?.id;
    old.replaceWith(next);
    if (focused) $(".what a", document.getElementById(focused) || next)?.focus({ preventScroll: true });
    document.title = document.title.replace(/^(\(\d+\) )?/, Number(next.dataset.open) ? `(${next.dataset.open}) ` : "");
  }

  // Live updates. The browser reconnects by itself and says what it saw last;
  // where it gives up (an error answer), we try again more and more slowly.
  function live() {
    const lamp = $("#live");
    let source = null;
    let rev = 0;
    let wait = 2000;
    let timer = 0;
    const state = (s) => {
      lamp.dataset.state = s;
      $("span", lamp).textContent = s === "on" ? word.wordLive : s === "lost" ? word.wordLost : "";
    };
    const close = () => { clearTimeout(timer); source?.close(); source = null; };
    function connect() {
      close();
      const address = new URL(word.stream, location.href);
      if (rev) address.searchParams.set("after", rev);
      source = new EventSource(address);
      source.addEventListener("open", () => { state("on"); wait = 2000; $("#trouble").hidden = true; });
      source.addEventListener("error", async () => {
        state("lost");
        if (source?.readyState !== EventSource.CLOSED) return;
        close();
        timer = setTimeout(connect, wait);
        wait = Math.min(wait * 2, 30000);
        const probe = await fetch("/api/v1/incidents?limit=1").catch(() => null);
        if (probe?.status === 401) {
          close();
          $("span", lamp).textContent = word.wordGone;
        }
      });
      source.addEventListener("message", (e) => { rev = Number(e.lastEventId) || rev; upsert(JSON.parse(e.data)); });
      source.addEventListener("head", (e) => {
        const head = parse(JSON.parse(e.data).html);
        const now = Number($("#head").dataset.version);
        const next = Number(head.dataset.version);
        if (next < now) location.reload(); // not the incident we know: the server begins anew
        else if (next > now) {
          if (head.dataset.status !== $("#head").dataset.status) $("#announce").textContent = $(".st", head).textContent;
          $("#head").replaceWith(head);
        }
      });
      source.addEventListener("list", (e) => list(JSON.parse(e.data)));
      source.addEventListener("trouble", (e) => {
        const { text } = JSON.parse(e.data);
        $("#trouble").textContent = text;
        $("#trouble").hidden = !text;
      });
    }
    // A page that nobody looks at gives its connection back: browsers have few.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) timer = setTimeout(() => { if (document.hidden) { close(); state("off"); } }, 60000);
      else if (!source) connect();
      if (!document.hidden) document.title = document.title.replace(/^• /, "");
    });
    addEventListener("pagehide", close);
    addEventListener("pageshow", (e) => { if (e.persisted) connect(); });
    connect();
  }
})();
