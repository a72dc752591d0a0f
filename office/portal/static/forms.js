// Forms: what is typed is kept while it is not sent, and put back when it was refused; sent once; long uploads show how far they are; long choices can be filtered.
import { preview } from "./preview.js";
import { LARGE, resume } from "./resume.js";

const english = document.body.dataset.tongue === "en";
const token = () => document.body.dataset.csrf;

export function forms() {
  for (const form of document.querySelectorAll("form[data-draft]")) keep(form);
  for (const box of document.querySelectorAll("[data-find]")) filter(box);
  for (const box of document.querySelectorAll("[data-preview]")) preview(box);
  for (const field of document.querySelectorAll("[data-moment]")) calendar(field);
  for (const area of document.querySelectorAll("textarea[data-count]")) count(area);
  for (const area of document.querySelectorAll(".act-form textarea")) area.addEventListener("focus", () => phrases(area), { once: true });
  for (const form of document.querySelectorAll("form[method=post]")) form.addEventListener("submit", once);
  for (const form of document.querySelectorAll("form[data-upload]")) form.addEventListener("submit", upload);
  back();
}

function once(event) {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  if (!form.dataset.draft && !form.querySelector("input[type=password]")) sessionStorage.setItem("sent", JSON.stringify({ session: token(), form: name(form), typed: values(form) }));
  addEventListener("pageshow", () => delete form.dataset.sent, { once: true });
}

// Where a form goes and what it is about: its hidden fields but for the ones that tell how fresh its page is.
function name(form) {
  const about = [...form.elements].filter((field) => field.type === "hidden" && !["csrf", "version"].includes(field.name));
  return [form.getAttribute("action"), ...about.map((field) => `${field.name}=${field.value}`)].join(" ");
}

// What was sent last is forgotten on the next page, unless that says why it was refused: then it stands again where it was typed.
function back() {
  const sent = JSON.parse(sessionStorage.getItem("sent") || "null"), refused = document.querySelector(".mishap .lead");
  if (sent && refused && sent.session === token()) return sessionStorage.setItem("sent", JSON.stringify({ ...sent, refused: refused.textContent }));
  sessionStorage.removeItem("sent");
  if (!sent?.refused || sent.session !== token()) return;
  const form = [...document.querySelectorAll("form[method=post]")].find((one) => name(one) === sent.form);
  if (!form) return;
  const note = document.createElement("p");
  note.className = "note bad";
  note.setAttribute("role", "alert");
  note.textContent = sent.refused + (english ? " What you typed is still here." : "您填写的内容还在这里。");
  fill(form, sent.typed);
  for (let box = form.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  form.prepend(note);
  form.querySelector("textarea, input:not([type=hidden]), select")?.focus();
}

let known;

// One's own phrases beside a field in which an opinion is written.
async function phrases(area) {
  known ||= fetch("/me/phrases.json").then((answer) => (answer.ok ? answer.json() : [])).catch(() => []);
  const found = await known;
  if (!found.length) return;
  const choice = document.createElement("select");
  choice.className = "phrases";
  choice.setAttribute("aria-label", english ? "My phrases" : "常用批语");
  choice.append(new Option(english ? "My phrases …" : "常用批语……", ""), ...found.map((one) => new Option(one, one)));
  choice.addEventListener("change", () => {
    area.setRangeText(choice.value, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    choice.value = "";
    area.focus();
  });
  area.after(choice);
}

async function keep(form) {
  const url = "/api/v1/drafts/" + encodeURIComponent(form.dataset.draft);
  const note = document.createElement("p");
  note.className = "kept-note";
  note.setAttribute("aria-live", "polite");
  (form.querySelector(".form-acts") || form).append(note);
  const answer = await fetch(url).catch(() => null);
  const held = answer && answer.ok ? await answer.json() : null;
  if (held) restore(form, JSON.parse(held.content), note, url);
  let timer = 0, last = "";
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const content = JSON.stringify(values(form));
      if (content === last || form.dataset.sent) return;
      const done = await fetch(url, { method: "PUT", headers: { "Content-Type": "application/json", "X-CSRF-Token": token() }, body: JSON.stringify({ content }), keepalive: content.length < 60000 }).catch(() => null);
      if (done && done.ok) { last = content; note.textContent = (english ? "Kept " : "已保存 ") + new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" }); }
      else note.textContent = english ? "Not kept just now" : "暂时没有保存";
    }, 1200);
  });
}

function values(form) {
  const found = {};
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && !/^(csrf|_draft|word_.*)$/.test(name)) (found[name] ||= []).push(value);
  return found;
}

function restore(form, found, note, url) {
  if (JSON.stringify(found) === JSON.stringify(values(form))) return;
  fill(form, found);
  const files = form.querySelector("input[type=file]");
  note.textContent = english ? "What you typed before has been put back. " : "已恢复上次没有提交的内容。";
  if (files) note.textContent += english ? "Files must be chosen again. " : "附件请重新选择。";
  const drop = document.createElement("button");
  drop.type = "button";
  drop.className = "button small";
  drop.textContent = english ? "Discard it" : "不要了";
  drop.onclick = async () => { await fetch(url, { method: "DELETE", headers: { "X-CSRF-Token": token() } }); location.reload(); };
  note.append(drop);
}

function fill(form, found) {
  for (const field of form.elements) {
    if (!field.name || ["hidden", "file", "password"].includes(field.type)) continue;
    const kept = found[field.name] || [];
    if (field.type === "checkbox" || field.type === "radio") field.checked = kept.includes(field.value);
    else if (field.multiple) for (const option of field.options) option.selected = kept.includes(option.value);
    else if (kept.length) field.value = kept[0];
    field.dispatchEvent(new Event("input"));  // what counts or shows its value looks again
  }
}

// The browser's own calendar, opened beside a field that is written the same way in every language.
function calendar(field) {
  const behind = document.createElement("input"), button = document.createElement("button");
  if (!behind.showPicker) return;
  behind.type = "datetime-local";
  behind.className = "behind";
  behind.tabIndex = -1;
  behind.setAttribute("aria-hidden", "true");
  button.type = "button";
  button.className = "pick";
  button.title = field.dataset.moment;
  button.setAttribute("aria-label", field.dataset.moment);
  button.innerHTML = '<svg class="icon" aria-hidden="true"><use></use></svg>';
  button.querySelector("use").setAttribute("href", field.dataset.icon);
  button.onclick = () => { behind.value = field.value.replace(" ", "T"); behind.showPicker(); };
  behind.onchange = () => { field.value = behind.value.replace("T", " "); field.dispatchEvent(new Event("input", { bubbles: true })); };
  field.after(button, behind);
}

function filter(box) {
  const field = document.createElement("input");
  field.type = "search";
  field.placeholder = english ? "Filter" : "筛选";
  field.setAttribute("aria-label", field.placeholder);
  field.className = "find-field";
  box.querySelector("legend").after(field);
  field.addEventListener("input", () => {
    const words = field.value.trim().toLowerCase();
    for (const group of box.querySelectorAll(".choice-group")) {
      const whole = group.querySelector("b").textContent.toLowerCase().includes(words);
      for (const one of group.querySelectorAll(".choice")) one.hidden = !whole && !one.textContent.toLowerCase().includes(words) && !one.querySelector("input").checked;
      group.hidden = !group.querySelector(".choice:not([hidden])");
    }
  });
  field.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  const heading = box.closest("details.sheet")?.querySelector("summary h2");
  if (heading) box.addEventListener("change", () => { heading.textContent = heading.textContent.replace(/[0-9]+/, box.querySelectorAll("input:checked").length); });
}

function count(area) {
  const note = document.createElement("p");
  note.className = "hint counted";
  area.after(note);
  const show = () => { const n = area.value.replace(/\s/g, "").length; note.textContent = english ? `${n} characters` : `${n} 字`; };
  area.addEventListener("input", show);
  show();
}

async function upload(event) {
  const form = event.target, fields = [...form.querySelectorAll("input[type=file]")].filter((f) => f.files.length);
  if (event.defaultPrevented || !fields.length) return;
  event.preventDefault();
  const submitter = event.submitter, url = submitter?.hasAttribute("formaction") ? submitter.formAction : form.action;
  const bar = document.createElement("progress"), data = new FormData(form, submitter), place = form.querySelector(".form-acts") || form;
  bar.setAttribute("aria-label", english ? "Sending" : "正在上传");
  bar.max = 1;
  const show = setTimeout(() => place.append(bar), 400), failed = (why) => { clearTimeout(show); bar.remove(); delete form.dataset.sent; alert(why); };
  try {
    for (const field of fields) if ("resume" in field.dataset) await ahead(field, data, (share) => { bar.value = share; });
  } catch (error) {
    return failed(error.message);
  }
  const request = new XMLHttpRequest();
  request.upload.onprogress = (step) => { if (step.lengthComputable) bar.value = step.loaded / step.total; };
  request.onloadend = () => {
    clearTimeout(show);
    if (request.status === 0) return failed(english ? "The line broke. Please send again." : "线路中断，请重新提交。");
    history.pushState(null, "", request.responseURL);
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    document.title = answer.title;
    document.body.replaceWith(answer.body);  // written over, the document would come without its scripts
    scrollTo(0, 0);
    forms();
    dispatchEvent(new Event("replaced"));  // scripts of a page begin anew
  };
  request.open("POST", url);
  request.setRequestHeader("Accept", "text/html");
  request.send(data);
}

// Large files go before the form, which then names them.
async function ahead(field, data, share) {
  const small = [];
  data.delete(field.name);
  for (const file of field.files) {
    if (file.size < LARGE) small.push(file);
    else data.append(field.name + "_sent", `${await resume(file, share)} ${file.type || "application/octet-stream"} ${file.name}`);
  }
  for (const file of small) data.append(field.name, file);
}
