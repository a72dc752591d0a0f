// A conversation: its end is in sight, Enter sends and Ctrl+Enter breaks the line, and what is looked at counts as read.
const talk = document.getElementById("talk"), unread = document.getElementById("unread"), text = document.getElementById("text");
let asked = null;

talk.scrollTop = talk.scrollHeight;
new MutationObserver(() => { talk.scrollTop = talk.scrollHeight; }).observe(talk, { childList: true });
new MutationObserver(tell).observe(unread, { childList: true, subtree: true });
document.addEventListener("visibilitychange", tell);
text?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || event.shiftKey) return;
  event.preventDefault();
  if (event.ctrlKey) text.setRangeText("\n", text.selectionStart, text.selectionEnd, "end");
  else if (text.value.trim()) text.form.requestSubmit();
});
tell();

// Nothing is read in a hidden tab, and the same form is sent once.
function tell() {
  const form = unread.querySelector("form[data-reads]"), mark = form?.textContent;
  if (!form || document.hidden || mark === asked) return;
  asked = mark;
  fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).then((answer) => { if (answer.ok) { form.remove(); asked = null; } }).catch(() => { asked = null; });
}
