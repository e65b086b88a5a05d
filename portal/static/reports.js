/* Draws the charts of reports from the figures that the page brings; the table beside has the same. */
(() => {
  "use strict";

  const style = () => getComputedStyle(document.documentElement);
  const colour = (name, otherwise) => style().getPropertyValue(name).trim() || otherwise;
  const language = document.documentElement.lang || "en";

  const palette = () => [
    colour("--p-primary", "#0b5cab"),
    colour("--p-warn", "#7a5200"),
    colour("--p-ok", "#146c43"),
    colour("--p-bad", "#b02a37"),
    colour("--bs-secondary-color", "#535c69"),
    colour("--p-control-border", "#7b8592"),
  ];

  const written = (value) =>
    value === null || value === undefined
      ? "–"
      : new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(value);
  const short = (value) =>
    new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 }).format(value);

  const optionOf = (chart, width) => {
    const text = colour("--bs-body-color", "#1a2029");
    const muted = colour("--bs-secondary-color", "#535c69");
    const line = colour("--bs-border-color", "#d6dbe1");
    const ground = colour("--bs-body-bg", "#ffffff");
    const isTime = chart.kind === "time";
    const places = {
      type: "category",
      data: chart.places,
      inverse: !isTime,
      axisLabel: isTime
        ? { color: muted, hideOverlap: true }
        : { color: muted, width: Math.min(width * 0.35, 260), overflow: "truncate" },
      axisLine: { lineStyle: { color: muted } },
      axisTick: { show: false },
    };
    const amounts = {
      type: "value",
      min: (range) => Math.min(0, range.min),
      minInterval: 1, // most figures are counts: there is no half a line
      name: chart.unit,
      nameTextStyle: { color: muted },
      axisLabel: { color: muted, formatter: short, hideOverlap: true },
      splitLine: { lineStyle: { color: line } },
    };
    return {
      animation: false,
      aria: { enabled: true, label: { enabled: false }, decal: { show: true } },
      color: palette(),
      backgroundColor: "transparent",
      textStyle: { color: text, fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 8, right: 24, top: chart.series.length > 1 ? 64 : 36, bottom: 8, containLabel: true },
      legend: { show: chart.series.length > 1, top: 0, left: 0, textStyle: { color: text } },
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        axisPointer: { type: "shadow" },
        backgroundColor: ground,
        borderColor: line,
        textStyle: { color: text },
        valueFormatter: (value) => `${written(value)}${chart.unit ? ` ${chart.unit}` : ""}`,
      },
      xAxis: isTime ? places : amounts,
      yAxis: isTime ? amounts : places,
      series: chart.series.map((series) => ({
        type: "bar",
        name: series.name,
        barMaxWidth: 48,
        data: series.values.map((value) => (value === null ? null : Number(value))),
      })),
    };
  };

  const draw = (box) => {
    const chart = JSON.parse(box.dataset.chart);
    const picture = echarts.init(box, null, { renderer: "canvas" });
    const show = () => picture.setOption(optionOf(chart, box.clientWidth), { notMerge: true });
    show();
    picture.on("click", (event) => {
      const url = chart.urls[event.dataIndex];
      if (url) window.location.assign(url);
    });
    new ResizeObserver(() => {
      picture.resize();
      show();
    }).observe(box);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
    window.addEventListener("beforeprint", () => picture.resize());
  };

  const start = () => document.querySelectorAll("[data-chart]").forEach(draw);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
