export { BoxwrightError, type BoxwrightErrorOptions, isBoxwrightError, UsageError } from './boxwright-error.ts';
export { closestMatch } from './closest-match.ts';
export { escapeForTerminal } from './escape.ts';
export { safeJson } from './safe-json.ts';
export { type FramedRange, sourceFrame } from './source-frame.ts';
