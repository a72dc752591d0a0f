// A short note in the corner; goes away by itself unless it is urgent.
export function toast(text, { href = "", urgent = false } = {}) {
  const box = document.createElement("div");
  box.className = urgent ? "toast urgent" : "toast";
  box.setAttribute("role", urgent ? "alert" : "status");
  const inner = document.createElement(href ? "a" : "span");
  if (href) inner.href = href;
  inner.textContent = text;
  box.append(inner);
  document.getElementById("toasts").append(box);
  if (!urgent) setTimeout(() => box.remove(), 8000);
}
