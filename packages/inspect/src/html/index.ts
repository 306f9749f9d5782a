export { pageDockerfile } from './page-dockerfile.ts';
export type {
  PageDockerfile,
  PageExtras,
  PageTreeNode,
  PageWaste,
} from './page-extras.ts';
export { pageFileTree } from './page-file-tree.ts';
export { pageHtml, pageHtmlPolicy } from './page-html.ts';
export { type PullCommand, type PullTarget, pullTargets } from './pull-commands.ts';
