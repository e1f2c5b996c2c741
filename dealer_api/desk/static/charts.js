// Makes the server's still chart movable: same data, same limits, plus a cursor that reads the values out.
"use strict";

(() => {
  const DASHES = [[], [8, 4], [2, 4], [12, 3, 2, 3]];

  // Seconds between two marks of the time axis: minutes, hours, days, never less than its labels can tell apart.
  const STEPS = [60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000];

  const colours = () => {
    const style = getComputedStyle(document.documentElement);
    const value = (name) => style.getPropertyValue(name).trim();
    return {
      ink: value("--muted"), grid: value("--line"), limit: value("--now"), font: `12px ${getComputedStyle(document.body).fontFamily}`,
      lines: [0, 1, 2, 3].map((n) => value(`--chart-${n}`)),
    };
  };

  // Lines with their own times become columns over one time axis: undefined where only another line has a value, null in a silence.
  const columns = (lines) => {
    const times = [...new Set(lines.flatMap((line) => line.t))].sort((a, b) => a - b);
    const place = new Map(times.map((t, n) => [t, n]));
    return [times, ...lines.map((line) => {
      const column = new Array(times.length).fill(undefined);
      line.t.forEach((t, n) => { column[place.get(t)] = line.v[n]; });
      return column;
    })];
  };

  const draw = (figure) => {
    const data = JSON.parse(figure.dataset.chart);
    const box = figure.querySelector(".chart-box");
    const still = box.innerHTML;
    const readings = [...figure.querySelectorAll("[data-series]")];
    const last = readings.map((cell) => cell.textContent);
    const show = (value) => (value == null ? "–" : value.toLocaleString(window.telltale.locale, { maximumFractionDigits: data.decimals }));
    let plot = null;

    const clock = new Intl.DateTimeFormat(window.telltale.locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: data.zone });
    const date = new Intl.DateTimeFormat(window.telltale.locale, { day: "numeric", month: "short", timeZone: data.zone });
    // The wall clock of the dealer's zone; the day is said at the first mark and whenever it changes.
    const times = (u, splits, axis, space, step) => {
      let before = "";
      return splits.map((ts) => {
        const day = date.format(ts * 1000);
        const said = step >= 86400 ? day : day === before ? clock.format(ts * 1000) : `${clock.format(ts * 1000)}\n${day}`;
        before = day;
        return said;
      });
    };

    const make = () => {
      const look = colours();
      const axis = { stroke: look.ink, font: look.font, grid: { stroke: look.grid, width: 1 }, ticks: { show: false } };
      const limits = {
        hooks: {
          draw: [(u) => {
            const { ctx, bbox } = u;
            ctx.save();
            ctx.strokeStyle = ctx.fillStyle = look.limit;
            ctx.textAlign = "left";
            ctx.textBaseline = "alphabetic";
            ctx.lineWidth = 1.5 * devicePixelRatio;
            ctx.font = look.font.replace("12px", `600 ${12 * devicePixelRatio}px`);
            for (const limit of data.limits) {
              const y = Math.round(u.valToPos(limit.value, "y", true));
              if (y < bbox.top - 1 || y > bbox.top + bbox.height + 1) continue;
              ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
              ctx.beginPath();
              ctx.moveTo(bbox.left, y);
              ctx.lineTo(bbox.left + bbox.width, y);
              ctx.stroke();
              const above = y - bbox.top > 18 * devicePixelRatio;
              ctx.fillText(limit.label, bbox.left + 6 * devicePixelRatio, above ? y - 5 * devicePixelRatio : y + 14 * devicePixelRatio);
            }
            ctx.restore();
          }],
        },
      };
      const size = () => ({ width: Math.max(240, box.clientWidth), height: box.clientWidth < 520 ? 220 : 260 });
      const values = data.lines.flatMap((line) => line.v.filter((value) => value !== null)).concat(data.limits.map((limit) => limit.value));
      const low = Math.min(...values), high = Math.max(...values), room = (high - low || Math.abs(high) || 1) * 0.08;
      box.replaceChildren();
      plot = new uPlot({
        ...size(),
        tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), data.zone),
        scales: { x: { time: true }, y: { range: [low - room, high + room] } },
        legend: { show: false },
        cursor: { points: { size: 7 }, drag: { x: true, y: false } },
        axes: [
          { ...axis, values: times, incrs: STEPS, space: 70, size: 44 },
          { ...axis, size: 58, label: data.unit, labelSize: 18, labelFont: look.font },
        ],
        series: [{}, ...data.lines.map((line, n) => ({
          label: line.label, stroke: look.lines[n % 4], width: 2, dash: DASHES[n % 4], spanGaps: false, points: { show: line.t.length < 40 },
        }))],
        plugins: [limits],
        hooks: {
          setCursor: [(u) => {
            const n = u.cursor.idx;
            readings.forEach((cell, k) => { cell.textContent = n == null ? last[k] : show(u.data[k + 1][n] ?? nearest(u.data[k + 1], n)); });
          }],
        },
      }, columns(data.lines), box);
      plot.root.setAttribute("aria-hidden", "true"); // its words are the caption, the legend and the table
      watch.size = size;
    };

    const nearest = (column, n) => {
      for (let k = n; k >= 0; k -= 1) if (column[k] != null) return column[k];
      return null;
    };
    const watch = { size: null };

    try {
      make();
    } catch (error) {
      box.innerHTML = still;
      return;
    }
    new ResizeObserver(() => { if (plot && Math.abs(plot.width - watch.size().width) > 2) plot.setSize(watch.size()); }).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { plot.destroy(); make(); });
  };

  const drawAll = () => document.querySelectorAll("figure[data-chart]:not([data-drawn])").forEach((figure) => {
    figure.dataset.drawn = "yes";
    draw(figure);
  });
  if (window.uPlot) drawAll();
  document.addEventListener("htmx:after:swap", () => { if (window.uPlot) drawAll(); });
})();
