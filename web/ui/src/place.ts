// Where the reader is: the address, and how far down; "Back" leads to both.
export function navigate(to: string, how: { replace?: boolean } = {}) {
  if (how.replace) history.replaceState(history.state, "", to);
  else {
    remember();
    history.pushState(null, "", to);
  }
  dispatchEvent(new PopStateEvent("popstate"));
}

const remember = () => history.replaceState({ y: Math.round(scrollY) }, "");

// What was there is fetched again: the view grows until the place is there, unless the reader moves on.
function restore(y: number) {
  const end = Date.now() + 3000;
  let isOver = false;
  const stop = () => {
    isOver = true;
  };
  for (const kind of ["wheel", "touchstart", "keydown", "pointerdown"])
    addEventListener(kind, stop, { once: true, passive: true });
  const attempt = () => {
    if (isOver) return;
    scrollTo(0, y);
    if (Math.abs(scrollY - y) > 2 && Date.now() < end) setTimeout(attempt, 50);
  };
  attempt();
}

// Calls `moved` when the address changes; `isNew`: by a link, not by the browser's "Back" or "Forward".
export function follow(moved: (isNew: boolean) => void): () => void {
  history.scrollRestoration = "manual";
  const before = (history.state as { y?: number } | null)?.y;
  if (before) restore(before);
  let timer: number | undefined;
  const scrolled = () => {
    clearTimeout(timer);
    timer = window.setTimeout(remember, 200);
  };
  const popped = (event: PopStateEvent) => {
    clearTimeout(timer);
    moved(!event.isTrusted);
    if (event.isTrusted) restore((event.state as { y?: number } | null)?.y ?? 0);
  };
  addEventListener("popstate", popped);
  addEventListener("scroll", scrolled, { passive: true });
  return () => {
    removeEventListener("popstate", popped);
    removeEventListener("scroll", scrolled);
  };
}
