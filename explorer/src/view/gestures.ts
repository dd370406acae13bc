/** What hands do on the map: pointers, wheel and fingers. */

export interface Gestures {
  /** Any of them began. */
  touch(): void;
  hover(x: number, y: number): void;
  leave(): void;
  click(x: number, y: number, event: PointerEvent): void;
  /** A drag moved by pixels; `pans` says that it asks to move the view, not to turn it. */
  drag(dx: number, dy: number, pans: boolean): void;
  /** Zoom in by a factor around a place. */
  zoom(factor: number, x: number, y: number): void;
  /** Whether drags draw a shape; then these are called in place of `drag`. */
  draws(): boolean;
  draw(x: number, y: number, began: boolean): void;
  drawn(event: PointerEvent): void;
}

const CLICK_REACH = 4;

export function listen(target: HTMLElement, gestures: Gestures): void {
  const pointers = new Map<number, { x: number; y: number }>();
  let pressed: { x: number; y: number; button: number; moved: boolean; draws: boolean } | undefined;

  const place = (event: MouseEvent): { x: number; y: number } => {
    const box = target.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  target.addEventListener("contextmenu", (event) => event.preventDefault());
  target.addEventListener("pointerdown", (event) => {
    gestures.touch();
    target.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    const draws = gestures.draws() && event.button === 0 && pointers.size === 1;
    pressed = { ...place(event), button: event.button, moved: false, draws };
    gestures.leave();
  });
  target.addEventListener("pointermove", (event) => {
    const now = place(event);
    const before = pointers.get(event.pointerId);
    if (before === undefined || pressed === undefined) {
      if (event.pointerType !== "touch") gestures.hover(now.x, now.y);
      return;
    }
    if (pointers.size === 2) {
      pinch(event.pointerId, before, now);
    } else if (pressed.moved || Math.hypot(now.x - pressed.x, now.y - pressed.y) >= CLICK_REACH) {
      if (pressed.draws) {
        if (!pressed.moved) gestures.draw(pressed.x, pressed.y, true);
        gestures.draw(now.x, now.y, false);
      } else {
        const pans = pressed.button === 2 || event.shiftKey;
        gestures.drag(now.x - before.x, now.y - before.y, pans);
      }
      pressed.moved = true;
    } else return;
    pointers.set(event.pointerId, now);
  });
  for (const end of ["pointerup", "pointercancel"] as const) {
    target.addEventListener(end, (event) => {
      const known = pointers.delete(event.pointerId);
      if (!known || pressed === undefined || pointers.size > 0) return;
      const { x, y, moved, draws, button } = pressed;
      pressed = undefined;
      if (moved && draws) gestures.drawn(event);
      else if (!moved && button === 0 && end === "pointerup") gestures.click(x, y, event);
    });
  }
  target.addEventListener("pointerleave", () => gestures.leave());
  target.addEventListener("wheel", (event) => {
    event.preventDefault();
    gestures.touch();
    const { x, y } = place(event);
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1);
    gestures.zoom(Math.exp(-Math.max(-240, Math.min(240, pixels)) * 0.002), x, y);
  }, { passive: false });

  /** Two fingers: their middle moves the view, their distance zooms. */
  function pinch(id: number, before: { x: number; y: number }, now: { x: number; y: number }): void {
    const [, other] = [...pointers].find(([pointer]) => pointer !== id)!;
    gestures.drag((now.x - before.x) / 2, (now.y - before.y) / 2, true);
    const apart = Math.hypot(before.x - other.x, before.y - other.y);
    const factor = Math.hypot(now.x - other.x, now.y - other.y) / (apart || 1);
    gestures.zoom(factor, (now.x + other.x) / 2, (now.y + other.y) / 2);
    pressed!.moved = true;
    pressed!.draws = false;
  }
}
