// Annotations as the API tells them, and as the store keeps them: there, `label` is the id of a class.

const TYPED = "new:";

/** The id of a label that was typed here and that the server does not know yet. */
export const typedId = (name) => TYPED + name;
export const isTyped = (id) => Boolean(id?.startsWith(TYPED));
export const typedName = (id) => id.slice(TYPED.length);

/** {id, rev, label (id of a class), box, shape?, attributes, frame} of an annotation of the API. */
export function itemOf({ label_id: labelId, label, ...rest }) {
  return { frame: 0, attributes: {}, ...rest, label: labelId ?? label ?? null };
}

/** What the API takes for an item: {id, rev, label_id or (typed here) label, box | shape, attributes, frame}. */
export function annotationOf({ label, ...rest }) {
  return isTyped(label) ? { ...rest, label: typedName(label) } : { ...rest, label_id: label };
}
