/** Turns the mode of a copied entry into the one it gets: `--chmod`. */
export type ModeChange = (mode: number, isDirectory: boolean) => number;

const CLASS_SHIFTS: ReadonlyMap<string, number> = new Map([
  ['u', 6],
  ['g', 3],
  ['o', 0],
]);

/**
 * `--chmod`: an octal number replaces the permission bits, setuid, setgid and sticky included; a symbolic mode is
 * applied as chmod(1) does, `X` meaning "execute, where it is a directory or somebody may execute already".
 * The value has been checked when the Dockerfile was evaluated.
 */
export function modeChange(chmod: string | undefined): ModeChange {
  if (chmod === undefined) return (mode) => mode;
  if (/^[0-7]+$/.test(chmod)) {
    const fixed = Number.parseInt(chmod, 8);
    return () => fixed;
  }
  const clauses = chmod.split(',');
  return (mode, isDirectory) => clauses.reduce((result, clause) => applyClause(result, clause, isDirectory), mode);
}

/** Mode of directories that COPY makes on the way: an octal `--chmod` is theirs too, a symbolic one is not (BuildKit's fsutil). */
export function createdMode(chmod: string | undefined): number {
  return chmod !== undefined && /^[0-7]+$/.test(chmod) ? Number.parseInt(chmod, 8) : 0o755;
}

function applyClause(mode: number, clause: string, isDirectory: boolean): number {
  const who = /^[ugoa]*/.exec(clause)?.[0] ?? '';
  const classes = who === '' || who.includes('a') ? ['u', 'g', 'o'] : [...who];
  let result = mode;
  for (const [, operator = '', letters = ''] of clause.slice(who.length).matchAll(/([-+=])([rwxXstugo]*)/g)) {
    const bits = classes.reduce((sum, name) => sum | classBits(name, letters, result, isDirectory), 0);
    const mask = classes.reduce((sum, name) => sum | classMask(name), 0);
    if (operator === '+') result |= bits;
    else if (operator === '-') result &= ~bits;
    else result = (result & ~mask) | bits;
  }
  return result;
}

function classMask(name: string): number {
  return (0o7 << (CLASS_SHIFTS.get(name) ?? 0)) | (name === 'u' ? 0o4000 : name === 'g' ? 0o2000 : 0o1000);
}

function classBits(name: string, letters: string, mode: number, isDirectory: boolean): number {
  const shift = CLASS_SHIFTS.get(name) ?? 0;
  let bits = 0;
  for (const letter of letters) {
    if (letter === 'r') bits |= 0o4 << shift;
    else if (letter === 'w') bits |= 0o2 << shift;
    else if (letter === 'x' || (letter === 'X' && (isDirectory || (mode & 0o111) !== 0))) bits |= 0o1 << shift;
    else if (letter === 's') bits |= name === 'u' ? 0o4000 : name === 'g' ? 0o2000 : 0;
    else if (letter === 't') bits |= 0o1000;
    else if (CLASS_SHIFTS.has(letter)) bits |= ((mode >> (CLASS_SHIFTS.get(letter) ?? 0)) & 0o7) << shift;
  }
  return bits;
}
