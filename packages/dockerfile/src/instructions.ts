/** A place in a Dockerfile: 1-based line, 1-based column counted in UTF-16 units of that line. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** From the first character up to, not including, `end`. */
export interface SourceRange {
  readonly start: Position;
  readonly end: Position;
}

/** What every instruction carries, whatever its kind. */
export interface InstructionBase {
  /** The instruction word in upper case: `RUN`, `HEALTHCHECK`. */
  readonly name: string;
  readonly range: SourceRange;
  /** The source text as written, first to last line, heredoc bodies included, without the last line break. */
  readonly original: string;
}

/** A here-document: `<<NAME`, `<<-NAME`, `<<"NAME"` and the lines up to NAME. */
export interface Heredoc {
  /** The delimiter without its quotes. */
  readonly name: string;
  /** The lines before the delimiter, each with its line feed, tabs of `<<-` still there. */
  readonly content: string;
  /** False when the delimiter was quoted: variables inside stay as they are. */
  readonly expand: boolean;
  /** True for `<<-`: leading tabs of each line are dropped when the content is used. */
  readonly chomp: boolean;
  /** The descriptor number before `<<`: 0 unless written. */
  readonly fileDescriptor: number;
}

/** A file whose content is in the Dockerfile: COPY and ADD with heredocs. */
export interface InlineFile {
  /** File name below the destination: the heredoc's delimiter. */
  readonly name: string;
  /** Tabs of `<<-` are already dropped. */
  readonly content: string;
  /** True when variables in the content are expanded. */
  readonly expand: boolean;
}

/** One `--mount=` of a RUN. */
export interface RunMount {
  readonly type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
  readonly target?: string;
  readonly source?: string;
  /** Stage name or number, image or named context; absent = the build context (bind) or nothing (cache). */
  readonly from?: string;
  /** Default: true for bind, false otherwise. */
  readonly readonly: boolean;
  readonly id?: string;
  /** Of cache mounts; default `shared`. */
  readonly sharing?: 'shared' | 'private' | 'locked';
  readonly required?: boolean;
  /** Permission bits. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Bytes, of tmpfs. */
  readonly size?: number;
  /** Environment variable that a secret is given in. */
  readonly env?: string;
}

export interface FromInstruction extends InstructionBase {
  readonly kind: 'from';
  /** Image, stage name, number or `scratch`, unexpanded. */
  readonly image: string;
  readonly platform?: string;
  /** Stage name as written; {@link Stage.name} is the lower-cased one. */
  readonly as?: string;
}

export interface RunInstruction extends InstructionBase {
  readonly kind: 'run';
  readonly form: 'shell' | 'exec';
  /** Shell form: the command line as BuildKit stores it (lines joined, indentation kept); with heredocs the line of the `<<NAME`. */
  readonly command: string;
  /** Exec form: the argument list; empty for the shell form. */
  readonly args: readonly string[];
  readonly heredocs: readonly Heredoc[];
  /** Parsed `--mount=` flags. Values with variables are only final after expandInstruction. */
  readonly mounts: readonly RunMount[];
  /** The `--mount=` values as written. */
  readonly mountTexts: readonly string[];
  readonly network?: 'default' | 'host' | 'none';
  readonly security?: 'sandbox' | 'insecure';
  /** `--device=` values as written. */
  readonly devices: readonly string[];
}

interface TransferFields {
  /** Sources in order; inline files are in `inline`, not here. */
  readonly sources: readonly string[];
  readonly inline: readonly InlineFile[];
  readonly dest: string;
  readonly chown?: string;
  readonly chmod?: string;
  readonly link: boolean;
  readonly exclude: readonly string[];
}

export interface CopyInstruction extends InstructionBase, TransferFields {
  readonly kind: 'copy';
  readonly from?: string;
  readonly parents: boolean;
}

export interface AddInstruction extends InstructionBase, TransferFields {
  readonly kind: 'add';
  readonly keepGitDir?: boolean;
  readonly checksum?: string;
  /** Absent: local archives are unpacked, downloaded ones are not. */
  readonly unpack?: boolean;
}

export interface KeyValuePair {
  readonly key: string;
  readonly value: string;
}

export interface EnvInstruction extends InstructionBase {
  readonly kind: 'env';
  /** True for the old form `ENV k rest of the line`. */
  readonly legacy: boolean;
  readonly pairs: readonly KeyValuePair[];
}

export interface LabelInstruction extends InstructionBase {
  readonly kind: 'label';
  /** True for the old form `LABEL k rest of the line`. */
  readonly legacy: boolean;
  readonly pairs: readonly KeyValuePair[];
}

/** One name of an ARG; no value = no default. */
export interface ArgDeclaration {
  readonly key: string;
  readonly value?: string;
}

export interface ArgInstruction extends InstructionBase {
  readonly kind: 'arg';
  readonly args: readonly ArgDeclaration[];
}

export interface WorkdirInstruction extends InstructionBase {
  readonly kind: 'workdir';
  readonly path: string;
}

export interface UserInstruction extends InstructionBase {
  readonly kind: 'user';
  readonly user: string;
}

export interface ExposeInstruction extends InstructionBase {
  readonly kind: 'expose';
  readonly ports: readonly string[];
}

export interface VolumeInstruction extends InstructionBase {
  readonly kind: 'volume';
  readonly paths: readonly string[];
}

interface CommandFields {
  readonly form: 'shell' | 'exec';
  /** Shell form: the command line; empty for the exec form. */
  readonly command: string;
  /** Exec form: the argument list, possibly empty; empty for the shell form. */
  readonly args: readonly string[];
}

export interface CmdInstruction extends InstructionBase, CommandFields {
  readonly kind: 'cmd';
}

export interface EntrypointInstruction extends InstructionBase, CommandFields {
  readonly kind: 'entrypoint';
}

export interface ShellInstruction extends InstructionBase {
  readonly kind: 'shell';
  readonly args: readonly string[];
}

export interface StopsignalInstruction extends InstructionBase {
  readonly kind: 'stopsignal';
  readonly signal: string;
}

export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: 'healthcheck';
  /** True for `HEALTHCHECK NONE`. */
  readonly none: boolean;
  /** As the config stores it: `['NONE']`, `['CMD', …]`, `['CMD-SHELL', text]`. */
  readonly test: readonly string[];
  readonly form: 'shell' | 'exec';
  /** Nanoseconds; absent or 0 = inherited. */
  readonly intervalNs?: number;
  readonly timeoutNs?: number;
  readonly startPeriodNs?: number;
  readonly startIntervalNs?: number;
  readonly retries?: number;
}

export interface OnbuildInstruction extends InstructionBase {
  readonly kind: 'onbuild';
  /** The trigger, parsed. */
  readonly instruction: Instruction;
  /** The trigger as the config's OnBuild stores it. */
  readonly text: string;
}

export interface MaintainerInstruction extends InstructionBase {
  readonly kind: 'maintainer';
  readonly author: string;
}

/** Everything that may follow FROM. */
export type Instruction =
  | RunInstruction
  | CopyInstruction
  | AddInstruction
  | EnvInstruction
  | LabelInstruction
  | ArgInstruction
  | WorkdirInstruction
  | UserInstruction
  | ExposeInstruction
  | VolumeInstruction
  | CmdInstruction
  | EntrypointInstruction
  | ShellInstruction
  | StopsignalInstruction
  | HealthcheckInstruction
  | OnbuildInstruction
  | MaintainerInstruction;

export type InstructionKind = Instruction['kind'];

/** Parser directives at the top of the file. */
export interface Directives {
  readonly escape: '\\' | '`';
  /** Kept as text, never fetched. */
  readonly syntax?: string;
  readonly check?: string;
}

/** A FROM and what follows it. */
export interface Stage {
  /** Position in the file, from 0. */
  readonly index: number;
  /** Lower-cased `AS` name. */
  readonly name?: string;
  readonly from: FromInstruction;
  readonly instructions: readonly Instruction[];
}

/** A finding that does not stop the build; `rule` is BuildKit's name of it. */
export interface LintWarning {
  readonly rule: string;
  readonly message: string;
  readonly range: SourceRange;
  /** Index of the stage for rules that BuildKit applies only to stages it builds; absent for rules about the whole file. */
  readonly stage?: number;
}

/** A parsed Dockerfile: nothing is expanded. */
export interface Dockerfile {
  /** Path as given by the caller, for messages. */
  readonly file: string;
  /** The text that ranges point into, without byte order mark. */
  readonly text: string;
  readonly directives: Directives;
  /** ARG before the first FROM. */
  readonly metaArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
  readonly warnings: readonly LintWarning[];
}
