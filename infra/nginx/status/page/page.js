// The status page: asks what its panels need every few seconds while somebody looks, and says what it cannot tell.

import { Chart, shown } from "./chart.js";
import { CHARTS, NUMBERS } from "./panels.js";
import { now, overWindow, SilentError } from "./prometheus.js";

const EVERY_MS = 5000;

const byId = (id) => document.getElementById(id);
const charts = CHARTS.map((panel) => ({ panel, chart: new Chart(panel, byId("charts")) }));
const numbers = NUMBERS.map((number) => ({ ...number, box: numberBox(number) }));

function numberBox({ query, name, unit }) {
  const box = byId("number").content.firstElementChild.cloneNode(true);
  box.id = query;
  box.querySelector(".name").textContent = name;
  box.querySelector(".unit").textContent = unit;
  box.querySelector("output").setAttribute("aria-label", name);
  byId("numbers").append(box);
  return box;
}

function askedWindow() {
  const { value, selectedOptions } = byId("window");
  const step = Number(selectedOptions[0].dataset.step);
  const end = Math.floor(Date.now() / 1000 / step) * step;
  return { start: end - Number(value), end, step };
}

async function showNumber({ query, box, isBad }) {
  const output = box.querySelector("output");
  try {
    const [found] = await now(query);
    output.textContent = shown(found?.value);
    box.classList.toggle("bad", Boolean(found && isBad?.(found.value)));
  } catch (error) {
    output.textContent = "?";
    throw error;
  }
}

async function showChart({ panel, chart }, window) {
  try {
    chart.show(await overWindow(panel.query, window));
  } catch (error) {
    chart.fail(error.message);
    throw error;
  }
}

async function showAlerts() {
  const none = byId("alerts-none");
  try {
    const alerts = await now("alerts");
    byId("alerts-list").replaceChildren(...alerts.map(({ labels }) => alertItem(labels)));
    none.textContent = alerts.length ? "" : "none";
    none.className = alerts.length ? "" : "good";
  } catch (error) {
    byId("alerts-list").replaceChildren();
    none.textContent = "unknown";
    none.className = "";
    throw error;
  }
}

function alertItem({ alertname, severity, ...labels }) {
  const item = document.createElement("li");
  const runbook = document.createElement("a");
  runbook.href = `/status/runbooks/${encodeURIComponent(alertname)}`;
  runbook.textContent = alertname;
  const details = document.createElement("span");
  const rest = Object.entries(labels).filter(([name]) => !["__name__", "alertstate", "symptom"].includes(name));
  details.textContent = [severity, ...rest.map(([name, value]) => `${name} ${value}`)].filter(Boolean).join(" · ");
  item.append(runbook, details);
  return item;
}

async function refresh() {
  const window = askedWindow();
  const asked = await Promise.allSettled([
    ...numbers.map(showNumber),
    ...charts.map((each) => showChart(each, window)),
    showAlerts(),
  ]);
  const reasons = asked.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
  const trouble = byId("trouble");
  const said = reasons.length ? words(reasons[0]) : "";
  if (trouble.textContent !== said) trouble.textContent = said; // else a screen reader says it every time
  trouble.hidden = !said;
  if (!said) byId("asked").textContent = `As of ${new Date().toLocaleTimeString("en", { hour12: false })}`;
  document.documentElement.dataset.refreshed = String(Number(document.documentElement.dataset.refreshed ?? 0) + 1);
}

function words(error) {
  const reason = error instanceof SilentError ? error.message : "The page has a fault";
  if (!(error instanceof SilentError)) console.error(error);
  return `${reason}. The page asks again every few seconds.`;
}

async function refreshForEver() {
  if (!document.hidden) await refresh();
  setTimeout(refreshForEver, EVERY_MS);
}

byId("window").addEventListener("change", refresh);
document.addEventListener("visibilitychange", () => document.hidden || refresh());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach(({ chart }) => chart.restyle()));
refreshForEver();
