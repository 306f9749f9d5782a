/** Turns the mode of a copied entry into the one it gets: `--chmod`. */
export type ModeChange = (mode: number, isDirectory: boolean) => number;

const SET_USER = 0o4000;
const SET_GROUP = 0o2000;
const STICKY = 0o1000;
const EXECUTE = 0o111;
/** What `a` stands for: everything but the sticky bit. */
const ALL = 0o6777;

const CLASSES: ReadonlyMap<string, { readonly shift: number; readonly mask: number }> = new Map([
  ['u', { shift: 6, mask: SET_USER | 0o700 }],
  ['g', { shift: 3, mask: SET_GROUP | 0o070 }],
  ['o', { shift: 0, mask: 0o007 }],
]);

const PERMISSIONS: ReadonlyMap<string, number> = new Map([
  ['r', 0o444],
  ['w', 0o222],
  ['x', EXECUTE],
]);

/**
 * `--chmod`: an octal number replaces the permission bits, setuid, setgid and sticky included. A symbolic mode follows
 * BSD's setmode(3), as BuildKit does, which is not quite chmod(1) of GNU: `X` looks at the mode from before the whole
 * change, `o+t` does nothing, `u=g` keeps setuid. Without a class all are meant; no umask applies.
 * The value has been checked when the Dockerfile was evaluated.
 */
export function modeChange(chmod: string | undefined): ModeChange {
  if (chmod === undefined) return (mode) => mode;
  if (isOctal(chmod)) {
    const fixed = Number.parseInt(chmod, 8);
    return () => fixed;
  }
  const clauses = chmod.split(',');
  return (mode, isDirectory) => {
    const mayExecute = isDirectory || (mode & EXECUTE) !== 0;
    return clauses.reduce((result, clause) => applyClause(result, clause, mayExecute), mode);
  };
}

/**
 * Mode of directories that COPY makes on the way: an octal `--chmod` is theirs too, as mkdir(2) takes it under the usual
 * umask; a symbolic one is not (BuildKit's fsutil).
 */
export function createdMode(chmod: string | undefined): number {
  return chmod !== undefined && isOctal(chmod) ? Number.parseInt(chmod, 8) & 0o755 : 0o755;
}

function isOctal(chmod: string): boolean {
  return /^[0-7]+$/.test(chmod);
}

/** One clause: classes, then an operator and permissions as often as there are. */
function applyClause(mode: number, clause: string, mayExecute: boolean): number {
  const classes = /^[ugoa]*/.exec(clause)?.[0] ?? '';
  let result = mode;
  for (const [, operator = '', letters = ''] of clause.slice(classes.length).matchAll(/([-+=])([^-+=]*)/g)) {
    result = applyOperation(result, classes, operator, letters, mayExecute);
  }
  return result;
}

function applyOperation(mode: number, classes: string, operator: string, letters: string, mayExecute: boolean): number {
  let who = 0;
  for (const name of classes) who |= CLASSES.get(name)?.mask ?? ALL;
  const isOtherAlone = classes !== '' && (who & ~0o007) === 0;
  let result = mode;
  let bits = 0;
  let isApplied = false;
  const apply = (): void => {
    // Only now: `t` may have joined the classes.
    const affected = who === 0 ? ALL | STICKY : who;
    if (operator === '-') result &= ~(bits & affected);
    else result = (operator === '=' ? result & ~(who === 0 ? ALL : who) : result) | (bits & affected);
    bits = 0;
    isApplied = true;
  };
  for (const letter of letters) {
    const source = CLASSES.get(letter);
    if (source !== undefined) {
      if (bits !== 0) apply();
      result = copyBits(result, classes, operator, (result >> source.shift) & 0o7);
      isApplied = true;
    } else if (letter === 'X') {
      if (mayExecute) bits |= EXECUTE;
    } else if (letter === 's') {
      if (!isOtherAlone) bits |= SET_USER | SET_GROUP;
    } else if (letter === 't') {
      if (!isOtherAlone) {
        who |= STICKY;
        bits |= STICKY;
      }
    } else bits |= PERMISSIONS.get(letter) ?? 0;
  }
  if (bits !== 0 || !isApplied) apply();
  return result;
}

/** `g=u` and the like: three bits to each class, setuid, setgid and sticky left alone. */
function copyBits(mode: number, classes: string, operator: string, bits: number): number {
  let result = mode;
  for (const [name, { shift }] of CLASSES) {
    if (classes !== '' && !classes.includes('a') && !classes.includes(name)) continue;
    if (operator === '=') result &= ~(0o7 << shift);
    if (operator === '-') result &= ~(bits << shift);
    else result |= bits << shift;
  }
  return result;
}
