export { instructionLabel, layerWithoutRowLabel } from './instruction-label.ts';
export type { Language, Localized } from './language.ts';
