// A conversation: its end is in sight, Enter sends and Ctrl+Enter breaks the line, what is looked at counts as read, and a voice is recorded.
const LONGEST = 120;  // seconds of a clip
const $ = (id) => document.getElementById(id);
const BEAT = 5000, IDLE = 120000;  // milliseconds between two words of one's presence, and without a touch until one is no longer there
let asked = null, recorder = null, touched = Date.now(), typing = 0;

begin();
addEventListener("replaced", begin);
document.addEventListener("visibilitychange", tell);
for (const kind of ["keydown", "pointerdown", "pointermove"]) addEventListener(kind, () => { touched = Date.now(); }, { passive: true });
setInterval(beat, BEAT);
beat();

function begin() {
  const talk = $("talk"), text = $("text"), record = document.querySelector("[data-record]");
  if (!talk) return;
  const end = () => { talk.scrollTop = talk.scrollHeight; };
  end();
  new MutationObserver(end).observe(talk, { childList: true });
  talk.addEventListener("load", end, true);  // pictures grow the page when they come
  new MutationObserver(tell).observe($("unread"), { childList: true, subtree: true });
  text?.addEventListener("keydown", typed);
  text?.addEventListener("input", () => { if (Date.now() - typing > BEAT) { typing = Date.now(); beat(); } typing = Date.now(); });
  text?.addEventListener("paste", (event) => { if (event.clipboardData.files.length) { event.preventDefault(); text.form.elements.files.files = event.clipboardData.files; } });
  if (record && window.MediaRecorder && navigator.mediaDevices) {
    record.hidden = false;
    record.addEventListener("click", () => (recorder ? recorder.stop() : hear(record)));
  }
  tell();
}

function typed(event) {
  const text = event.target;
  if (event.key !== "Enter" || event.isComposing || event.shiftKey) return;
  event.preventDefault();
  if (event.ctrlKey) text.setRangeText("\n", text.selectionStart, text.selectionEnd, "end");
  else if (text.value.trim() || text.form.elements.files.files.length) text.form.requestSubmit();
}

// Who else is here is asked while somebody sits here; nobody is kept signed in by it.
async function beat() {
  const place = $("presence"), csrf = document.querySelector(".saying input[name=csrf]")?.value;
  if (!place || !csrf || document.hidden || Date.now() - touched > IDLE) return;
  const data = new URLSearchParams({ csrf }), say = (words, names) => words.replace("{}", names.join(place.dataset.comma));
  if (Date.now() - typing < BEAT) data.append("typing", "1");
  const answer = await fetch(place.dataset.url, { method: "POST", body: data, headers: { Accept: "application/json" } }).catch(() => null);
  const now = answer?.ok ? await answer.json() : { here: [], typing: [], cut: false };
  place.textContent = now.typing.length ? say(place.dataset.typing, now.typing) : now.here.length ? say(place.dataset.here, now.here) : now.cut ? place.dataset.cut : "";
}

// Nothing is read in a hidden tab, and the same form is sent once.
function tell() {
  const form = $("unread")?.querySelector("form[data-reads]"), mark = form?.textContent;
  if (!form || document.hidden || mark === asked) return;
  asked = mark;
  fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).then((answer) => { if (answer.ok) { form.remove(); asked = null; } }).catch(() => { asked = null; });
}

async function hear(record) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch(() => null);
  if (!stream) return alert(record.dataset.denied);
  const parts = [], began = Date.now(), long = () => Math.max(1, Math.round((Date.now() - began) / 1000));
  recorder = new MediaRecorder(stream, { mimeType: "audio/webm;codecs=opus", audioBitsPerSecond: 24000 });
  recorder.ondataavailable = (event) => parts.push(event.data);
  const timer = setInterval(() => { record.textContent = `${record.dataset.stop} ${long()}"`; if (long() >= LONGEST) recorder.stop(); }, 250);
  record.classList.add("recording");
  recorder.onstop = () => {
    clearInterval(timer);
    for (const track of stream.getTracks()) track.stop();
    recorder = null;
    record.classList.remove("recording");
    record.textContent = record.dataset.record;
    clip(record.form, new File(parts, "voice.webm", { type: "audio/webm" }), Math.min(long(), LONGEST));
  };
  recorder.start();
}

// By itself, so that what is being typed stays; the page hears of it as of every message.
async function clip(form, file, seconds) {
  const data = new FormData();
  data.append("csrf", form.elements.csrf.value);
  data.append("seconds", seconds);
  data.append("files", file);
  const answer = await fetch(form.action, { method: "POST", body: data, headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) alert((await answer?.json().catch(() => null))?.detail || form.querySelector("[data-record]").dataset.failed);
}
