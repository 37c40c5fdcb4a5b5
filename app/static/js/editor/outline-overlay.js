// The selected outline with its vertices, and the one that is being drawn; one path for all vertices.

import { shape } from "../frame/dom.js";
import { kindOf, pointsOf } from "./shapes.js";

const HALF = 5;
const BETWEEN = 3;
// Beyond this, marks between the vertices would hide what they stand for.
const MOST_BETWEEN = 120;
const ROOM = 18;

const square = ({ x, y }, half) => `M${x - half} ${y - half}h${half * 2}v${half * 2}h${-half * 2}z`;
const lineOf = (points) => (points.length ? `M${points.map(({ x, y }) => `${x} ${y}`).join("L")}` : "");

function middles(points, closed) {
  const found = [];
  const last = closed ? points.length : points.length - 1;
  for (let at = 0; at < last; at += 1) {
    const [a, b] = [points[at], points[(at + 1) % points.length]];
    if (Math.hypot(b.x - a.x, b.y - a.y) > 2 * ROOM) found.push({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  }
  return found;
}

export class OutlineOverlay {
  constructor(svg) {
    const path = (name) => shape("path", { class: name });
    [this.halo, this.line, this.between, this.vertices, this.active] = ["halo", "line", "between", "handle", "handle is-active"].map(path);
    this.group = shape("g", { class: "outline" }, this.halo, this.line, this.between, this.vertices, this.active);
    svg.append(this.group);
    this.hide();
  }

  #draw(points, { line, closed, vertex }) {
    this.halo.setAttribute("d", line);
    this.line.setAttribute("d", line);
    this.vertices.setAttribute("d", points.map((point) => square(point, HALF)).join(""));
    const between = line && points.length <= MOST_BETWEEN ? middles(points, closed) : [];
    this.between.setAttribute("d", between.map((point) => square(point, BETWEEN)).join(""));
    this.active.setAttribute("d", points[vertex] ? square(points[vertex], HALF + 1) : "");
    if (this.isHidden) this.group.removeAttribute("display");
    this.isHidden = false;
  }

  /** An item of points; `vertex` is the place of the one that keys move. */
  show(place, canvas, vertex = null) {
    const points = pointsOf(place).map((point) => canvas.pointToFrame(point));
    const closed = kindOf(place) === "polygon";
    this.group.classList.remove("is-open");
    this.#draw(points, { line: closed ? `${lineOf(points)}Z` : "", closed, vertex });
  }

  /** What is being drawn, with the line to the cursor. */
  trace({ kind, points, cursor }, canvas) {
    const found = points.map((point) => canvas.pointToFrame(point));
    const ahead = kind === "polygon" && cursor ? [canvas.pointToFrame(cursor)] : [];
    this.group.classList.add("is-open");
    this.#draw(found, { line: kind === "polygon" ? lineOf([...found, ...ahead]) : "", closed: false, vertex: points.length - 1 });
    this.between.setAttribute("d", "");
  }

  hide() {
    if (!this.isHidden) this.group.setAttribute("display", "none");
    this.isHidden = true;
  }

  colour(value) {
    this.line.setAttribute("stroke", value);
    this.line.setAttribute("fill", value);
  }

  bare(on) {
    this.group.classList.toggle("is-bare", on);
  }
}
