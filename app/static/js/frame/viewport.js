// Where a picture stands in its frame: {scale, x, y} maps pixel p of the picture to p * scale + x on the screen.

export const LARGEST = 16;

/** The whole picture in the middle; a small one is enlarged `most` times. */
export function fit(picture, frame, margin = 0, most = 1) {
  const room = { w: Math.max(1, frame.w - 2 * margin), h: Math.max(1, frame.h - 2 * margin) };
  const scale = Math.min(room.w / picture.w, room.h / picture.h, most);
  return centred(picture, frame, scale);
}

export function centred(picture, frame, scale) {
  return { scale, x: (frame.w - picture.w * scale) / 2, y: (frame.h - picture.h * scale) / 2 };
}

/** The same point of the picture stays under `point` (in the frame's pixels). */
export function zoomAt(view, point, scale) {
  const by = scale / view.scale;
  return { scale, x: point.x - (point.x - view.x) * by, y: point.y - (point.y - view.y) * by };
}

function hold(offset, size, room) {
  if (size <= room) return (room - size) / 2;
  return Math.min(0, Math.max(room - size, offset));
}

/** No edge of the picture comes further in than needed; what is smaller than the frame is centred. */
export function held(view, picture, frame) {
  return {
    scale: view.scale,
    x: hold(view.x, picture.w * view.scale, frame.w),
    y: hold(view.y, picture.h * view.scale, frame.h),
  };
}

export const limited = (scale, least, most = LARGEST) => Math.min(most, Math.max(least, scale));

export const toPicture = (view, point) => ({ x: (point.x - view.x) / view.scale, y: (point.y - view.y) / view.scale });
export const toFrame = (view, point) => ({ x: point.x * view.scale + view.x, y: point.y * view.scale + view.y });

/** How much one turn of the wheel zooms; trackpads send many small turns. */
export const wheelFactor = (event) => Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0022));
