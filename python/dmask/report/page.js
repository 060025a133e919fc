"use strict";
(() => {
  const LONG_S = 120; // such a recording opens on its first part: as a whole its traces run into each other
  const FIRST_S = 60;
  const data = JSON.parse(document.getElementById("data").textContent);
  const words = data.words;
  const root = document.documentElement;
  document.body.classList.remove("no-script");

  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const shown = (value, decimals) =>
    value.toLocaleString(data.language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  const filled = (text, parts) => text.replace(/\{(\w+)\}/g, (all, name) => parts[name] ?? all);

  const unpacked = (steps, ticks) => {
    const times = new Float64Array(steps.length);
    let sum = 0;
    for (let i = 0; i < steps.length; i += 1) {
      sum += steps[i];
      times[i] = sum / ticks;
    }
    return times;
  };

  // Of more than two minutes, minutes and seconds.
  const moment = (t, long, decimals) => {
    if (!long) return shown(t, decimals);
    const seconds = shown(t % 60, decimals);
    return `${Math.floor(t / 60)}:${seconds.length < 2 + (decimals ? decimals + 1 : 0) ? "0" : ""}${seconds}`;
  };

  // The last of the sorted times that is not after t; the first where all are.
  const indexAt = (times, t) => {
    let low = 0;
    let high = times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= t + 1e-6) low = middle;
      else high = middle - 1;
    }
    return low;
  };

  // What plays: the mask's video, or a clock of its own where there is none.
  class Clock {
    constructor(video, duration, changed) {
      this.video = video;
      this.duration = duration;
      this.changed = changed;
      this.now = 0;
      this.rate = 1;
      this.running = false;
      if (video) for (const name of ["seeking", "seeked", "timeupdate", "play", "pause", "ended", "loadeddata"])
        video.addEventListener(name, () => this.tell());
    }
    get time() { return this.video ? this.video.currentTime : this.now; }
    get playing() { return this.video ? !this.video.paused && !this.video.ended : this.running; }
    seek(t) {
      const within = Math.min(Math.max(0, t), this.duration);
      if (this.video) this.video.currentTime = within;
      else this.now = within;
      this.tell();
    }
    speed(rate) {
      this.rate = rate;
      if (this.video) this.video.playbackRate = rate;
    }
    toggle() {
      if (this.playing) this.pause();
      else this.play();
    }
    pause() {
      this.running = false;
      if (this.video) this.video.pause();
      this.tell();
    }
    play() {
      if (this.time >= this.duration - 0.01) this.seek(0);
      if (this.video) this.video.play().catch(() => this.tell());
      this.running = true;
      this.last = performance.now();
      requestAnimationFrame((now) => this.step(now));
    }
    step(now) {
      if (!this.video && this.running) {
        this.now = Math.min(this.duration, this.now + ((now - this.last) / 1000) * this.rate);
        this.last = now;
        if (this.now >= this.duration) this.running = false;
      }
      this.tell();
      if (this.playing) requestAnimationFrame((later) => this.step(later));
    }
    tell() { this.changed(this.time, this.playing); }
  }

  class Player {
    constructor(place, visit) {
      this.place = place;
      this.visit = visit;
      this.frames = unpacked(visit.frames, visit.ticks);
      this.times = unpacked(visit.times, visit.ticks);
      this.duration = this.frames[this.frames.length - 1];
      this.long = this.duration > LONG_S;
      this.plots = [];
      this.zooming = false;
      this.slider = place.querySelector("input[type=range]");
      this.clockText = place.querySelector(".clock");
      this.playButton = place.querySelector("[data-do=play]");
      const video = this.loadVideo();
      for (const holder of place.querySelectorAll(".canvas")) this.plots.push(this.plotIn(holder));
      this.clock = new Clock(video, this.duration, (t, playing) => this.show(t, playing));
      this.listen();
      this.show(0, false);
      if (this.long) this.zoom(0, FIRST_S);
    }

    loadVideo() {
      const video = this.place.querySelector("video");
      if (!video) return null;
      const held = document.getElementById(video.dataset.mask ?? "");
      video.addEventListener("error", () => { this.place.querySelector(".mask-lost").hidden = false; });
      if (held) {
        const bytes = Uint8Array.from(atob(held.textContent.trim()), (letter) => letter.charCodeAt(0));
        held.textContent = "";
        video.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
      }
      return video;
    }

    plotIn(holder) {
      const plot = this.visit.plots[Number(holder.dataset.plot)];
      const steps = this.visit.steps;
      const columns = plot.values.map((column) => column.map((value) => (value === null ? null : value / steps)));
      const grid = { stroke: () => colour("grid"), width: 1 };
      const font = "12px system-ui, sans-serif";
      const playhead = document.createElement("div");
      playhead.className = "playhead";
      const chart = new uPlot({
        width: Math.max(200, holder.clientWidth),
        height: 128,
        padding: [6, 8, 0, 0],
        legend: { show: false },
        cursor: { sync: { key: this.place.id }, y: false, drag: { x: true, y: false, dist: 5 }, points: { size: 6 } },
        scales: { x: { time: false }, y: { range: plot.range } },
        axes: [
          { incrs: this.long ? [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600] : undefined, stroke: () => colour("quiet"), grid, ticks: grid, font, size: 24, gap: 2,
            values: (u, ticks) => ticks.map((t) => (this.long ? moment(t, true, 0) : `${t.toLocaleString(data.language)} s`)) },
          { stroke: () => colour("quiet"), grid, ticks: grid, font, size: 46, gap: 3, space: 24,
            values: (u, ticks) => ticks.map((value) => value.toLocaleString(data.language).replace("-", "\u2212") + (plot.unit === "deg" ? "°" : "")) },
        ],
        series: [{}, ...plot.styles.map((style) => ({
          stroke: () => colour(style), width: 1.4, spanGaps: false, points: { show: false },
        }))],
        hooks: {
          drawClear: [(u) => this.shade(u)],
          ready: [(u) => u.over.appendChild(playhead)],
          setScale: [(u, key) => { if (key === "x") this.zoomed(u); }],
          draw: [() => this.move(playhead, chart)],
        },
      }, [this.times, ...columns], holder);
      let pressed = null;
      chart.over.addEventListener("mousedown", (event) => { pressed = event.clientX; });
      chart.over.addEventListener("click", (event) => {
        if (pressed !== null && Math.abs(event.clientX - pressed) > 4) return;
        this.clock.seek(chart.posToVal(event.clientX - chart.over.getBoundingClientRect().left, "x"));
      });
      new ResizeObserver(() => {
        if (holder.clientWidth > 0 && holder.clientWidth !== chart.width) chart.setSize({ width: holder.clientWidth, height: 128 });
      }).observe(holder);
      const readings = [...holder.closest(".plot").querySelectorAll(".at")];
      return { chart, playhead, readings, columns, decimals: plot.unit === "1" ? 2 : 1, unit: plot.unit };
    }

    shade(u) {
      const { left, top, width, height } = u.bbox;
      const context = u.ctx;
      context.save();
      context.beginPath();
      context.rect(left, top, width, height);
      context.clip();
      for (const [kind, eye, start, end] of this.visit.shades) {
        if (end < u.scales.x.min || start > u.scales.x.max) continue;
        const from = u.valToPos(start, "x", true);
        const wide = Math.max(1, u.valToPos(end, "x", true) - from);
        context.fillStyle = colour(kind);
        context.fillRect(from, eye === "os" ? top + height / 2 : top, wide, eye === "both" ? height : height / 2);
      }
      context.restore();
    }

    zoomed(from) {
      if (this.zooming) return;
      this.zooming = true;
      const { min, max } = from.scales.x;
      for (const { chart } of this.plots) if (chart !== from && (chart.scales.x.min !== min || chart.scales.x.max !== max)) chart.setScale("x", { min, max });
      this.zooming = false;
    }

    zoom(min, max) {
      const low = Math.max(0, min);
      const high = Math.min(this.duration, max);
      if (high - low > 0.05) for (const { chart } of this.plots) chart.setScale("x", { min: low, max: high });
    }

    zoomBy(factor) {
      if (!this.plots.length) return;
      const { min, max } = this.plots[0].chart.scales.x;
      const middle = Math.min(Math.max(this.clock.time, min), max);
      this.zoom(middle - (middle - min) * factor, middle + (max - middle) * factor);
    }

    move(playhead, chart) {
      if (!chart || !this.clock) return;
      const x = chart.valToPos(this.clock.time, "x");
      playhead.hidden = !(x >= -1 && x <= chart.over.clientWidth + 1);
      playhead.style.transform = `translateX(${x}px)`;
      playhead.dataset.time = this.clock.time.toFixed(4);
    }

    show(t, playing) {
      if (!this.clock) return;
      if (playing && this.plots.length) {
        const { min, max } = this.plots[0].chart.scales.x;
        if (t > max || t < min) this.zoom(t, t + (max - min));
      }
      const at = indexAt(this.times, t);
      for (const { chart, playhead, readings, columns, decimals, unit } of this.plots) {
        this.move(playhead, chart);
        readings.forEach((reading, number) => {
          const value = columns[number][at];
          const end = unit === "deg" ? "°" : unit === "mm" ? "\u202fmm" : "";
          reading.textContent = value === null ? "–" : shown(value, decimals).replace("-", "\u2212") + end;
        });
      }
      const frame = indexAt(this.frames, t);
      const text = filled(words.time, { time: moment(t, this.long, 2), all: moment(this.duration, this.long, 2), unit: this.long ? "min" : "s" });
      this.clockText.textContent = `${text} · ${filled(words.frame, { frame })}`;
      this.clockText.dataset.time = t.toFixed(4);
      this.slider.value = String(t);
      this.slider.setAttribute("aria-valuetext", text);
      const name = playing ? words.pause : words.play;
      if (this.playButton.textContent !== name) this.playButton.textContent = name;
    }

    step(by) {
      this.clock.pause();
      const t = this.clock.time;
      const to = Math.min(Math.max(0, indexAt(this.frames, t) + by), this.frames.length - 1);
      const until = to + 1 < this.frames.length ? this.frames[to + 1] : this.frames[to];
      this.clock.seek(this.frames[to] + 0.3 * Math.max(0, until - this.frames[to])); // within the frame, not at its edge
    }

    listen() {
      const acts = {
        play: () => this.clock.toggle(),
        back: () => this.step(-1),
        forth: () => this.step(1),
        in: () => this.zoomBy(0.5),
        out: () => this.zoomBy(2),
        all: () => this.zoom(0, this.duration),
      };
      for (const button of this.place.querySelectorAll("[data-do]"))
        button.addEventListener("click", () => acts[button.dataset.do]());
      this.place.querySelector("select").addEventListener("change", (event) => this.clock.speed(Number(event.target.value)));
      this.slider.addEventListener("input", () => this.clock.seek(Number(this.slider.value)));
      for (const name of ["pointerdown", "focusin"]) this.place.addEventListener(name, () => { active = this; });
    }

    redraw() { for (const { chart } of this.plots) chart.redraw(false, true); }
  }

  let active = null;
  const players = data.visits
    .map((visit, number) => [document.getElementById(`recording-${number}`), visit])
    .filter(([place]) => place)
    .map(([place, visit]) => new Player(place, visit));
  active = players[0] ?? null;

  document.addEventListener("keydown", (event) => {
    const tag = event.target.tagName;
    if (!active || event.ctrlKey || event.altKey || event.metaKey || tag === "SELECT") return;
    // A table that is wider than its room scrolls by the arrows.
    const scrolls = event.target.classList?.contains("scrolls") && event.target.scrollWidth > event.target.clientWidth;
    if (scrolls && event.key !== " ") return;
    const taken = tag === "BUTTON" || tag === "SUMMARY" || tag === "A";
    if (event.key === " " && !taken) active.clock.toggle();
    else if (event.key === "ArrowLeft") active.step(-1);
    else if (event.key === "ArrowRight") active.step(1);
    else return;
    event.preventDefault();
  });

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("theme");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const themed = () => {
    button.textContent = isDark() ? words.light : words.dark;
    for (const player of players) player.redraw();
  };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    themed();
  });
  dark.addEventListener("change", themed);
  themed();

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open]):not(.no-print)")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of opened) one.open = false; });

  window.dmaskReport = { players };
})();
