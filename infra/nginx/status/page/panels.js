// What the page shows: each panel's question is one of ../queries.yml, by its name.

const NAMED = {
  p50: "--one", p95: "--three", p99: "--four",
  queued: "--three", running: "--one",
  succeeded: "--two", failed: "--four", cancelled: "--five",
  202: "--two", 400: "--one", 422: "--five", 429: "--three",
  500: "--seven", 502: "--eight", 503: "--four", 504: "--nine",
};
const IN_TURN = ["--one", "--three", "--two", "--five", "--six", "--four", "--seven", "--eight", "--nine"];

export const NUMBERS = [
  { query: "accepted_in_all", name: "Accepted in all", unit: "jobs" },
  { query: "open_now", name: "Open now", unit: "jobs" },
  { query: "oldest_open_now", name: "Oldest open job", unit: "s" },
  { query: "dead_letters", name: "Failed and kept", unit: "jobs" },
  { query: "workers", name: "Workers alive", unit: "", isBad: (value) => value < 1 },
];

export const CHARTS = [
  { query: "submits", title: "Submits by answer", unit: "per second", label: (of) => of.status },
  { query: "submit_seconds", title: "Submit to 202", unit: "seconds", label: (of) => of.quantile },
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

/** Give each series the name of its colour: a known word has its own on every panel, others take what is left. */
export function coloursOf(labels) {
  const taken = labels.map((label) => NAMED[label]);
  const inTurn = [...IN_TURN.filter((colour) => !taken.includes(colour)), ...IN_TURN];
  let next = 0;
  return labels.map((label) => NAMED[label] ?? inTurn[next++ % inTurn.length]);
}
