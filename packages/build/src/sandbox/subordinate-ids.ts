/** A run of consecutive user or group ids of the host. */
export interface IdRange {
  readonly first: number;
  readonly count: number;
}

/** The ranges that a user may map into user namespaces, from the text of /etc/subuid or /etc/subgid: subuid(5). */
export function parseSubordinateIds(text: string, name: string, uid: number): IdRange[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([^:]+):(\d+):(\d+)$/.exec(line.trim());
    if (match === null || (match[1] !== name && match[1] !== String(uid))) return [];
    const range = { first: Number(match[2]), count: Number(match[3]) };
    return range.count > 0 && range.first + range.count <= 0xffffffff ? [range] : [];
  });
}

/** The ids that exist inside a user namespace, from its `/proc/PID/uid_map` or `gid_map`: user_namespaces(7). */
export function parseIdMap(text: string): IdRange[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/).map(Number);
    const [first, , count] = fields;
    return fields.length === 3 && first !== undefined && count !== undefined ? [{ first, count }] : [];
  });
}

/** True when some range has the id. */
export function hasId(ranges: readonly IdRange[], id: number): boolean {
  return ranges.some(({ first, count }) => id >= first && id < first + count);
}
