/** Something wrong in a configuration file, at a place that a person can go to. */
export interface Problem {
  /** The file as it should be shown, such as `infra/config/agents.yaml`. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1. */
  readonly column: number;
  /** What is wrong and what to do, in one sentence. */
  readonly message: string;
}

/** All that is wrong in a configuration folder; `message` has one line for each. */
export class ConfigurationProblems extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(lineOf).join('\n'));
    this.name = 'ConfigurationProblems';
    this.problems = problems;
  }
}

function lineOf(problem: Problem): string {
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.message}`;
}
