"use strict";
// Errors drawn against their limits. Numbers come as whole mL/h and ppm; whether one is within its limit is said by the
// edge, from exact fractions, and not read off a drawing.
const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

// A small curve: flow on a logarithmic scale, the limit band shaded, one dot a point of the plan.
function sparkline(curve, w) {
  const width = 120, height = 44, edge = 4;
  const flows = [...curve.curve.map(([at]) => at), ...curve.band.flatMap(([low, high]) => [low, high])].map(Math.log);
  const reach = 1.25 * Math.max(1, ...curve.band.map(([, , limit]) => limit), ...curve.curve.map(([, e]) => Math.abs(e)));
  const least = Math.min(...flows), most = Math.max(...flows);
  const x = (at) => edge + ((Math.log(at) - least) / (most - least || 1)) * (width - 2 * edge);
  const y = (ppm) => height / 2 - (ppm / reach) * (height / 2 - 2);
  const largest = curve.curve.reduce((far, [, e]) => (Math.abs(e) > Math.abs(far) ? e : far), 0);
  const label = `${w.largest} ${percent(largest, 2)}${curve.outcome ? `, ${w[curve.outcome]}` : ""}`;
  const made = svg("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  for (const [low, high, limit] of curve.band) {
    made.append(svg("rect", { class: "band", x: x(low), y: y(limit), width: x(high) - x(low), height: y(-limit) - y(limit) }));
  }
  made.append(svg("line", { class: "zero", x1: edge, x2: width - edge, y1: y(0), y2: y(0) }));
  const line = curve.curve.map(([at, e]) => `${x(at)},${y(e)}`).join(" ");
  made.append(svg("polyline", { class: curve.outcome === "failed" ? "line failed" : "line", points: line }));
  for (const [at, e] of curve.curve) made.append(svg("circle", { class: "dot", cx: x(at), cy: y(e), r: 2.6 }));
  return made;
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Painted below the lines: each zone of the meter's class from its lowest to its highest flow, limit included.
function paintBand(band) {
  return (u) => {
    const c = u.ctx;
    c.save();
    for (const [low, high, limit] of band) {
      const left = u.valToPos(low, "x", true), right = u.valToPos(high, "x", true);
      const top = u.valToPos(limit / 10000, "y", true), bottom = u.valToPos(-limit / 10000, "y", true);
      c.fillStyle = colour("--band");
      c.fillRect(left, top, right - left, bottom - top);
      c.strokeStyle = colour("--good");
      c.lineWidth = devicePixelRatio;
      for (const at of [top, bottom]) { c.beginPath(); c.moveTo(left, at); c.lineTo(right, at); c.stroke(); }
    }
    c.restore();
  };
}

function axis(size, values) {
  const ink = colour("--ink"), line = colour("--line");
  return { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, size, values, font: "13px system-ui, sans-serif" };
}

// The plan's flows stand below the chart, as far as there is room for each.
function flowAxis(flows, w) {
  const shown = (u, at) => {
    let last = -Infinity;
    return at.map((v) => {
      const place = u.valToPos(v, "x");
      if (place - last < 46) return "";
      last = place;
      return String(v / 1000);
    });
  };
  const sorted = [...new Set(flows)].sort((a, b) => a - b);
  return { ...axis(44, shown), splits: () => sorted, filter: (_u, at) => at, label: `${w.flow} L/h`, labelSize: 20, labelFont: "13px system-ui, sans-serif" };
}

// `lines`: [{label, curve: [[flow, ppm]], dots: [[flow, ppm]], failed}]; all share one band. `frame` has the height and
// the flows of the plan.
function errorChart(home, lines, band, frame, w) {
  const flows = [...new Set(lines.flatMap((l) => [...l.curve, ...(l.dots || [])].map(([at]) => at)))].sort((a, b) => a - b);
  const limits = band.flatMap(([, , limit]) => limit);
  const errors = lines.flatMap((l) => [...l.curve, ...(l.dots || [])].map(([, e]) => Math.abs(e)));
  const reach = (1.2 * Math.max(1, ...limits, ...errors)) / 10000;
  const ends = [...flows, ...band.flatMap(([low, high]) => [low, high])];
  const columns = [], series = [{}];
  for (const l of lines) {
    const tone = colour(l.failed ? "--bad" : "--busy");
    const at = new Map(l.curve);
    columns.push(flows.map((f) => (at.has(f) ? at.get(f) / 10000 : null)));
    series.push({ label: l.label, stroke: tone, width: 1.5, spanGaps: true, points: { size: l.dots ? 5 : 6, fill: tone } });
    for (const part of repeats(l.dots || [])) {
      const dot = new Map(part);
      columns.push(flows.map((f) => (dot.has(f) ? dot.get(f) / 10000 : null)));
      series.push({ label: l.label, stroke: tone, width: 0, paths: () => null, points: { show: true, size: 10, fill: "transparent", width: 2 } });
    }
  }
  const options = {
    width: Math.max(240, home.clientWidth),
    height: frame.height,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, distr: 3, range: [Math.min(...ends) * 0.85, Math.max(...ends) * 1.15] }, y: { range: [-reach, reach] } },
    axes: [
      flowAxis(frame.flows.length ? frame.flows : flows, w),
      { ...axis(62, (_u, at) => at.map((v) => `${v > 0 ? "+" : v < 0 ? "−" : ""}${Math.abs(v)} %`)) },
    ],
    series,
    hooks: { drawClear: [paintBand(band)] },
  };
  home.replaceChildren();
  return new uPlot(options, [flows, ...columns], home);
}

// Rings at one flow can stand above each other: each repeat is a series of its own, one value a flow.
function repeats(dots) {
  const parts = [];
  for (const [at, error] of dots) {
    let part = parts.find((known) => !known.some(([f]) => f === at));
    if (!part) { part = []; parts.push(part); }
    part.push([at, error]);
  }
  return parts;
}
