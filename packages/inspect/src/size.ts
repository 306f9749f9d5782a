const pageUnits = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;
const dockerUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/**
 * Bytes as an image page prints them: decimal units with a capital K, always two decimals (`697.00B`, `547.58KB`).
 * The unit steps up when rounding would print `1000.00`.
 */
export function formatSize(bytes: number): string {
  const { value, unit } = scale(bytes, 2);
  return `${value.toFixed(2)}${pageUnits[unit] ?? ''}`;
}

/**
 * Bytes as Docker's command line prints them: decimal units, three significant digits (`697B`, `1.38kB`, `548kB`).
 * Docker itself prints `1e+03kB` just below a unit's end; here the unit steps up.
 */
export function formatSizeShort(bytes: number): string {
  let { value, unit } = scale(bytes, 2);
  if (Number(value.toPrecision(3)) >= 1000 && unit < dockerUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(3))}${dockerUnits[unit] ?? ''}`;
}

/**
 * Bytes as BuildKit's progress prints them: whole bytes, otherwise two decimals (`31B`, `3.41MB`).
 */
export function formatSizeProgress(bytes: number): string {
  const { value, unit } = scale(bytes, 2);
  return `${unit === 0 ? String(Math.round(value)) : value.toFixed(2)}${dockerUnits[unit] ?? ''}`;
}

/** Divides by 1000 until the value, rounded to `decimals`, is below 1000 or the units are used up. */
function scale(bytes: number, decimals: number): { value: number; unit: number } {
  let value = bytes;
  let unit = 0;
  while (unit < pageUnits.length - 1 && Number(value.toFixed(decimals)) >= 1000) {
    value /= 1000;
    unit += 1;
  }
  return { value, unit };
}
