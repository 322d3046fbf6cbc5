/* Writes moments in the reader's own time zone, and keeps "12 min ago" true, also in parts that htmx brings in later.
   The server has written the same in the shop's zone (accounts/moments.py); both follow CLDR. */
const language = document.documentElement.lang || "en";
const day = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
const time = new Intl.DateTimeFormat(language, { timeStyle: "short" });
const whole = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "long" });
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const distances = {
  minute: new Intl.RelativeTimeFormat(language, { style: "short" }),
  hour: new Intl.RelativeTimeFormat(language),
  day: new Intl.RelativeTimeFormat(language),
};

const oneLine = (text) => text.replaceAll("\u202f", "\u00a0");
const exact = (at) => oneLine(`${day.format(at)}, ${time.format(at)}`);

/* "3 hours ago"; nothing for a moment that has just been, whose words the server knows. */
function distance(at) {
  const seconds = Math.trunc((at - Date.now()) / 1000);
  const far = Math.abs(seconds);
  if (far >= WEEK) return oneLine(day.format(at));
  if (seconds > -MINUTE && seconds <= 0) return "";
  const [unit, size] = far < HOUR ? ["minute", MINUTE] : far < DAY ? ["hour", HOUR] : ["day", DAY];
  const count = Math.max(1, Math.trunc(far / size)) * Math.sign(seconds);
  const text = oneLine(distances[unit].format(count, unit));
  return unit === "minute" ? text.replace(".", "") : text;
}

function setText(element, text) {
  if (element && text && element.textContent !== text) element.textContent = text;
}

function write(element) {
  const at = new Date(element.dateTime);
  if (Number.isNaN(at.getTime())) return;
  const { moment } = element.dataset;
  if (moment === "words") {
    setText(element.querySelector(".time__words"), distance(at));
    setText(element.querySelector(".time__exact"), exact(at));
  } else {
    setText(element, { exact: exact(at), time: oneLine(time.format(at)), day: oneLine(day.format(at)) }[moment]);
  }
  element.title = oneLine(whole.format(at));
}

function writeAll(part) {
  for (const element of part.querySelectorAll("time[data-moment]")) write(element);
}

writeAll(document);
setInterval(() => writeAll(document), MINUTE * 1000);
document.addEventListener("htmx:load", (event) => writeAll(event.detail.elt));
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") writeAll(document); // a page that slept has missed its minutes
});
