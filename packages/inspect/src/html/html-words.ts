import type { Language } from '../labels/language.ts';

/** Words of an HTML page that are neither in the image nor in the text form. */
const words = {
  contents: { zh: '目录', en: 'Contents' },
  skip: { zh: '跳到正文', en: 'Skip to content' },
  overview: { zh: '概览', en: 'Overview' },
  image: { zh: '镜像', en: 'Image' },
  size: { zh: '大小', en: 'Size' },
  sizeNote: { zh: '解压后', en: 'uncompressed' },
  transfer: { zh: '下载大小', en: 'Transfer size' },
  transferNote: { zh: '各层存储的大小', en: 'layers as stored' },
  platform: { zh: '平台', en: 'Platform' },
  layers: { zh: '镜像层', en: 'Layers' },
  created: { zh: '构建时间', en: 'Created' },
  notRead: { zh: '未读取', en: 'not read' },
  unknown: { zh: '未知', en: 'unknown' },
  names: { zh: '名称', en: 'Names' },
  digests: { zh: '仓库摘要', en: 'Repository digests' },
  imageId: { zh: '镜像 ID', en: 'Image ID' },
  manifest: { zh: '清单摘要', en: 'Manifest digest' },
  mediaType: { zh: '清单类型', en: 'Manifest type' },
  osVersion: { zh: '系统版本', en: 'OS version' },
  author: { zh: '作者', en: 'Author' },
  comment: { zh: '备注', en: 'Comment' },
  dockerVersion: { zh: 'Docker 版本', en: 'Docker version' },
  run: { zh: '运行方式', en: 'What runs' },
  entrypoint: { zh: '入口命令', en: 'Entrypoint' },
  command: { zh: '默认命令', en: 'Command' },
  user: { zh: '用户', en: 'User' },
  userDefault: { zh: 'root（未设置）', en: 'root (not set)' },
  workingDirectory: { zh: '工作目录', en: 'Working directory' },
  ports: { zh: '端口', en: 'Ports' },
  volumes: { zh: '数据卷', en: 'Volumes' },
  shell: { zh: 'Shell', en: 'Shell' },
  stopSignal: { zh: '停止信号', en: 'Stop signal' },
  healthcheck: { zh: '健康检查', en: 'Health check' },
  onBuild: { zh: '后续构建触发', en: 'On build' },
  none: { zh: '无', en: 'none' },
  pull: { zh: '拉取镜像', en: 'Pull' },
  pullNote: {
    zh: '点击命令即可全选，再复制。',
    en: 'A click on a command selects all of it, ready to copy.',
  },
  pullLocalNote: {
    zh: '此镜像读自本机；仓库中同名的镜像可能不同，按摘要拉取则必定相同。',
    en: 'This image was read locally: what a registry has under its name may differ; by digest it cannot.',
  },
  pullByTag: { zh: '按标签', en: 'By tag' },
  pullByDigest: { zh: '按摘要（内容固定不变）', en: 'By digest: exactly this content' },
  pullMirror: { zh: '从镜像站拉取并改回原名', en: 'From a mirror, then named as the original' },
  historyNote: {
    zh: '从新到旧。横条为该层大小与最大层之比。',
    en: 'Newest first. Bars compare each layer with the largest one.',
  },
  entries: { zh: '条记录', en: 'entries' },
  layerBar: { zh: '各层大小，从旧到新', en: 'Sizes of the layers, oldest first' },
  runTone: { zh: '执行命令', en: 'commands' },
  copyTone: { zh: '复制文件', en: 'copied files' },
  otherTone: { zh: '其他', en: 'other' },
  settings: { zh: '设置', en: 'settings' },
  buildArguments: { zh: '构建参数', en: 'Build arguments' },
  detail: { zh: '详情', en: 'details' },
  asRecorded: { zh: '原始记录', en: 'As recorded' },
  layer: { zh: '层', en: 'Layer' },
  blob: { zh: '层摘要', en: 'Blob digest' },
  noInstruction: { zh: '没有记录指令', en: 'no instruction recorded' },
  fromBase: { zh: '以下来自基础镜像', en: 'From here on: the base image' },
  bytes: { zh: '空间分布', en: 'Where the bytes are' },
  bytesOfFiles: {
    zh: '最终文件系统中的文件，面积与大小成正比。',
    en: 'Files of the final file system. Areas are proportional to sizes.',
  },
  bytesOfLayers: {
    zh: '各镜像层，面积与大小成正比；点击可查看对应的构建记录。',
    en: 'Layers. Areas are proportional to sizes; each leads to its history entry.',
  },
  largest: { zh: '最大的文件', en: 'Largest files' },
  others: { zh: '其他', en: 'others' },
  waste: { zh: '空间浪费', en: 'Waste' },
  efficiency: { zh: '空间利用率', en: 'Efficiency' },
  wasted: { zh: '浪费', en: 'Wasted' },
  noWaste: { zh: '没有文件在多个层中重复。', en: 'No file is in more than one layer.' },
  path: { zh: '路径', en: 'Path' },
  copies: { zh: '份数', en: 'Copies' },
  moreFiles: { zh: '另有文件未列出', en: 'more files are not listed' },
  environment: { zh: '环境变量', en: 'Environment' },
  labels: { zh: '标签', en: 'Labels' },
  name: { zh: '名称', en: 'Name' },
  value: { zh: '值', en: 'Value' },
  dockerfile: { zh: 'Dockerfile（推测还原）', en: 'Dockerfile, reconstructed' },
  infoShort: { zh: '镜像信息', en: 'Info' },
  madeBy: { zh: '由 Boxwright 生成', en: 'Made by Boxwright' },
  timesIn: { zh: '时间为', en: 'Times are in' },
} as const;

/** Names of the words. */
export type HtmlWord = keyof typeof words;

/** Says a word in the page's language. */
export type Say = (word: HtmlWord) => string;

/** The words of a language. */
export function sayIn(language: Language): Say {
  return (word) => words[word][language];
}
