// A large file goes ahead of its form, piece by piece (tus 1.0); what broke off goes on where it stopped, also after the page was left.
const PIECE = 1 << 20, TRIES = 30, url = "/api/v1/blobs";
export const LARGE = 2 << 20;

// The hash under which the form names the file; fails when the line does not come back.
export async function resume(file, share) {
  const name = `upload ${file.name} ${file.size} ${file.lastModified}`;
  let where = localStorage.getItem(name), left = TRIES;
  for (;;) {
    try {
      const at = where && (await offset(where));
      if (at === null || at === undefined || at === "") where = await create(file, name);
      const sha = await send(where, file, Number(at) || 0, share);
      localStorage.removeItem(name);
      return sha;
    } catch (error) {
      if (--left < 0 || !(error instanceof TypeError)) throw error;  // a TypeError is a line that broke
      await new Promise((go) => setTimeout(go, 2000));
    }
  }
}

async function offset(where) {
  const answer = await fetch(where, { method: "HEAD" });
  return answer.ok ? answer.headers.get("Upload-Offset") : null;
}

async function create(file, name) {
  const answer = await ask(url, "POST", { "Upload-Length": file.size });
  const where = answer.headers.get("Location");
  localStorage.setItem(name, where);
  return where;
}

async function send(where, file, at, share) {
  let answer;
  do {
    answer = await ask(where, "PATCH", { "Upload-Offset": at, "Content-Type": "application/offset+octet-stream" }, file.slice(at, at + PIECE));
    at = Number(answer.headers.get("Upload-Offset"));
    share(at / file.size);
  } while (at < file.size);
  return answer.headers.get("ETag").replaceAll('"', "");
}

async function ask(where, method, headers, body) {
  const answer = await fetch(where, { method, headers: { ...headers, "X-CSRF-Token": document.body.dataset.csrf, Accept: "application/json" }, body });
  if (answer.ok) return answer;
  throw new Error((await answer.json().catch(() => ({}))).detail || String(answer.status));
}
