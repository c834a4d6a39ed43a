// Relative times, keys, and what changes while a page is open. Pages work without it.
const UNITS = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
const KEPT = 5000;

function span(seconds) {
  for (const [size, unit] of UNITS) if (seconds >= 2 * size) return `${Math.floor(seconds / size)}${unit}`;
  return `${Math.floor(seconds)}s`;
}

function distance(time) {
  const seconds = (Date.parse(time) - Date.now()) / 1000;
  return seconds > 0 ? `in ${span(seconds)}` : `${span(-seconds)} ago`;
}

function localised(root) {
  for (const each of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(each.dateTime);
    if (Number.isNaN(moment.valueOf())) continue;
    each.textContent = distance(each.dateTime);
    each.title = `${moment.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" })}\n${each.dateTime}`;
  }
}

// Keys open and move; none of them decides.
const HOME = { j: "/", d: "/decide", p: "/packages", h: "/health" };
let prefix = "";

function rows() {
  return [...document.querySelectorAll("[data-rows] tbody tr")];
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const now = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[Math.min(all.length - 1, Math.max(0, now < 0 ? (step > 0 ? 0 : all.length - 1) : now + step))];
  next.querySelector("a").focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const key = event.key;
  if (prefix === "g" && HOME[key]) location.assign(HOME[key]);
  else if (key === "/") document.getElementById("search")?.focus();
  else if (key === "j") move(1);
  else if (key === "k") move(-1);
  else if (key === "?") location.assign("/help");
  else if (key !== "g") { prefix = ""; return; }
  prefix = key === "g" ? "g" : "";
  event.preventDefault();
});

function say(text, tone = "") {
  const place = document.getElementById("live");
  if (!place) return;
  place.textContent = text;
  place.dataset.tone = tone;
}

// The browser opens a dropped stream again by itself; this says so.
function opened(address) {
  const source = new EventSource(address);
  source.addEventListener("error", () => say("Not connected. Trying again."));
  source.addEventListener("open", () => say("Live."));
  source.addEventListener("problem", (event) => say(JSON.parse(event.data), "bad"));
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || source.readyState !== EventSource.CLOSED) return;
    location.reload();
  });
  addEventListener("pagehide", () => source.close());
  return source;
}

function worded(place, { text, tone, time }) {
  const target = place.querySelector(".word, time") ?? place;
  target.textContent = text;
  if (tone) target.className = `word ${tone}`;
  if (time && target.tagName === "TIME") target.dateTime = time;
}

function watchJobs(table) {
  const query = new URLSearchParams({ since: table.dataset.since, namespace: table.dataset.namespace });
  for (const row of rows()) query.append("job", row.dataset.job);
  const source = opened(`/live/jobs?${query}`);
  source.addEventListener("job", (event) => {
    const job = JSON.parse(event.data);
    const row = document.getElementById(job.id);
    if (!row) return;
    if (job.gone) { row.remove(); return; }
    for (const name of ["status", "approval", "schedule", "next"]) {
      const cell = row.querySelector(`[data-cell="${name}"]`);
      if (cell) worded(cell, job[name]);
    }
    row.classList.remove("fresh");
    requestAnimationFrame(() => row.classList.add("fresh"));
  });
}

function watchRun(section) {
  const log = document.getElementById("log");
  const source = opened(section.dataset.live);
  let cut = 0;
  // A stream that was opened again begins with the first line.
  source.addEventListener("open", () => { log.replaceChildren(); cut = 0; });
  source.addEventListener("state", (event) => {
    const state = JSON.parse(event.data);
    worded(section, { text: state.word, tone: state.tone || "plain" });
    document.getElementById("reason").textContent = state.reason;
    document.getElementById("message").textContent = state.message;
  });
  source.addEventListener("lines", (event) => {
    const atEnd = innerHeight + scrollY >= document.body.scrollHeight - 40;
    const added = document.createDocumentFragment();
    for (const line of JSON.parse(event.data)) {
      const item = document.createElement("li");
      item.textContent = line;
      added.append(item);
    }
    log.append(added);
    const over = log.childElementCount - KEPT;
    if (over > 0) {
      for (const old of [...log.children].slice(0, over)) old.remove();
      cut += over;
      log.start = cut + 1;
      log.style.setProperty("--from", cut);
      say(`Live. ${cut} earlier lines are not shown.`);
    }
    if (atEnd) scrollTo({ top: document.body.scrollHeight });
  });
  source.addEventListener("end", () => { source.close(); location.reload(); });
}

localised(document);
setInterval(() => localised(document), 15000);
const table = document.querySelector("table[data-since]");
if (table) watchJobs(table);
const section = document.querySelector("[data-live]");
if (section) watchRun(section);
const every = document.getElementById("every");
every?.addEventListener("change", () => {
  for (const box of document.querySelectorAll('tbody input[type="checkbox"]')) box.checked = every.checked;
});
