import { baseStyle } from './base.ts';
import { historyStyle } from './history.ts';
import { partsStyle } from './parts.ts';
import { treemapStyle } from './treemap.ts';

/** The style sheet of every page; the same for all, so that its hash is known. */
export const pageStyle: string = [baseStyle, partsStyle, historyStyle, treemapStyle].join('');
