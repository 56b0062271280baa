// What the page shows: each panel's question is one of ../queries.yml, by its name.

const CODES = { 2: "--two", 3: "--one", 4: "--three", 5: "--four" };
const NAMED = {
  p50: "--one", p95: "--three", p99: "--four",
  queued: "--three", running: "--one",
  succeeded: "--two", failed: "--four", cancelled: "--five",
};
const IN_TURN = ["--one", "--three", "--two", "--five", "--six", "--four"];

export const NUMBERS = [
  { query: "accepted_in_all", name: "Accepted in all", unit: "jobs" },
  { query: "open_now", name: "Open now", unit: "jobs" },
  { query: "oldest_open_now", name: "Oldest open job", unit: "s" },
  { query: "dead_letters", name: "Failed and kept", unit: "jobs" },
  { query: "workers", name: "Workers alive", unit: "", isBad: (value) => value < 1 },
];

export const CHARTS = [
  { query: "submits", title: "Submits by answer", unit: "per second", label: (of) => of.status },
  { query: "submit_seconds", title: "Submit: time to answer", unit: "seconds", label: (of) => of.quantile },
  { query: "open_jobs", title: "Open jobs", unit: "jobs", label: (of) => of.status },
  { query: "oldest_open_seconds", title: "Oldest open job", unit: "seconds", label: (of) => of.status },
  { query: "ended_jobs", title: "Jobs ended", unit: "per second", label: (of) => of.to },
  { query: "completion_seconds", title: "Submit to stored result", unit: "seconds", label: (of) => of.quantile },
  {
    query: "environments",
    title: "Lambda environments",
    unit: "environments",
    label: (of) => `${(of.function ?? "").replace(/^inference-/, "")} ${of.state ?? ""}`.trim(),
  },
];

/** Give a series the name of its colour: the same word has the same colour on every panel. */
export function colourOf(label, index) {
  if (NAMED[label]) return NAMED[label];
  if (/^[2-5]\d\d$/.test(label)) return CODES[label[0]];
  return IN_TURN[index % IN_TURN.length];
}
