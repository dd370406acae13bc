/** What cannot be shown, why, and what to do: in words for whoever looks at the page. */
export class Failure extends Error {
  constructor(readonly what: string, readonly why: string, readonly remedy: string) {
    super(`${what} ${why} ${remedy}`);
    this.name = "Failure";
  }
}

/** Makes what is not there or older than what it is made of. */
export const RERUN = "Run the workflow again, with the configuration of the run: latentmap run --configfile CONFIG.yaml -- explore";
export const REWRITE =
  "Write the explorer again, with the configuration of the run: latentmap run --configfile CONFIG.yaml -- explore --forcerun write_explorer";

export function missingFile(path: string, why: string): Failure {
  return new Failure(`${path} could not be read.`, why, REWRITE);
}

export function damagedFile(path: string, why: string): Failure {
  return new Failure(`${path} is damaged or belongs to another run.`, why, REWRITE);
}

export function notInParts(path: string): Failure {
  return new Failure(
    `${path} cannot be read in part.`, "This server sends whole files only.", "Open the run with `latentmap view`.",
  );
}

/** Any error in words; those of our own are kept. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new Failure("Something went wrong in this page.", why, "Load the page again.");
}
