import type { HistoryInstruction, InstructionKind, PairsInstruction } from '../instructions/instruction.ts';
import type { Localized } from './language.ts';

/**
 * What each instruction does, in a few words. The Chinese of RUN, COPY, ENV, ARG, LABEL, WORKDIR, USER, EXPOSE, CMD and
 * ENTRYPOINT is that of the mirror sites' pages, to the letter; the rest is ours in their manner.
 */
const labels: Readonly<Record<InstructionKind, Localized>> = {
  RUN: { zh: '执行命令并创建新的镜像层', en: 'run a command and make a new layer' },
  COPY: { zh: '复制新文件或目录到容器中', en: 'copy files or directories into the image' },
  ADD: { zh: '添加文件、目录或远程文件到容器中', en: 'add files, directories, archives or remote files' },
  ENV: { zh: '设置环境变量', en: 'set environment variable' },
  ARG: { zh: '定义构建参数', en: 'declare a build argument' },
  LABEL: { zh: '添加元数据标签', en: 'add metadata labels' },
  WORKDIR: { zh: '设置工作目录为', en: 'set the working directory to' },
  USER: { zh: '指定运行容器时使用的用户', en: 'set the user that containers run as' },
  EXPOSE: { zh: '声明容器运行时监听的端口', en: 'declare the ports that containers listen on' },
  CMD: { zh: '设置默认要执行的命令', en: 'set the default command' },
  ENTRYPOINT: { zh: '配置容器启动时运行的命令', en: 'set the program that containers start' },
  VOLUME: { zh: '声明数据卷挂载点', en: 'declare mount points for volumes' },
  HEALTHCHECK: { zh: '设置容器健康检查命令', en: 'set how the health of containers is checked' },
  STOPSIGNAL: { zh: '设置停止容器时发送的信号', en: 'set the signal that stops containers' },
  SHELL: { zh: '指定默认使用的 shell', en: 'set the shell of later instructions' },
  ONBUILD: { zh: '添加供后续构建触发的指令', en: 'add an instruction for builds from this image' },
  MAINTAINER: { zh: '指定镜像维护者', en: 'name the maintainer' },
  FROM: { zh: '指定基础镜像', en: 'start from a base image' },
};

/** The label of a row whose layer no history entry names. */
export const layerWithoutRowLabel: Localized = { zh: '没有构建记录的镜像层', en: 'layer that no history entry names' };

/** What an instruction does. ENV names its variables, WORKDIR its directory. Not escaped. */
export function instructionLabel(instruction: HistoryInstruction): Localized {
  const label = labels[instruction.kind];
  if (instruction.kind === 'ENV') return variablesLabel(label, instruction);
  if (instruction.kind !== 'WORKDIR') return label;
  return { zh: `${label.zh}${instruction.value}`, en: `${label.en} ${instruction.value}` };
}

function variablesLabel(label: Localized, { pairs }: PairsInstruction): Localized {
  if (pairs.length === 0) return label;
  const names = pairs.map((pair) => pair.name);
  return {
    zh: `${label.zh} ${names.join('、')}`,
    en: `${label.en}${names.length > 1 ? 's' : ''} ${names.join(', ')}`,
  };
}
