"use strict";
// Everything is there without this script: it only adds a cursor with values, a button that copies, and details that open for print.
(() => {
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const data = JSON.parse(document.getElementById("data").textContent);
  const length = data.end - data.start;
  const lanes = document.getElementById("lanes");
  const backdrop = document.querySelector(".backdrop");
  const hair = document.querySelector(".hair");
  const scrub = document.getElementById("scrub");
  const told = document.getElementById("cursor");
  const charts = [];

  const number = (value) => String(Number(value.toPrecision(4)));
  const when = (second) => {
    const whole = Math.round(second * 10) / 10;
    return `+${whole} s · ${new Date((data.zero + second) * 1000).toISOString().slice(11, 21)} UTC`;
  };
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Where the limit is broken, the same lines once more, thick and in another colour.
  const broken = (beyond) => (plot) => {
    if (!beyond) return;
    const { left, top, width, height } = plot.bbox;
    const pen = plot.ctx;
    pen.save();
    pen.beginPath();
    pen.rect(left, top + (height * beyond[0]) / 100, width, (height * beyond[1]) / 100);
    pen.clip();
    pen.strokeStyle = colour("--bad");
    pen.lineWidth = 3 * devicePixelRatio;
    plot.series.forEach((one) => { if (one._paths && one._paths.stroke) pen.stroke(one._paths.stroke); });
    pen.restore();
  };

  // The nearest value of each series at the cursor, unless the cursor is in a gap.
  const nearest = (line, second) => {
    let best = null;
    line.x.forEach((x, index) => { if (best === null || Math.abs(x - second) < Math.abs(line.x[best] - second)) best = index; });
    return best === null ? null : line.y[best];
  };
  const read = (box, lines, second) => {
    const values = second === null ? [] : lines.map((line) => [line.label, nearest(line, second)]).filter((pair) => pair[1] !== null);
    box.hidden = second === null;
    box.textContent = !values.length ? "no value" : values.length === 1 ? number(values[0][1]) : values.slice(0, 6).map((pair) => `${pair[0]} ${number(pair[1])}`).join("   ");
  };

  const point = (fraction) => {
    const second = fraction === null ? null : data.start + fraction * length;
    hair.hidden = fraction === null;
    if (fraction !== null) { hair.style.left = `${fraction * 100}%`; scrub.value = Math.round(fraction * 1000); }
    told.textContent = second === null ? "" : when(second);
    charts.forEach((chart) => read(chart.box, chart.lines, second));
  };

  const draw = (element, chart) => {
    const lines = chart.lines;
    const joined = uPlot.join(lines.map((line) => [line.x, line.y]));
    const series = lines.map((_, index) => ({ stroke: () => colour(`--l${index % 6}`), width: 1.5, points: { size: 4 } }));
    return new uPlot({
      width: element.clientWidth, height: element.clientHeight, padding: [0, 0, 0, 0], legend: { show: false }, axes: [{ show: false }, { show: false }],
      scales: { x: { time: false, range: [data.start, data.end] }, y: { range: [chart.low, chart.high] } }, series: [{}, ...series],
      cursor: { sync: { key: "time" }, y: false, drag: { x: false, y: false } }, hooks: { draw: [broken(chart.beyond)] },
    }, joined, element);
  };
  const begin = (element) => {
    const chart = data.charts[Number(element.dataset.chart)];
    const box = document.createElement("div");
    box.className = "readout";
    box.hidden = true;
    element.parentNode.append(box);
    const entry = { element, box, lines: chart.lines, plot: null };
    charts.push(entry);
    new ResizeObserver(() => {
      const size = { width: element.clientWidth, height: element.clientHeight };
      if (!size.width) return;
      if (entry.plot) entry.plot.setSize(size);
      else { entry.plot = draw(element, chart); element.parentNode.classList.add("drawn"); }
    }).observe(element);
  };
  all(".plot").forEach(begin);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((chart) => chart.plot && chart.plot.redraw(true)));

  lanes.addEventListener("pointermove", (event) => {
    const place = backdrop.getBoundingClientRect();
    const fraction = (event.clientX - place.left) / place.width;
    point(fraction >= 0 && fraction <= 1 ? fraction : null);
  });
  lanes.addEventListener("pointerleave", () => point(null));
  scrub.hidden = false;
  scrub.addEventListener("input", () => point(Number(scrub.value) / 1000));

  all(".copy").forEach((button) => {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", () => navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent).then(
      () => { button.textContent = "Copied"; }, () => { button.textContent = "Select and copy by hand"; }));
  });

  let opened = [];
  addEventListener("beforeprint", () => { opened = all("details:not([open]):not(.data)"); opened.forEach((one) => { one.open = true; }); });
  addEventListener("afterprint", () => opened.forEach((one) => { one.open = false; }));
})();
