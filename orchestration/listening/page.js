"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [TEXTS, JUDGED, MOOD, COMPLAINTS] = [0, 1, 2, 3];
  const SVG = "http://www.w3.org/2000/svg";
  const ALL = "";
  const choice = { source: ALL, segment: ALL };
  const number = new Intl.NumberFormat("en");

  const make = (name, attributes, ...children) => {
    const drawn = ["svg", "rect", "path", "text", "line", "circle", "title", "g"].includes(name);
    const node = drawn ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const signed = (value) => (value === null ? "unknown" : (value >= 0.005 ? "+" : "") + value.toFixed(2).replace("-0.00", "0.00"));
  const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
  const mood = (counts) => (counts[JUDGED] ? counts[MOOD] / counts[JUDGED] : null);
  const tone = (value) => (value === null || Math.abs(value) < 0.1 ? "even" : value > 0 ? "good" : "bad");
  const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
  const chosen = (row) => (choice.source === ALL || row[0] === choice.source)
    && (choice.segment === ALL || row[1] === choice.segment);

  // sums of counts (the last four of a row) by what a row is about
  const sums = (rows, about) => {
    const found = new Map();
    for (const row of rows.filter(chosen)) {
      const key = about(row);
      const counts = found.get(key) ?? [0, 0, 0, 0];
      row.slice(-4).forEach((value, i) => { counts[i] += value; });
      found.set(key, counts);
    }
    return found;
  };

  const table = (caption, columns, rows) => make("details", {},
    make("summary", {}, "As a table"),
    make("div", { class: "wide" }, make("table", {},
      make("caption", {}, caption),
      make("thead", {}, make("tr", {}, ...columns.map((c) => make("th", { scope: "col" }, c)))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((c) => make("td", {}, c))))))));
  const nothing = () => make("p", {}, "No text fits the filters.");

  const dayName = (day) => {
    const date = new Date(`${data.since}T00:00:00Z`);
    date.setUTCDate(date.getUTCDate() + day);
    return date.toISOString().slice(0, 10);
  };

  const drawMood = () => {
    const weeks = [...sums(data.days, (row) => Math.floor(row[2] / 7))].sort((a, b) => a[0] - b[0]);
    if (!weeks.length) return [nothing()];
    const [width, height, left, low] = [960, 300, 46, 220];
    const last = Math.max(...data.days.map((row) => Math.floor(row[2] / 7)), 1);
    const x = (week) => left + ((width - left - 20) * week) / last;
    const y = (value) => 110 - 90 * value;
    const most = Math.max(...weeks.map(([, counts]) => counts[TEXTS]));
    const known = weeks.filter(([, counts]) => mood(counts) !== null);
    const says = `Mood by week: ${known.length ? `from ${signed(mood(known[0][1]))} in the week of `
      + `${dayName(7 * known[0][0])} to ${signed(mood(known.at(-1)[1]))} in the week of `
      + `${dayName(7 * known.at(-1)[0])}` : "unknown"}; at most ${number.format(most)} texts a week.`;
    const picture = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": says });
    for (const value of [-1, -0.5, 0, 0.5, 1]) {
      picture.append(
        make("line", { x1: left, x2: width - 20, y1: y(value), y2: y(value), class: value ? "axis" : "zero" }),
        make("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, String(value)));
    }
    const bar = Math.max(2, (width - left - 20) / (last + 1) - 3);
    for (const [week, counts] of weeks) {
      const tall = (50 * counts[TEXTS]) / most;
      picture.append(make("rect", { x: x(week) - bar / 2, y: low + 50 - tall, width: bar, height: tall, class: "volume" },
        make("title", {}, `week of ${dayName(7 * week)}: ${number.format(counts[TEXTS])} texts`)));
    }
    let path = "";
    known.forEach(([week, counts], i) => {
      const follows = i && known[i - 1][0] === week - 1;
      path += `${follows ? "L" : "M"}${x(week).toFixed(1)} ${y(mood(counts)).toFixed(1)}`;
    });
    picture.append(make("path", { d: path, class: "mood" }));
    for (const [week, counts] of known) {
      picture.append(make("circle", { cx: x(week), cy: y(mood(counts)), r: 3.5, class: "dot" },
        make("title", {}, `week of ${dayName(7 * week)}: mood ${signed(mood(counts))}`)));
    }
    const step = Math.max(1, Math.ceil((last + 1) / 8));
    for (let week = 0; week <= last; week += step) {
      picture.append(make("text", { x: x(week), y: height - 8, "text-anchor": week ? "middle" : "start" }, dayName(7 * week)));
    }
    picture.append(make("text", { x: left, y: low - 6 }, `texts a week, at most ${number.format(most)}`));
    const rows = weeks.map(([week, counts]) => [dayName(7 * week), number.format(counts[TEXTS]),
      signed(mood(counts)), number.format(counts[COMPLAINTS])]);
    return [picture, table("By week", ["week of", "texts", "mood", "complaints"], rows)];
  };

  // bars as long as texts, in the colour of their mood; the mood stands beside them as a number too
  const bars = (entries, says, share, width = 960) => {
    const [label, row] = [width * 0.28, 26];
    const most = Math.max(...entries.map(([, counts]) => counts[TEXTS]));
    const picture = make("svg", { viewBox: `0 0 ${width} ${row * entries.length + 6}`, role: "img", "aria-label": says });
    entries.forEach(([name, counts], i) => {
      const long = ((width - label - 190) * counts[TEXTS]) / most;
      const middle = row * i + 17;
      picture.append(
        make("text", { x: label - 10, y: middle, "text-anchor": "end" }, cut(name, Math.floor(width / 27)), make("title", {}, name)),
        make("rect", { x: label, y: row * i + 4, width: Math.max(long, 1), height: row - 9, class: tone(mood(counts)) }),
        make("text", { x: label + long + 8, y: middle }, `${share(counts)}, mood ${signed(mood(counts))}`));
    });
    return picture;
  };
  const bySize = (found) => [...found].sort((a, b) => b[1][TEXTS] - a[1][TEXTS] || (a[0] < b[0] ? -1 : 1));

  const drawTopics = () => {
    const topics = bySize(sums(data.topics, (row) => row[2]));
    if (!topics.length) return [make("p", {}, "No text that fits the filters is in a topic.")];
    const says = `${topics.length} topics, the largest: ${topics[0][0]}, ${number.format(topics[0][1][TEXTS])} texts.`;
    const rows = topics.map(([name, counts]) => [name, number.format(counts[TEXTS]), signed(mood(counts)),
      percent(counts[COMPLAINTS] / counts[TEXTS])]);
    return [bars(topics.slice(0, 20), says, (counts) => `${number.format(counts[TEXTS])} ${counts[TEXTS] === 1 ? "text" : "texts"}`),
      table("Topics", ["topic", "texts", "mood", "complaints"], rows)];
  };

  const drawVoices = () => {
    const groups = [...new Set(data.voices.map((row) => row[2]))].sort();
    const parts = groups.flatMap((group) => {
      const names = bySize(sums(data.voices.filter((row) => row[2] === group), (row) => row[3]));
      if (!names.length) return [];
      const all = names.reduce((sum, [, counts]) => sum + counts[TEXTS], 0);
      const says = `${group}: ${names[0][0]} has ${percent(names[0][1][TEXTS] / all)} of the voice.`;
      const rows = names.map(([name, counts]) => [name, number.format(counts[TEXTS]),
        percent(counts[TEXTS] / all), signed(mood(counts))]);
      return [make("div", {}, make("h3", {}, group),
        bars(names.slice(0, 12), says, (counts) => percent(counts[TEXTS] / all), 560),
        table(group, ["name", "texts", "share", "mood"], rows))];
    });
    return parts.length ? [make("div", { class: "voices" }, ...parts)]
      : [make("p", {}, "No text that fits the filters mentions a name.")];
  };

  const drawExamples = () => {
    const rows = data.examples.filter(chosen).slice(0, 15);
    if (!rows.length) return [nothing()];
    return [make("ul", { class: "said" }, ...rows.map(([source, segment, at, topic, sentiment, body]) =>
      make("li", { class: ["positive", "negative"].includes(sentiment) ? sentiment : "" },
        make("div", { dir: "auto" }, body),
        make("small", {}, [at, source, segment, topic, sentiment].filter(Boolean).join(" · ")))))];
  };

  const draw = () => {
    for (const [name, drawn] of [["mood", drawMood], ["topics", drawTopics], ["voices", drawVoices], ["examples", drawExamples]]) {
      document.getElementById(name).replaceChildren(...drawn());
    }
    const all = sums(data.days, () => "all").get("all") ?? [0, 0, 0, 0];
    document.getElementById("found").textContent = `${number.format(all[TEXTS])} texts, `
      + (all[JUDGED] ? `mood ${signed(mood(all))}, ${percent(all[COMPLAINTS] / all[JUDGED])} complaints`
        : all[TEXTS] ? "none of them read" : "mood unknown");
  };

  for (const [i, name] of ["source", "segment"].entries()) {
    const select = document.getElementById(name);
    const values = [...new Set(data.days.map((row) => row[i]))].sort();
    select.append(new Option("all", ALL), ...values.map((value) => new Option(value, value)));
    const wanted = new URLSearchParams(location.hash.slice(1)).get(name);
    if (values.includes(wanted)) select.value = wanted;
    choice[name] = select.value;
    select.addEventListener("change", () => { choice[name] = select.value; draw(); });
  }
  document.querySelector(".filters").hidden = false;
  draw();
})();
