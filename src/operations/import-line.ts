import { type CsvHeader, readFields, readHeader } from './csv.js';
import type { Line } from './lines.js';
import { COLUMNS, readRecord, type ReadRecord, readRow } from './user-record.js';

/** The error for a file that cannot be imported at all. No line of it was imported. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}

/** Reads a line of an import: as JSON, or with a header as CSV. */
export function readLine(line: Line, header: CsvHeader | undefined): ReadRecord {
  if ('refused' in line) return { ok: false, reason: line.refused };
  if (!header) {
    try {
      return readRecord(JSON.parse(line.text));
    } catch {
      return { ok: false, reason: 'The line is not JSON' };
    }
  }
  const fields = readFields(line.text, header.delimiter);
  if (!fields)
    return { ok: false, reason: 'The line is not CSV, or a field contains a line break' };
  if (fields.length !== header.columns.length) {
    return {
      ok: false,
      reason: `The line has ${fields.length} fields, not ${header.columns.length}`,
    };
  }
  return readRow(header.columns, fields);
}

/**
 * Reads the first line of a CSV file.
 *
 * @throws ImportError if the line does not name known columns, each once
 */
export function headerOf(line: Line): CsvHeader {
  const header = 'text' in line ? readHeader(line.text, COLUMNS) : undefined;
  const columns = header?.columns ?? [];
  if (header && (columns.includes('username') || columns.includes('email'))) return header;
  throw new ImportError(
    `The first line has to name columns, username or email among them. Known columns: ${COLUMNS.join(', ')}`,
  );
}
