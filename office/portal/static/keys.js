// Keyboard: "/" search, "n" new, "g d" desk, "j" and "k" through rows, "?" help. Never while typing.
let before = "";

export function keys() {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape" && typing) return typing.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const pair = before + event.key;
    before = event.key === "g" ? "g" : "";
    if (pair === "gd") return go(event, "/");
    if (event.key === "?") return overlay(event);
    if (event.key === "j" || event.key === "k") return move(event, event.key === "j" ? 1 : -1);
    const found = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!found) return;
    event.preventDefault();
    if (found.matches("input")) found.focus(); else found.click();
  });
}

function overlay(event) {
  const box = document.getElementById("keys");
  if (!box || !box.showModal) return go(event, "/help");
  event.preventDefault();
  if (!box.open) box.showModal();
}

function go(event, url) {
  event.preventDefault();
  location.href = url;
}

function move(event, step) {
  const rows = [...document.querySelectorAll(".table tbody tr a[href], .matters a.title")];
  if (!rows.length) return;
  event.preventDefault();
  const next = rows[Math.min(rows.length - 1, Math.max(0, rows.indexOf(document.activeElement) + step))];
  next.focus();
}
