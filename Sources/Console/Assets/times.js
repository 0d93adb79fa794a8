// Shows times in the zone of the reader. The title keeps the time in UTC.
const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function times(root) {
  for (const element of root.querySelectorAll("time[data-time]")) {
    const text = element.querySelector(".abs");
    if (text) text.textContent = format.format(new Date(element.dateTime));
  }
}
