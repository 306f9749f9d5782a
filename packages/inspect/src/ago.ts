/** A duration in milliseconds the way Docker words it (`About a minute`, `3 weeks`), always rounded down but hours. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(seconds / 3600 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  const days = Math.floor(hours / 24);
  if (days < 14) return `${days} days`;
  if (days < 90) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(days / 365)} years`;
}

/** `3 weeks ago` for an RFC 3339 time, seen from `now` (milliseconds since 1970); `N/A` when absent, unreadable or zero. */
export function createdAgo(created: string | undefined, now: number): string {
  if (created === undefined || created.startsWith('0001-01-01')) return 'N/A';
  const time = Date.parse(created);
  return Number.isNaN(time) ? 'N/A' : `${humanDuration(now - time)} ago`;
}
