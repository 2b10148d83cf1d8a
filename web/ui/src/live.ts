// What changes, as the agent tells it: one stream of events for the whole page. Every half minute everybody asks again
// all the same: there may be no stream, and what changes by time alone (a cache forgets, a silence ends) makes no event.
import { useEffect, useRef, useState } from "preact/hooks";

import { get } from "./api";

const kinds = ["alert", "domain", "host", "silence", "reset"] as const;
export type Kind = (typeof kinds)[number];
type Listener = (kind: Kind, name: string) => void;

const askEvery = 30_000;
const listeners = new Set<Listener>();
const watchers = new Set<(isLive: boolean) => void>();
let stream: EventSource | null = null;
let isLive = false;

const tell: Listener = (kind, name) => listeners.forEach((listener) => listener(kind, name));

function become(live: boolean) {
  isLive = live;
  watchers.forEach((watcher) => watcher(live));
}

// A stream that breaks is taken up by the browser where it ended (Last-Event-ID); one that was refused is closed for good.
function open() {
  if (stream && stream.readyState !== EventSource.CLOSED) return;
  stream = new EventSource("/api/v1/events");
  stream.onopen = () => become(true);
  stream.onerror = () => become(false);
  for (const kind of kinds) {
    stream.addEventListener(kind, (event) => tell(kind, (JSON.parse((event as MessageEvent<string>).data) as { name: string }).name));
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
  setInterval(() => { if (!document.hidden) follow(); }, askEvery);
}

export function useIsLive(): boolean {
  const [live, set] = useState(isLive);
  useEffect(() => {
    watchers.add(set);
    return () => void watchers.delete(set);
  }, []);
  return live;
}

export interface Resource<T> { data: T | null; error: string | null; since: string | null; again: () => void }

// Fetches a resource now, when `path` changes, and soon after an event that concerns it; never more often than every
// `pause` ms. What was there stays shown until there is something newer, also while the agent cannot be reached.
export function useResource<T>(path: string | null, concerns: (kind: Kind, name: string) => boolean, pause = 1000): Resource<T> {
  const [state, set] = useState<Omit<Resource<T>, "again">>({ data: null, error: null, since: null });
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
        (data) => set({ data, error: null, since: null }),
        (reason: Error) => {
          if (abort.signal.aborted) return;
          set((old) => ({ data: old.data, error: reason.message, since: old.since ?? new Date().toISOString() }));
        });
    };
    reload.current = () => { timer ??= window.setTimeout(load, Math.max(0, last + pause - Date.now())); };
    const listener: Listener = (kind, name) => { if (kind === "reset" || wanted.current(kind, name)) reload.current(); };
    listeners.add(listener);
    load();
    return () => { abort.abort(); clearTimeout(timer); listeners.delete(listener); };
  }, [path, pause]);
  return { ...state, again: () => reload.current() };
}
