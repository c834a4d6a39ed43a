// Loaded into every call of pi in a run. It keeps the model's tools inside the workspace and ends the call after so many turns.
// What is not known here is refused: a tool that a later pi brings, or a path that cannot be resolved.
import { existsSync, lstatSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

const WORKSPACE = realpathSync(process.env.AGENTJOBS_GUARD_WORKSPACE ?? "/workspace");
// bash leaves its long outputs in /tmp and tells the model to read them there.
const READABLE = [WORKSPACE, realpathSync("/tmp")];
const MAX_TURNS = Number(process.env.AGENTJOBS_GUARD_MAX_TURNS ?? "50");
const WRITERS = new Set(["write", "edit"]);
const READERS = new Set(["read", "ls"]);
const MAX_LINKS = 40;
// pi turns these into plain spaces, so a path with one would be another file than the one that was checked.
const UNICODE_SPACES = /[\u00A0\u2000-\u200A\u202F\u205F\u3000]/;

class Refusal extends Error {}

// Where a path really leads: every link followed, also one to a file that does not exist yet.
function real(path: string, links = MAX_LINKS): string {
  if (links === 0) throw new Refusal("too many links");
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(path);
    const place = join(folder === path ? path : real(folder, links - 1), basename(path));
    let target: string;
    try {
      if (!lstatSync(place).isSymbolicLink()) return place;
      target = readlinkSync(place);
    } catch {
      return place;
    }
    return real(resolve(dirname(place), target), links - 1);
  }
}

function inside(path: string, folders: string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(folder + "/"));
}

function allowed(tool: string, given: unknown): string {
  const text = given === undefined && tool === "ls" ? "." : given;
  if (typeof text !== "string" || text === "") throw new Refusal(`${tool} needs a path`);
  const path = real(resolve(WORKSPACE, text.replace(/^@/, "")));
  const folders = WRITERS.has(tool) ? [WORKSPACE] : READABLE;
  if (UNICODE_SPACES.test(path)) throw new Refusal("the path contains a space that is not ASCII");
  if (!inside(path, folders)) throw new Refusal(`${text} is outside ${folders.join(" and ")}`);
  // For a path that is not there pi tries other spellings (curly quotes, NFD, narrow spaces), and one of those may be a link that leads out.
  if (tool !== "write" && !existsSync(path)) throw new Refusal(`there is no ${text}`);
  return path;
}

function stops(turns: number): boolean {
  return Number.isFinite(MAX_TURNS) && turns >= MAX_TURNS;
}

export default function (pi: any) {
  let turns = 0;

  pi.on("tool_call", (event: any) => {
    const tool: string = event.toolName;
    if (tool === "bash") return undefined; // only there where it was asked for by name
    if (!WRITERS.has(tool) && !READERS.has(tool)) return { block: true, reason: `refused: there is no tool ${tool} in a run` };
    try {
      // What was checked is what is used: pi leaves an absolute path as it is.
      event.input.path = allowed(tool, event.input.path);
      return undefined;
    } catch (error) {
      const why = error instanceof Refusal ? error.message : "its path cannot be resolved";
      return { block: true, reason: `refused: ${tool}: ${why}` };
    }
  });

  // A request that failed and is tried again was no turn.
  pi.on("turn_end", (event: any, context: any) => {
    if (event.message.stopReason === "error") return;
    turns += 1;
    if (stops(turns) && event.toolResults.length > 0) context.abort();
  });
}
