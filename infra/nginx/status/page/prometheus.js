// Asks Prometheus through Nginx, which knows the queries; only the window goes with a question.

// Longer than Nginx waits for Prometheus (3 s), three times over: a browser asks six questions at once.
const DEADLINE_MS = 12000;

/** Say what went wrong in words for the page. */
export class SilentError extends Error {}

/** Return series over the window, on one row of times: { times, series: [{ labels, values }] }. */
export async function overWindow(query, { start, end, step }) {
  const result = await ask(`${query}?start=${start}&end=${end}&step=${step}`);
  const times = [];
  for (let time = start; time <= end; time += step) times.push(time);
  const series = result.map(({ metric, values }) => {
    const found = new Map(values.map(([time, value]) => [Math.round(time), finite(value)]));
    return { labels: metric, values: times.map((time) => found.get(time) ?? null) };
  });
  return { times, series: series.filter(({ values }) => values.some((value) => value !== null)) };
}

/** Return what a query finds now: [{ labels, value }]. */
export async function now(query) {
  const result = await ask(query);
  return result.map(({ metric, value }) => ({ labels: metric, value: finite(value[1]) }));
}

async function ask(address) {
  let answer;
  try {
    answer = await fetch(`/status/api/${address}`, { signal: AbortSignal.timeout(DEADLINE_MS) });
  } catch {
    throw new SilentError("Nginx does not answer");
  }
  if (answer.status === 429) throw new SilentError("Too many pages ask at once");
  if (answer.status === 502) throw new SilentError("Prometheus does not answer");
  if (!answer.ok) throw new SilentError(`Nginx answers ${answer.status}`);
  return (await answer.json()).data.result;
}

function finite(text) {
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
