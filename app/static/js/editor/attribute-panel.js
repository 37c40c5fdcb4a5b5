// The attributes of the selected annotation, each with the field that its class says.

import { element } from "../frame/dom.js";
import { toast } from "../frame/toast.js";

const UNSET = "";

function choices({ options, required }, value) {
  const known = options.includes(value) || value === undefined || value === null ? options : [...options, String(value)];
  const none = required ? [] : [element("option", { value: UNSET, text: "not said" })];
  const hint = required && (value === undefined || value === null) ? [element("option", { value: UNSET, text: "choose one", disabled: true })] : [];
  return [...hint, ...none, ...known.map((one) => element("option", { value: one, text: one }))];
}

const MAKE = {
  select: (one, shared, value) => element("select", { ...shared, class: "form-select field-small" }, ...choices(one, value)),
  number: ({ min, max, step }, shared) => element("input", { ...shared, class: "form-control field-small", type: "number", min, max, step: step ?? "any" }),
  text: ({ max_length: longest }, shared) => element("input", { ...shared, class: "form-control field-small", type: "text", maxlength: longest, spellcheck: "false" }),
  checkbox: (_, shared) => element("input", { ...shared, class: "form-check-input", type: "checkbox" }),
};

/** The value that a field says; undefined: none. */
function valueOf(field) {
  if (field.type === "checkbox") return field.checked;
  if (field.value === UNSET) return undefined;
  return field.type === "number" ? Number(field.value) : field.value;
}

function show(field, value) {
  if (field.type === "checkbox") field.checked = value === true;
  else if (field !== document.activeElement) field.value = value ?? UNSET;
}

const inWords = (value) => (Array.isArray(value) ? value.join(", ") : String(value));

export class AttributePanel {
  constructor(section, { labels, store, tools, onDone }) {
    Object.assign(this, { section, labels, store, tools, onDone });
    this.form = section.querySelector("form");
    this.rest = section.querySelector("dl");
    this.form.addEventListener("submit", (event) => (event.preventDefault(), onDone()));
    this.form.addEventListener("input", (event) => this.#take(event.target));
    this.form.addEventListener("keydown", (event) => event.key === "Escape" && onDone());
    this.form.addEventListener("focusout", (event) => this.#leave(event.target));
    for (const name of ["select", "item", "items"]) store.addEventListener(name, () => this.#draw());
    labels.addEventListener("change", () => this.#draw());
  }

  #draw() {
    const item = this.store.chosen;
    const types = item ? this.labels.attributes(item.label) : [];
    const key = item && JSON.stringify([item.id, types, Boolean(this.tools.editable)]);
    if (key !== this.drawn) this.form.replaceChildren(...types.map((one) => this.#field(one, item.attributes[one.name])));
    this.drawn = key;
    for (const field of this.form.elements) show(field, item.attributes[field.name]);
    this.#others(item, new Set(types.map((one) => one.name)));
    this.section.hidden = !types.length && !this.rest.childElementCount;
  }

  #field(one, value) {
    const shared = { name: one.name, disabled: !this.tools.editable, "aria-required": one.required ? "true" : null };
    const name = element("span", { class: "attribute-name", text: one.required ? `${one.name} *` : one.name });
    const field = (MAKE[one.kind] ?? MAKE.text)(one, shared, value);
    return element("label", { class: `attribute is-${one.kind}` }, name, field);
  }

  /** What a data set brought and no class declares: shown, and kept. */
  #others(item, declared) {
    const others = Object.entries(item?.attributes ?? {}).filter(([name]) => !declared.has(name));
    this.rest.replaceChildren(...others.flatMap(([name, value]) => [element("dt", { text: name }), element("dd", { text: inWords(value) })]));
  }

  #take(field) {
    const item = this.tools.editable;
    if (!item || !field.name || !field.reportValidity()) return;
    const attributes = { ...item.attributes };
    const value = valueOf(field);
    if (value === undefined) delete attributes[field.name];
    else attributes[field.name] = value;
    this.store.change(item.id, { attributes }, `attribute ${field.name}`);
  }

  /** What was not taken does not stand there as if it were: it is told, and what is kept shows again. */
  #leave(field) {
    if (!field.name || field.validity.valid) return;
    const typed = field.value ? `“${field.value}”` : "What was typed";
    toast(`${field.name}: ${typed} was not kept. ${field.validationMessage}`);
    field.value = this.store.chosen?.attributes[field.name] ?? UNSET;
  }
}
