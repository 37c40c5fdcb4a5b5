// "Keep" keeps what stands in the fields of the panel, also what was not shown yet.

const PLACE = new Set(["collection"]);

export function wireKeep(panel) {
  const keep = panel?.querySelector("[data-keep]");
  const fields = panel?.querySelector("form[role=search]");
  if (!keep || !fields) return;
  keep.addEventListener("formdata", ({ formData }) => {
    const typed = [...new FormData(fields)].filter(([name]) => !PLACE.has(name));
    for (const [name] of typed) formData.delete(name);
    for (const [name, value] of typed) if (value.trim()) formData.append(name, value);
  });
}
