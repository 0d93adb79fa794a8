// Shows times in the zone of the reader. The title keeps the time in UTC.
const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export function times(root) {
  for (const element of root.querySelectorAll("time[data-time]")) {
    const text = element.querySelector(".abs");
    if (text) text.textContent = format.format(new Date(element.dateTime));
  }
  for (const element of root.querySelectorAll("time[data-ago]:not([data-local])")) {
    element.title = `${format.format(new Date(element.dateTime))} (${element.title})`;
    element.dataset.local = "";
  }
  // A text with a time in UTC: that of a change, or the present end in a list.
  for (const element of root.querySelectorAll("[data-utc]:not([data-local])")) {
    element.title = element.textContent;
    element.textContent = format.format(new Date(element.dataset.utc)) + (element.dataset.rest ?? "");
    element.dataset.local = "";
  }
  // The hours of a chart: its axis, and the words of its columns.
  for (const element of root.querySelectorAll("[data-hour]")) element.textContent = hour.format(new Date(element.dataset.hour));
  for (const element of root.querySelectorAll("[data-start]")) {
    element.dataset.tip = `${format.format(new Date(element.dataset.start))}: ${element.dataset.words}`;
  }
}
