/**
 * JSON in which the characters that could steer a terminal (C1 controls, DEL, bidirectional controls) are written as
 * `\u` escapes too; JSON itself only demands that of C0 controls. The value read back is the same.
 */
export function safeJson(value: unknown, indent?: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is searched for
  return (JSON.stringify(value, undefined, indent) ?? 'null').replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
