// What floats over the boxes, in pixels of the screen: the selected frame with its handles, the guides.

import { shape } from "../frame/dom.js";
import { HANDLES, NARROW } from "./geometry.js";

const SIZE = 10;

const percent = (side) => `${(side + 1) * 50}%`;

function handle(name, [sx, sy]) {
  const edge = sx === 0 ? " is-side-x" : sy === 0 ? " is-side-y" : "";
  return shape("rect", { class: `handle at-${name}${edge}`, x: percent(sx), y: percent(sy), width: SIZE, height: SIZE, rx: 2, transform: `translate(${-SIZE / 2} ${-SIZE / 2})` });
}

export class Overlay {
  constructor(svg) {
    this.frame = shape(
      "svg",
      { class: "frame" },
      shape("rect", { class: "halo", width: "100%", height: "100%" }),
      shape("rect", { class: "line", width: "100%", height: "100%" }),
      ...Object.entries(HANDLES).map(([name, sides]) => handle(name, sides)),
    );
    this.line = this.frame.children[1];
    this.guides = shape("g", { class: "guides" }, shape("path", { class: "halo" }), shape("path", { class: "line" }));
    svg.append(this.guides, this.frame);
    this.hide();
    this.guide(null);
  }

  /** `box` in pixels of the screen. The one node that a drag changes. */
  show({ x, y, w, h }) {
    const { frame } = this;
    frame.setAttribute("x", x);
    frame.setAttribute("y", y);
    frame.setAttribute("width", Math.max(1, w));
    frame.setAttribute("height", Math.max(1, h));
    if (this.isHidden) frame.removeAttribute("display");
    this.isHidden = false;
    const narrow = `${w < NARROW ? "x" : ""}${h < NARROW ? "y" : ""}`;
    if (narrow !== this.narrow) frame.dataset.narrow = this.narrow = narrow;
  }

  hide() {
    this.isHidden = true;
    this.frame.setAttribute("display", "none");
  }

  colour(value) {
    this.line.setAttribute("stroke", value);
    this.line.setAttribute("fill", value);
    this.guides.lastChild.setAttribute("stroke", value);
  }

  bare(on) {
    this.frame.classList.toggle("is-bare", on);
  }

  /** Crosshair through `point` over a surface of `size`; null: none. */
  guide(point, size) {
    const path = point ? `M0 ${point.y}H${size.w}M${point.x} 0V${size.h}` : "";
    for (const node of this.guides.children) node.setAttribute("d", path);
  }
}
