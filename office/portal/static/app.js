// What makes the pages quicker; all of them work without it.
import { follow } from "./live.js";
import { keys } from "./keys.js";
import { forms } from "./forms.js";
import { remind } from "./remind.js";

keys();
forms();
remind();
if (document.body.dataset.live) follow();

// While the node cannot be reached, a page that the browser keeps says so. Without it everything else works as ever.
navigator.serviceWorker?.register("/worker.js").catch(() => {});

// A menu that was opened closes when one goes elsewhere.
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.user[open]")) if (!open.contains(event.target)) open.open = false;
});

// On a narrow screen the present tab and step may lie beyond the edge.
for (const here of document.querySelectorAll(".tabs [aria-current], .steps [aria-current]")) {
  const strip = here.closest("ul, ol");
  strip.scrollLeft = here.offsetLeft - strip.offsetLeft - (strip.clientWidth - here.offsetWidth) / 2;
}
