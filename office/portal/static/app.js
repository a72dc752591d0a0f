// What makes the pages quicker; all of them work without it.
import { follow } from "./live.js";
import { keys } from "./keys.js";
import { forms } from "./forms.js";

keys();
forms();
if (document.body.dataset.live) follow();

// A menu that was opened closes when one goes elsewhere.
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.user[open]")) if (!open.contains(event.target)) open.open = false;
});
