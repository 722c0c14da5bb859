import { parse } from 'csv-parse/sync';

/** The columns of a CSV file, and their delimiter. */
export interface CsvHeader {
  columns: string[];
  delimiter: string;
}

/** Spreadsheets write semicolons in countries with decimal commas, and databases write tabs. */
const DELIMITERS = [',', ';', '\t'];

/**
 * Parses the first line of a file. It must name some of `known`, each once, in any case; otherwise the result
 * is undefined.
 */
export function readHeader(text: string, known: readonly string[]): CsvHeader | undefined {
  const names = new Map(known.map((name) => [name.toLowerCase(), name]));
  for (const delimiter of DELIMITERS) {
    const fields = readFields(text, delimiter) ?? [];
    const columns = fields.flatMap((field) => names.get(field.trim().toLowerCase()) ?? []);
    const isWhole = columns.length === fields.length && new Set(columns).size === columns.length;
    if (isWhole && columns.length > 0) return { columns, delimiter };
  }
  return undefined;
}

/** Returns the fields of one line; undefined if the line is not well-formed. */
export function readFields(text: string, delimiter: string): string[] | undefined {
  try {
    const [fields = []] = parse(text, { delimiter, relax_column_count: true });
    return fields;
  } catch {
    return undefined;
  }
}
