/* Delivered goods: one button opens every secret of the card, or closes them all again. Copying is site.js's. */
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-shows-secrets]");
  if (!button) return;
  const label = button.querySelector("[data-other]");
  const open = button.dataset.open !== "yes";
  for (const secret of button.closest("[data-goods]").querySelectorAll("details")) secret.open = open;
  button.dataset.open = open ? "yes" : "no";
  [label.textContent, label.dataset.other] = [label.dataset.other, label.textContent];
});
