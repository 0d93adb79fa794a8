// Makes the pages pleasant. Every page works without it.
import { dialogs } from "./dialogs.js";
import { live } from "./live.js";
import { times } from "./times.js";

for (const element of document.querySelectorAll("[data-without-scripts]")) element.hidden = true;
times(document);
dialogs();
live();
copyButtons();
suggestions();
dateField();
selection(document);
tips();

// A message about a change is shown once: a reload must not show it again.
const url = new URL(location.href);
if (url.searchParams.has("done") || url.searchParams.has("ended")) {
  url.searchParams.delete("done");
  url.searchParams.delete("ended");
  history.replaceState(null, "", url);
}
document.querySelector("#faults")?.focus();
// On a narrow screen, the navigation and the tabs scroll sideways.
for (const link of document.querySelectorAll("nav [aria-current=page]")) link.scrollIntoView({ block: "nearest", inline: "nearest" });

function copyButtons() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    const field = document.getElementById(button.dataset.copy);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        field.select();
        document.execCommand("copy");
      }
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    field.addEventListener("focus", () => field.select());
  }
}

function suggestions() {
  for (const list of document.querySelectorAll("[data-suggest]")) {
    const field = document.getElementById(list.dataset.suggest);
    for (const chip of list.querySelectorAll("code")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "chip";
      button.textContent = chip.textContent;
      button.setAttribute("aria-label", `Add the ${list.dataset.noun ?? "scope"} ${chip.textContent}`);
      button.addEventListener("click", () => {
        const lines = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
        if (!lines.includes(button.textContent)) lines.push(button.textContent);
        field.value = lines.join("\n");
      });
      chip.replaceWith(button);
    }
  }
}

function dateField() {
  for (const select of document.querySelectorAll("[data-date]")) {
    const field = document.getElementById(select.dataset.date);
    const show = () => { field.hidden = select.value !== "date"; };
    select.addEventListener("change", show);
    show();
  }
}

// The buttons for several keys do something only when keys are selected.
export function selection(root) {
  for (const form of root.querySelectorAll("[data-bulk]")) {
    const boxes = [...form.querySelectorAll("input[type=checkbox]")];
    const hint = form.querySelector(".bulk-hint");
    const text = hint?.textContent;
    const update = () => {
      const count = boxes.filter((box) => box.checked).length;
      if (hint && text) hint.textContent = count ? `${count} selected` : text;
    };
    form.addEventListener("change", update);
    update();
  }
}

function tips() {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  for (const title of document.querySelectorAll("[data-tip] title")) title.remove();
  document.addEventListener("pointermove", (event) => {
    const column = event.target.closest?.("[data-tip]");
    tip.hidden = !column;
    if (!column) return;
    tip.textContent = column.dataset.tip;
    const left = Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8);
    tip.setAttribute("data-at", "");
    tip.style.left = `${left}px`;
    tip.style.top = `${event.clientY + 14}px`;
  });
}
