
"use strict";
const report = JSON.parse(document.getElementById("report").textContent);
const { targets, checks, results, rules, summaries, legend } = report;
const form = document.getElementById("filters");
const list = document.getElementById("checks");
const outcomes = [...Object.keys(legend.outcomes), "not run"];
const ruleOf = new Map(rules.map((rule) => [rule.id, rule]));

/** Make an element. A string among its children becomes text, never markup. */
function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const style = (name) => name.replaceAll(" ", "-");
const plural = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
const resultOf = (check, target) => results[check.id][target] ?? { outcome: "not run" };
const mark = (outcome) => make("span", { ariaHidden: "true" }, `${legend.marks[outcome]} `);

/* ---- the head and the cards ---- */

function facts() {
  const when = new Date(report.created).toISOString().replace("T", " ").slice(0, 16);
  const versions = Object.entries(report.versions).map(([name, version]) => `${name} ${version}`);
  const parts = [`Edition ${report.edition}`, plural(checks.length, "check"), `${when} UTC`, ...versions, legend.redacted];
  document.getElementById("facts").append(...parts.map((text) => make("span", {}, text)));
}

function card(target) {
  const { coverage, outcomes: counts, skipped } = summaries[target];
  const unobservable = rules.filter((rule) => rule.silent).length;
  const observable = rules.length - unobservable;
  const parts = [...Object.keys(legend.coverage).map((name) => [name, coverage[name] ?? 0, legend.coverage[name]]),
    ["not observable", unobservable, "no request can show whether a service keeps the rule"]].filter(([, number]) => number);
  const kind = (name) => (name === "not observable" ? "unobservable" : style(name));
  const bar = make("div", { className: "bar", role: "img", ariaLabel: parts.map(([name, number]) => `${number} ${name}`).join(", ") });
  for (const [name, number] of parts) {
    const piece = make("i", { className: kind(name) });
    piece.style.flex = String(number);
    bar.append(piece);
  }
  const rows = parts.map(([name, number, title]) =>
    make("div", { className: kind(name), title }, make("dt", {}, name), make("dd", {}, String(number))));
  const picks = outcomes.filter((outcome) => counts[outcome]).map((outcome) => make("button", {
    type: "button", className: `pick ${style(outcome)}`, title: `Show these checks`,
    onclick: () => { show({ target, outcome: [outcome] }); list.focus(); list.scrollIntoView(); },
  }, mark(outcome), `${counts[outcome]} ${outcome}`));
  const reasons = Object.entries(skipped).map(([reason, number]) => make("li", {}, `${plural(number, "check")} skipped: ${reason}`));
  return make("article", { className: "card" },
    make("h2", {}, target),
    make("p", { className: "proof" }, make("b", {}, String(coverage.proved ?? 0)), ` of ${plural(observable, "observable rule")} proved`),
    bar,
    make("dl", {}, ...rows, make("div", { className: "sum" }, make("dt", {}, "rules in the catalogue"), make("dd", {}, String(rules.length)))),
    make("div", { className: "picks" }, ...picks),
    reasons.length ? make("ul", { className: "reasons" }, ...reasons) : null);
}

/* ---- checks ---- */

function pretty(request) {
  try { return JSON.stringify(JSON.parse(request), null, 2); } catch { return request; }  // a long request was cut and is not JSON
}

function where(target, result) {
  const took = result.seconds ? make("span", { className: "soft" }, ` in ${(result.seconds * 1000).toFixed(1)} ms`) : null;
  return make("span", {}, " on ", make("code", {}, target), took);
}

/** Show on one line the targets with the same outcome and no details. */
function plain(outcome, found) {
  const places = found.flatMap(([target, result], number) => [number ? "," : "", where(target, result)]);
  return make("p", { className: `plain ${style(outcome)}` }, make("b", {}, mark(outcome), outcome), ...places);
}

function answer(target, result) {
  const head = make("p", {}, make("b", {}, mark(result.outcome), result.outcome), where(target, result),
    result.reason ? `: ${result.outcome === "skipped" ? "" : "expected to fail, "}${result.reason}` : null);
  const cell = (name, value, text = value) => value === undefined ? null
    : make("div", { className: name }, make("dt", {}, name), make("dd", {}, make("pre", {}, text || "(empty)")));
  const details = result.expected === undefined && result.actual === undefined ? null : make("dl", {},
    cell("expected", result.expected ?? ""), cell("actual", result.actual ?? ""), cell("request", result.request, pretty(result.request)));
  return make("div", { className: `answer ${style(result.outcome)}` }, head, details);
}

function body(check) {
  const rule = ruleOf.get(check.rule);
  const entry = (name, ...value) => [make("dt", {}, name), make("dd", {}, ...value)];
  const bound = (text) => (text === null ? "has no such rule" : text);
  const items = [];
  if (rule) {
    items.push(...entry("Rule", make("code", {}, rule.id)));
    if (rule.page === rule.sdk && rule.page !== "active") items.push(...entry("Bound", make("code", {}, bound(rule.page))));
    if (rule.page !== rule.sdk) items.push(...entry("Page", make("code", {}, bound(rule.page))), ...entry("SDK", make("code", {}, bound(rule.sdk))));
    if (rule.silent) items.push(...entry("Observable", `no: ${rule.silent}`));
  }
  items.push(...entry("Evidence", make("b", {}, check.evidence), `: ${legend.evidence[check.evidence]}`), ...entry("Source", check.source));
  if (check.needs.length) items.push(...entry("Needs", check.needs.map((need) => `${need} (${legend.capabilities[need]})`).join("; ")));
  const link = make("a", { className: "link", href: `#${new URLSearchParams({ check: check.id })}` }, "Link to this check");
  const found = targets.map((target) => [target, resultOf(check, target)]);
  const plainly = ["passed", "not run"].map((outcome) => [outcome, found.filter(([, result]) => result.outcome === outcome)]);
  return make("div", { className: "body" }, make("dl", {}, ...items),
    ...plainly.filter(([, some]) => some.length).map(([outcome, some]) => plain(outcome, some)),
    ...found.filter(([, result]) => !["passed", "not run"].includes(result.outcome)).map(([target, result]) => answer(target, result)), link);
}

function row(check) {
  const marks = targets.map((target) => {
    const { outcome } = resultOf(check, target);
    return make("span", { className: `mark ${style(outcome)}` }, mark(outcome),
      make("span", { className: "of" }, `${target} `), make("span", {}, outcome));
  });
  const what = make("span", { className: "what" }, make("span", { className: "says" }, check.sentence), make("span", { className: "id" }, make("code", {}, check.id), ` ${check.evidence}`));
  const details = make("details", { className: "check" }, make("summary", {}, what, ...marks));
  details.addEventListener("toggle", () => details.open && fill(entryOf.get(check.id)));
  return details;
}

/** Add the details of a check when it is opened: a report can have thousands of responses. */
function fill(entry) {
  if (entry.details.childElementCount === 1) entry.details.append(body(entry.check));
}

const entryOf = new Map(checks.map((check) => [check.id, {
  check,
  outcomes: Object.fromEntries(targets.map((target) => [target, resultOf(check, target).outcome])),
  text: [check.id, check.sentence, check.rule, check.evidence, check.source,
    ...Object.values(results[check.id]).flatMap((result) => [result.reason, result.expected, result.actual, result.request])]
    .join("\n").toLowerCase(),
}]));
const entries = [...entryOf.values()];
const groups = new Map();
for (const entry of entries) {
  entry.details = row(entry.check);
  groups.set(entry.check.group, [...(groups.get(entry.check.group) ?? []), entry]);
}

function group(name, members) {
  const count = make("span", { className: "count" });
  const heads = targets.map((target) => {
    const came = members.map((entry) => entry.outcomes[target]);
    const ran = came.filter((outcome) => ["passed", "failed", "outdated"].includes(outcome)).length;
    return make("span", { className: "head" }, make("span", { className: "name" }, target),
      make("b", {}, `${came.filter((outcome) => outcome === "passed").length}/${ran}`));
  });
  const section = make("section", { className: "group" }, make("h2", {}, make("span", {}, name, " ", count), ...heads),
    make("div", { className: "list" }, ...members.map((entry) => entry.details)));
  return { section, count, members };
}

/* ---- filters: the form has the state, the address keeps it ---- */

const chips = outcomes.map((outcome) => {
  const number = make("span");
  const box = make("input", { type: "checkbox", name: "outcome", value: outcome });
  return { outcome, number, chip: make("label", { className: `chip ${style(outcome)}` }, box, mark(outcome), `${outcome} `, number) };
});
const none = make("p", { className: "none", hidden: true }, "No check matches.",
  make("button", { type: "button", onclick: () => show({}) }, "Show all"));
const sections = [...groups].map(([name, members]) => group(name, members));

function wanted() {
  const data = new FormData(form);
  const words = data.get("text").toLowerCase().split(/\s+/).filter(Boolean);
  return { words, text: data.get("text"), target: data.get("target"), group: data.get("group"), outcome: data.getAll("outcome") };
}

function filter() {
  const { words, text, target, group: of, outcome } = wanted();
  const among = target ? [target] : targets;
  const counts = Object.fromEntries(outcomes.map((name) => [name, 0]));
  let shown = 0;
  for (const { count, members, section } of sections) {
    let here = 0;
    for (const entry of members) {
      const fits = (!of || of === entry.check.group) && words.every((word) => entry.text.includes(word));
      const came = new Set(among.map((name) => entry.outcomes[name]));
      if (fits) came.forEach((name) => { counts[name] += 1; });
      const visible = fits && (!outcome.length || outcome.some((name) => came.has(name)));
      entry.details.hidden = !visible;
      here += visible;
    }
    section.hidden = !here;
    count.textContent = here === members.length ? plural(here, "check") : `${here} of ${plural(members.length, "check")}`;
    shown += here;
  }
  for (const { outcome: name, number, chip } of chips) {
    number.textContent = counts[name];
    chip.hidden = !entries.some((entry) => Object.values(entry.outcomes).includes(name));
  }
  none.hidden = shown > 0;
  const by = [of, target, ...outcome, text.trim() && `“${text.trim()}”`].filter(Boolean);
  document.getElementById("shown").textContent = `${shown} of ${plural(checks.length, "check")}` + (by.length ? `: ${by.join(", ")}` : "");
  const kept = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  history.replaceState(null, "", `#${kept}`);
}

function show({ text = "", target = "", group: of = "", outcome = [] }) {
  Object.assign(form.elements.text, { value: text });
  Object.assign(form.elements.target, { value: targets.includes(target) ? target : "" });
  Object.assign(form.elements.group, { value: groups.has(of) ? of : "" });
  for (const box of form.querySelectorAll("[name=outcome]")) box.checked = outcome.includes(box.value);
  filter();
}

/** Apply the address: filters, or one check. */
function follow() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const entry = entryOf.get(asked.get("check"));
  show({ ...Object.fromEntries(asked), outcome: asked.getAll("outcome") });
  if (entry) {
    fill(entry);
    entry.details.open = true;
    entry.details.scrollIntoView({ block: "center" });
    entry.details.firstChild.focus();
    history.replaceState(null, "", `#${new URLSearchParams({ check: entry.check.id })}`);
  }
}

function expand(open) {
  for (const entry of entries.filter(({ details }) => !details.hidden)) {
    if (open) fill(entry);
    entry.details.open = open;
  }
}

let printed = null;
/** Open every visible check for printing, and close the same checks afterwards. */
function printing(begins) {
  if (begins === (printed !== null)) return;  // a browser may send the event twice
  if (begins) {
    printed = entries.filter(({ details }) => !details.hidden && !details.open);
    printed.forEach(fill);
  }
  for (const { details } of printed) details.open = begins;
  if (!begins) printed = null;
}

/* ---- legend ---- */

function terms(title, meanings) {
  const items = Object.entries(meanings).flatMap(([name, meaning]) => [make("dt", {}, name), make("dd", {}, meaning)]);
  return make("div", {}, make("h2", {}, title), make("dl", {}, ...items));
}

function unobservableRules() {
  const unobservable = rules.filter((rule) => rule.silent);
  const items = unobservable.flatMap((rule) => [make("dt", {}, make("code", {}, rule.id)), make("dd", {}, rule.silent)]);
  return make("details", { className: "wide" }, make("summary", {}, `${plural(unobservable.length, "rule")} that no request can test`), make("dl", {}, ...items));
}

facts();
document.getElementById("targets").append(...targets.map(card));
for (const name of targets) form.elements.target.append(make("option", { value: name }, name));
for (const [name, members] of groups) form.elements.group.append(make("option", { value: name }, `${name} (${members.length})`));
document.getElementById("outcomes").append(...chips.map(({ chip }) => chip));
list.style.setProperty("--columns", targets.length);
list.append(none, ...sections.map(({ section }) => section));
document.getElementById("legend").append(terms("Outcomes", { ...legend.outcomes, "not run": "the check has no result on the target: it was not run, or ended with an error" }),
  terms("Rules", legend.coverage), terms("Evidence", legend.evidence), unobservableRules());

for (const event of ["input", "change"]) form.addEventListener(event, filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", (event) => { event.preventDefault(); show({}); });
const expander = document.getElementById("expand");
expander.addEventListener("click", () => {
  const open = expander.textContent === "Open all";
  expand(open);
  expander.textContent = open ? "Close all" : "Open all";
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.matches("input, select")) { event.preventDefault(); form.elements.text.focus(); }
});
// The heads of groups stay visible below the filters, whose height depends on the width of the window.
new ResizeObserver(() => document.documentElement.style.setProperty("--bar", `${getComputedStyle(form).position === "sticky" ? form.offsetHeight : 0}px`))
  .observe(form);
addEventListener("hashchange", follow);
addEventListener("beforeprint", () => printing(true));
addEventListener("afterprint", () => printing(false));
matchMedia("print").addEventListener("change", ({ matches }) => printing(matches));
follow();
