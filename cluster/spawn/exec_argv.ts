/**
 * Options of Node that a child with a file of its own can have too: without the program of `node -e`, which Node's own `fork`
 * leaves out as well, and what says how to read it.
 */
export function inheritedExecArgv(): string[] {
  const found: string[] = [];
  let isProgram = false;
  for (const option of process.execArgv) {
    if (/^(?:-e|-p|-pe|--eval|--print|--input-type)$/.test(option)) isProgram = true;
    else if (isProgram) isProgram = false;
    else if (!/^--(?:eval|print|input-type)=/.test(option)) found.push(option);
  }
  return found;
}

/** Options of the whole process are refused for a thread. */
export function threadExecArgv(execArgv: string[]): string[] {
  return execArgv.filter((option) => !/^--(?:inspect|title|max-|stack-|expose-gc)/.test(option));
}
