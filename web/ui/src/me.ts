// Who reads this page, and whether the agent lets them act.
import { useEffect, useState } from "preact/hooks";

import type { Me, Page } from "./api";
import { get } from "./api";

// An agent without logins lets everybody act, and has no names.
const nobody: Me = { name: null, right: "operate", login: "none", groups: null };
// Until the agent has said who it is, nobody is offered what they may not do.
const stranger: Me = { name: null, right: "read", login: "user", groups: null };
let me: Me = stranger;
let groups: string[] = [];
const watchers = new Set<() => void>();
const tell = () => {
  for (const watcher of watchers) watcher();
};

export function askWhoIAm() {
  get<Page<{ group: string }>>("/api/v1/groups?shares=no").then(
    ({ items }) => {
      groups = items.map((one) => one.group).filter(Boolean);
      tell();
    },
    () => {},
  );
  const be = (found: Me) => {
    me = found;
    tell();
  };
  get<Me>("/api/v1/whoami").then(be, () => be(nobody));
}

function useWatched<T>(read: () => T): T {
  const [one, set] = useState(read);
  useEffect(() => {
    const watcher = () => set(read);
    watcher();
    watchers.add(watcher);
    return () => void watchers.delete(watcher);
  }, []);
  return one;
}
export const useMe = () => useWatched(() => me);
export const useGroups = () => useWatched(() => groups); // of the watched domains
// What is about everything at once is for those who are here for everything.
export const useMayActOnAll = () => {
  const { right, groups } = useMe();
  return right === "operate" && groups === null;
};
export const useMayAct = () => useMe().right === "operate";
