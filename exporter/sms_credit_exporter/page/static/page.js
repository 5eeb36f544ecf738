"use strict";

// Keeps the page current: fetches it again every so often, and says so when the exporter no longer answers. Shows what
// is searched and chosen at once. Without it the form and all links work as well.
(() => {
  const period = Number(document.body.dataset.refresh) * 1000;
  const patience = 5000;
  const pause = 250; // while somebody types
  const outdated = document.getElementById("outdated");
  const since = document.getElementById("since");
  const form = document.getElementById("filter");
  const found = document.getElementById("found");
  let current = new Date();
  let timer;
  let typing;
  let fetching = null;

  // Absolute, because a relative address takes over a password from the address bar, which fetch() then refuses.
  const address = () => location.origin + location.pathname + location.search;

  async function fetchPage(signal) {
    const response = await fetch(address(), { cache: "no-store", signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    // A proxy may answer 200 with a page of its own.
    if (!response.ok || !page.getElementById("accounts")) throw new Error(`no status page: ${response.status}`);
    return page;
  }

  function show(page) {
    const focused = document.activeElement?.id;
    const open = [...document.querySelectorAll("details[open]")].map((details) => details.id);
    document.getElementById("accounts").replaceWith(page.getElementById("accounts"));
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    document.title = page.title;
    if (focused && document.activeElement?.id !== focused) {
      document.getElementById(focused)?.focus({ preventScroll: true });
    }
    current = new Date();
    outdated.hidden = true;
  }

  function warn() {
    const today = current.toDateString() === new Date().toDateString();
    const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    const words = current.toLocaleString("en-GB", today ? time : { day: "numeric", month: "short", ...time });
    // Writing the same words again would make a screen reader say them again.
    if (since.textContent !== words) since.textContent = words;
    since.dateTime = current.toISOString();
    outdated.hidden = false;
    document.getElementById("accounts").classList.add("outdated");
  }

  // Whoever asks for something else meanwhile gets nothing but that.
  async function refresh() {
    clearTimeout(timer);
    fetching?.abort();
    const mine = (fetching = new AbortController());
    const tooLate = setTimeout(() => mine.abort(), patience);
    try {
      const page = await fetchPage(mine.signal);
      if (fetching === mine) show(page);
    } catch {
      if (fetching === mine) warn();
    }
    clearTimeout(tooLate);
    if (fetching !== mine) return;
    fetching = null;
    schedule();
  }

  function schedule() {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(refresh, period);
  }

  async function choose() {
    clearTimeout(typing);
    const usual = (name) => form.elements[name].options?.[0].value ?? "";
    const chosen = [...new FormData(form)].filter(([name, value]) => value !== usual(name));
    history.replaceState(null, "", `${location.pathname}?${new URLSearchParams(chosen)}`);
    await refresh();
    found.textContent = document.querySelector(".found")?.textContent ?? "All accounts are shown.";
  }

  form?.addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(choose, event.target.type === "search" ? pause : 0);
  });
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    choose();
  });
  document.documentElement.classList.add("scripted");
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else if (!fetching) refresh();
  });
  schedule();
})();
