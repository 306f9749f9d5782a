export type {
  PageDockerfile,
  PageExtras,
  PageSecret,
  PageTreeNode,
  PageWaste,
  PageWastedFile,
} from './page-extras.ts';
export { pageHtml, pageHtmlPolicy } from './page-html.ts';
export { type PullCommand, type PullTarget, pullTargets } from './pull-commands.ts';
