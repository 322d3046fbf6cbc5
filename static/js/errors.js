/* The summary of what is wrong takes the focus; what is mended goes from it, from beside its field, and in the end from
   the page's title. Fields with `data-answered-by` are judged by the server as they are typed: see mendAnswered. */
const summary = document.querySelector("[data-error-summary]");

function takeFocus() {
  const active = document.activeElement;
  const typing = active?.matches("input, textarea") && active.value !== active.defaultValue;
  if (!typing) summary.focus();
}

function follow(event) {
  const link = event.target.closest("a[href^='#']");
  const target = link && document.getElementById(link.hash.slice(1));
  if (!target) return;
  event.preventDefault();
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  target.focus({ preventScroll: true });
  (target.closest(".field, fieldset") || target).scrollIntoView({ block: "center" });
}

function forget(entries) {
  entries.forEach((entry) => entry.remove());
  if (!summary.isConnected || summary.querySelector("li")) return;
  const { titlePrefix } = summary.dataset;
  if (document.title.startsWith(titlePrefix)) document.title = document.title.slice(titlePrefix.length);
  summary.remove();
}

function entriesOf(wanted) {
  return [...summary.querySelectorAll("li")].filter(wanted);
}

function leadsTo(entry) {
  return document.getElementById(entry.querySelector("a[href^='#']")?.hash.slice(1) || "");
}

/* `holder` is the field that was wrong, or the group it belongs to. */
function errorBeside(holder) {
  const ids = (holder.getAttribute("aria-describedby") || "").split(/\s+/);
  return document.getElementById(ids.find((id) => id.endsWith("_error")) || "");
}

function entriesAbout(holder) {
  return entriesOf((entry) => holder.contains(document.getElementById(entry.dataset.mendedBy)));
}

function mend(holder) {
  const beside = errorBeside(holder);
  holder.removeAttribute("aria-invalid");
  if (beside) {
    const others = holder.getAttribute("aria-describedby").split(/\s+/).filter((id) => id !== beside.id);
    if (others.length) holder.setAttribute("aria-describedby", others.join(" "));
    else holder.removeAttribute("aria-describedby");
    beside.remove();
  }
  forget(entriesAbout(holder));
}

function isMended(field) {
  const isChosen = ["checkbox", "radio"].includes(field.type);
  return field.validity.valid && (isChosen || field.value !== field.defaultValue);
}

function judge(event) {
  const field = event.target;
  if (!field.validity || !field.form) return;
  // What was wrong with all of it together was said of what is not there any more.
  forget(entriesOf((entry) => !entry.dataset.mendedBy && (leadsTo(entry)?.form ?? field.form) === field.form));
  const holder = field.closest("[aria-invalid='true']");
  if (holder && !field.dataset.answeredBy && isMended(field)) mend(holder);
  // What else is only as good as this field, like the lines of a mass order.
  else if (!holder && field.id) forget(entriesOf((entry) => entry.dataset.mendedBy === field.id));
}

/* The server's answer to what is being typed: it names each field that is still wrong, and why. */
function mendAnswered(event) {
  for (const field of document.querySelectorAll("[data-answered-by][aria-invalid='true']")) {
    const answer = document.querySelector(field.dataset.answeredBy);
    if (!answer?.contains(event.target)) continue;
    const problem = answer.querySelector(`[data-problem-of="${field.name}"]`);
    if (problem) say(field, problem.textContent.trim());
    else if (isMended(field)) mend(field);
  }
}

function say(field, text) {
  const beside = errorBeside(field);
  if (beside?.textContent.trim() === text) return;
  if (beside) (beside.querySelector("li") || beside).textContent = text;
  for (const entry of entriesAbout(field)) {
    const link = entry.querySelector("a");
    link.textContent = `${link.dataset.label || ""}${text}`;
  }
}

if (summary) {
  takeFocus();
  summary.addEventListener("click", follow);
  document.addEventListener("input", judge);
  document.addEventListener("change", judge);
  document.addEventListener("htmx:afterSettle", mendAnswered);
}
