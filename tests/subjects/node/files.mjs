// Files that are whole at any moment: lines that are added, and files that are replaced. And JSON that may be none.
import fs from "node:fs";

export const now = () => new Date(Date.now() - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 19).replace("T", " ");
export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
export const ascii = (value, indent) => JSON.stringify(value, null, indent)
  .replace(/[\u007f-\uffff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
export const attempt = (action, otherwise) => { try { return action(); } catch { return otherwise; } };
export const content = (file) => attempt(() => fs.readFileSync(file, "utf8"), "");
export const jsonObject = (text) => { const value = attempt(() => JSON.parse(text)); return isObject(value) ? value : {}; };

/** Adds one whole line, or leaves the file as it was. What is durable is on the disk when this comes back. */
export function append(file, record, durable = true) {
  const handle = fs.openSync(file, "a+", 0o600);
  const end = fs.fstatSync(handle).size, last = Buffer.alloc(1);
  try {
    const torn = end > 0 && fs.readSync(handle, last, 0, 1, end - 1) && last[0] !== 10;
    const line = Buffer.from((torn ? "\n" : "") + ascii(record) + "\n");
    if (fs.writeSync(handle, line) < line.length) throw Object.assign(new Error(), { code: "ENOSPC" });
    if (durable) fs.fsyncSync(handle);
  } catch (error) {
    attempt(() => fs.ftruncateSync(handle, end));
    throw error;
  } finally {
    fs.closeSync(handle);
  }
}

/** Puts a whole new file in the place of an old one. */
export function replace(file, text) {
  fs.writeFileSync(`${file}.tmp`, text, { mode: 0o600, flush: true });
  fs.renameSync(`${file}.tmp`, file);
}
