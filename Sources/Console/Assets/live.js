// Shows the results of a search while a person types, without a new page.
import { selection } from "./console.js";
import { times } from "./times.js";

export function live() {
  for (const form of document.querySelectorAll("form[data-live]")) watch(form);
}

function watch(form) {
  // The results change beside the field, so a screen reader is told how many there are.
  const count = document.createElement("p");
  count.className = "sr";
  count.setAttribute("aria-live", "polite");
  form.append(count);
  let timer;
  let running;
  const show = async () => {
    clearTimeout(timer);
    running?.abort();
    running = new AbortController();
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      // Of a pasted token only the beginning is needed, and the rest must not be in an address.
      const text = /^[a-z][a-z0-9]{0,3}_(live|test)_[0-9A-Za-z]{40,}$/.test(value.trim())
        ? value.trim().slice(0, 16) : value;
      if (text) query.set(name, text);
    }
    const target = `${form.getAttribute("action")}${query.size ? `?${query}` : ""}`;
    const results = document.querySelector(form.dataset.live);
    results.classList.add("is-busy");
    try {
      const answer = await fetch(target, { signal: running.signal, headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const found = page.querySelector(form.dataset.live);
      if (answer.redirected || !found) return location.assign(target);
      times(found);
      results.replaceWith(found);
      const rows = found.querySelectorAll("tbody > tr, .events > li").length;
      count.textContent = `${rows || "No"} ${rows === 1 ? "result" : "results"} on this page`;
      selection(document);
      history.replaceState(null, "", target);
    } catch (error) {
      if (error.name !== "AbortError") location.assign(target);
    }
  };
  form.addEventListener("input", (event) => {
    if (event.target.matches("select, input[type=date]")) return;
    clearTimeout(timer);
    timer = setTimeout(show, 200);
  });
  form.addEventListener("change", (event) => {
    if (event.target.matches("select, input[type=date]")) show();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
}
