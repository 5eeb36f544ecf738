"use strict";

// Keeps the page current: fetches it again every so often, and says so when the exporter no longer answers.
(() => {
  const period = Number(document.body.dataset.refresh) * 1000;
  // Absolute, because a relative address takes over a password from the address bar, which fetch() then refuses.
  const address = location.origin + location.pathname + location.search;
  const patience = 5000;
  const outdated = document.getElementById("outdated");
  const since = document.getElementById("since");
  let current = new Date();
  let timer;
  let fetching = false;

  async function fetchPage() {
    const response = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(patience) });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    // A proxy may answer 200 with a page of its own.
    if (!response.ok || !page.getElementById("accounts")) throw new Error(`no status page: ${response.status}`);
    return page;
  }

  function show(page) {
    const focused = document.activeElement?.id;
    document.getElementById("accounts").replaceWith(page.getElementById("accounts"));
    document.title = page.title;
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
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

  async function refresh() {
    if (fetching) return;
    clearTimeout(timer);
    fetching = true;
    await fetchPage().then(show).catch(warn);
    fetching = false;
    schedule();
  }

  function schedule() {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(refresh, period);
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : refresh()));
  schedule();
})();
