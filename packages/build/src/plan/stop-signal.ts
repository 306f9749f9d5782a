import { constants } from 'node:os';
import { BoxwrightError, closestMatch } from '@boxwright/errors';

/** Checks a STOPSIGNAL argument as moby's signal package does: a number above 0 or a name with or without `SIG`. */
export function checkStopSignal(signal: string): void {
  if (/^\d+$/.test(signal)) {
    if (Number(signal) > 0) return;
  } else {
    const name = signal.toUpperCase().replace(/^SIG/, '');
    if (`SIG${name}` in constants.signals || /^RTM(IN(\+([1-9]|1[0-5]))?|AX(-([1-9]|1[0-4]))?)$/.test(name)) return;
  }
  const known = Object.keys(constants.signals);
  const near = closestMatch(signal, known);
  throw new BoxwrightError('DOCKERFILE_STOPSIGNAL', `STOPSIGNAL ${signal}: unknown signal`, {
    hint: near === undefined ? 'give a number or a name such as SIGTERM' : `did you mean ${near}?`,
  });
}
