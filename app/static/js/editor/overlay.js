// What floats over the annotations, in pixels of the screen: the selected frame with its handles, the guides.

import { shape } from "../frame/dom.js";
import { HANDLES, NARROW } from "./geometry.js";
import { OutlineOverlay } from "./outline-overlay.js";
import { asTurned, hasPoints, kindOf } from "./shapes.js";
import { turnsBelow } from "./turning.js";

const SIZE = 10;
const OUT = 26;

const percent = (side) => `${(side + 1) * 50}%`;

function handle(name, [sx, sy]) {
  const edge = sx === 0 ? " is-side-x" : sy === 0 ? " is-side-y" : "";
  return shape("rect", { class: `handle at-${name}${edge}`, x: percent(sx), y: percent(sy), width: SIZE, height: SIZE, rx: 2, transform: `translate(${-SIZE / 2} ${-SIZE / 2})` });
}

function turner(side) {
  const [y, out] = side === "above" ? ["0%", -OUT] : ["100%", OUT];
  return shape(
    "svg",
    { class: `turner is-${side}`, x: "50%", y },
    shape("line", { class: "halo", x1: 0, y1: 0, x2: 0, y2: out }),
    shape("line", { class: "line", x1: 0, y1: 0, x2: 0, y2: out }),
    shape("circle", { class: "handle", cx: 0, cy: out, r: SIZE / 2 }),
  );
}

export class Overlay {
  /** `canvas` tells where a place of the picture stands on the screen. */
  constructor(svg, canvas) {
    this.canvas = canvas;
    this.frame = shape(
      "svg",
      { class: "frame" },
      turner("above"),
      turner("below"),
      shape("rect", { class: "halo", width: "100%", height: "100%" }),
      shape("rect", { class: "line", width: "100%", height: "100%" }),
      ...Object.entries(HANDLES).map(([name, sides]) => handle(name, sides)),
    );
    this.turn = shape("g", { class: "turn" }, this.frame);
    this.guides = shape("g", { class: "guides" }, shape("path", { class: "halo" }), shape("path", { class: "line" }));
    svg.append(this.guides, this.turn);
    this.outline = new OutlineOverlay(svg);
    this.hide();
    this.guide(null);
  }

  /** {box, shape?} in pixels of the picture. A drag changes one node. */
  show(place, vertex = null) {
    if (kindOf(place) === "image") return this.hide();
    if (hasPoints(place)) {
      this.#hideFrame();
      return this.outline.show(place, this.canvas, vertex);
    }
    this.outline.hide();
    const shaped = asTurned(place);
    return this.#frame(this.canvas.toFrame(shaped), shaped.angle);
  }

  #frame({ x, y, w, h }, angle) {
    const { frame } = this;
    this.#turn(angle ? `rotate(${angle} ${x + w / 2} ${y + h / 2})` : "");
    frame.setAttribute("x", x);
    frame.setAttribute("y", y);
    frame.setAttribute("width", Math.max(1, w));
    frame.setAttribute("height", Math.max(1, h));
    if (this.isHidden) frame.removeAttribute("display");
    this.isHidden = false;
    this.#mark("narrow", `${w < NARROW ? "x" : ""}${h < NARROW ? "y" : ""}`);
    this.#mark("turner", turnsBelow({ y }, angle) ? "below" : "above");
  }

  #turn(transform) {
    if (transform === this.turning) return;
    this.turning = transform;
    this.turn.setAttribute("transform", transform);
  }

  #mark(name, value) {
    if (this.frame.dataset[name] !== value) this.frame.dataset[name] = value;
  }

  #hideFrame() {
    if (!this.isHidden) this.frame.setAttribute("display", "none");
    this.isHidden = true;
  }

  hide() {
    this.#hideFrame();
    this.outline.hide();
  }

  /** Of the label that is drawn or selected. */
  colour(value) {
    if (value === this.tint) return;
    this.tint = value;
    const line = this.frame.querySelector("rect.line");
    line.setAttribute("stroke", value);
    line.setAttribute("fill", value);
    this.guides.lastChild.setAttribute("stroke", value);
    this.outline.colour(value);
  }

  bare(on) {
    this.frame.classList.toggle("is-bare", on);
    this.outline.bare(on);
  }

  /** Crosshair through `point` of the screen over a surface of `size`; null: none. */
  guide(point, size) {
    const path = point ? `M0 ${point.y}H${size.w}M${point.x} 0V${size.h}` : "";
    for (const node of this.guides.children) node.setAttribute("d", path);
  }
}
