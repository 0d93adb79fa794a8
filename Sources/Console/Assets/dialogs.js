// Opens the form of a change in a dialog, in place of its own page.
export function dialogs() {
  for (const form of document.querySelectorAll("form[data-dialog]")) {
    const dialog = document.getElementById(form.dataset.dialog);
    if (!dialog?.showModal) continue;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      dialog.showModal();
      dialog.querySelector("input:not([type=hidden]):not([type=radio]), input:checked")?.focus();
    });
    for (const link of dialog.querySelectorAll("[data-close]")) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        dialog.close();
      });
    }
    dialog.addEventListener("click", (event) => {
      if (event.target !== dialog) return;
      const box = dialog.getBoundingClientRect();
      const isInside = event.clientX >= box.left && event.clientX <= box.right
        && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!isInside) dialog.close();
    });
  }
}
