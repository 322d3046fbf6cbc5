/* A form that was sent says so on its button and is not sent twice, until another page or htmx's answer has come. The
   button is not disabled: that would take its value out of what is sent, and the focus away. */
const GIVE_UP_MS = 20_000; // the reader stopped it, or nothing came of it: it can be sent again
const DOWNLOAD_MS = 2_500; // a file comes and the page stays
const underWay = new Map();
const status = document.querySelector("[data-busy-status]");

function buttonOf(form, submitter) {
  return submitter || [...form.elements].find((control) => control.type === "submit");
}

function show(button) {
  const { width, height } = button.getBoundingClientRect();
  const words = button.dataset.busyLabel && button.querySelector("span");
  const before = words?.innerHTML;
  if (words) {
    // What is longer or shorter than the label must not move the page.
    Object.assign(button.style, { inlineSize: `${width}px`, blockSize: `${height}px` });
    words.textContent = button.dataset.busyLabel;
  }
  button.setAttribute("aria-busy", "true");
  return () => {
    button.removeAttribute("aria-busy");
    if (words) {
      Object.assign(button.style, { inlineSize: "", blockSize: "" });
      words.innerHTML = before;
    }
  };
}

function end(form) {
  const { restore, timer } = underWay.get(form);
  clearTimeout(timer);
  restore();
  underWay.delete(form);
  if (status && !underWay.size) status.textContent = "";
}

function begin(form, submitter, patience) {
  const button = buttonOf(form, submitter);
  underWay.set(form, { restore: button ? show(button) : () => {}, timer: setTimeout(() => end(form), patience) });
  if (status) status.textContent = button?.dataset.busyLabel || status.dataset.text;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const { submitter } = event;
  if (event.defaultPrevented || form.getAttribute("method") === "dialog") return; // htmx's, or another script's
  if (underWay.has(form)) {
    event.preventDefault();
    return;
  }
  const stays = "downloads" in form.dataset || form.target === "_blank" || submitter?.formTarget === "_blank";
  begin(form, submitter, stays ? DOWNLOAD_MS : GIVE_UP_MS);
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.detail.elt;
  if (form.tagName !== "FORM") return;
  if (underWay.has(form)) {
    event.preventDefault();
    return;
  }
  begin(form, event.detail.requestConfig.triggeringEvent?.submitter, GIVE_UP_MS);
});

// Where the answer takes the form's place, htmx tells what is around it; the form that asked stands in the request.
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.requestConfig.elt;
  const leads = event.detail.xhr.getResponseHeader("HX-Redirect");
  if (underWay.has(form) && !leads) end(form);
});

// Back in the history, the page is as it was left.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) [...underWay.keys()].forEach(end);
});
