// What changes, as the agent tells it: one stream of events for the whole page. Every half minute everybody asks again
// all the same: there may be no stream, and what changes by time alone (a cache forgets, a silence ends) makes no event.
import { useEffect, useRef, useState } from "preact/hooks";

import { get } from "./api";

const kinds = ["alert", "domain", "host", "silence", "act", "reset"] as const;
export type Kind = (typeof kinds)[number];
type Listener = (kind: Kind, name: string) => void;

const askEvery = 30_000;
const listeners = new Set<Listener>();
const watchers = new Set<(isLive: boolean) => void>();
let stream: EventSource | null = null;
let isLive = false;

const tell: Listener = (kind, name) => {
  for (const listener of listeners) listener(kind, name);
};

function become(live: boolean) {
  isLive = live;
  for (const watcher of watchers) watcher(live);
}

// A stream that breaks is taken up by the browser where it ended (Last-Event-ID); one that was refused is closed for good.
function open() {
  if (stream && stream.readyState !== EventSource.CLOSED) return;
  stream = new EventSource("/api/v1/events");
  stream.onopen = () => become(true);
  stream.onerror = () => become(false);
  for (const kind of kinds) {
    stream.addEventListener(kind, (event) =>
      tell(kind, (JSON.parse((event as MessageEvent<string>).data) as { name: string }).name),
    );
  }
}

// Only few streams may be open at once: a page that nobody looks at gives up its own.
function follow() {
  if (document.hidden) {
    stream?.close();
    become(false);
  } else {
    open();
    tell("reset", "");
  }
}

export function startLive() {
  open();
  document.addEventListener("visibilitychange", follow);
  setInterval(() => {
    if (!document.hidden) follow();
  }, askEvery);
}

export function useIsLive(): boolean {
  const [live, set] = useState(isLive);
  useEffect(() => {
    watchers.add(set);
    return () => void watchers.delete(set);
  }, []);
  return live;
}

export interface Resource<T> {
  data: T | null;
  error: string | null;
  since: string | null;
  isLoading: boolean; // what is shown, if anything, is what another address asked for
  again: () => void;
}

// What was shown last: whoever goes back sees it at once, and where it was.
const mostKept = 40;
const kept = new Map<string, unknown>();
function keep(path: string, data: unknown) {
  kept.delete(path);
  kept.set(path, data);
  if (kept.size > mostKept) for (const oldest of [...kept.keys()].slice(0, kept.size - mostKept)) kept.delete(oldest);
}

// Fetches a resource now, when `path` changes, and soon after an event that concerns it; never more often than every
// `pause` ms. What was there stays shown until there is something newer, also while the agent cannot be reached.
export function useResource<T>(
  path: string | null,
  concerns: (kind: Kind, name: string) => boolean,
  pause = 1000,
): Resource<T> {
  interface State {
    path: string | null;
    data: T | null;
    error: string | null;
    since: string | null;
  }
  const [state, set] = useState<State>({ path: null, data: null, error: null, since: null });
  const wanted = useRef(concerns);
  wanted.current = concerns;
  const reload = useRef(() => {});
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    let timer: number | undefined;
    let last = 0;
    const load = () => {
      timer = undefined;
      last = Date.now();
      get<T>(path, abort.signal).then(
        (data) => {
          keep(path, data);
          set({ path, data, error: null, since: null });
        },
        (reason: Error) => {
          if (abort.signal.aborted) return;
          set((old) => ({
            path,
            data: old.path === path ? old.data : ((kept.get(path) as T | undefined) ?? null),
            error: reason.message,
            since: (old.path === path ? old.since : null) ?? new Date().toISOString(),
          }));
        },
      );
    };
    reload.current = () => {
      timer ??= window.setTimeout(load, Math.max(0, last + pause - Date.now()));
    };
    const listener: Listener = (kind, name) => {
      if (kind === "reset" || wanted.current(kind, name)) reload.current();
    };
    listeners.add(listener);
    load();
    return () => {
      abort.abort();
      clearTimeout(timer);
      listeners.delete(listener);
    };
  }, [path, pause]);
  const again = () => reload.current();
  if (path === null) return { data: null, error: null, since: null, isLoading: false, again };
  if (state.path === path) return { ...state, isLoading: false, again };
  const known = kept.get(path) as T | undefined;
  return { data: known ?? state.data, error: null, since: null, isLoading: known === undefined, again };
}
