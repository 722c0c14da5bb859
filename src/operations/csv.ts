import { parse } from 'csv-parse/sync';

/** The columns of a CSV file, and what stands between them. */
export interface CsvHeader {
  columns: string[];
  delimiter: string;
}

/** Spreadsheets write semicolons in countries with decimal commas, and databases write tabs. */
const DELIMITERS = [',', ';', '\t'];

/** The first line of a file that names some of `known`, each once, in any case; undefined if it does not. */
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

/** The fields of one line; undefined where it is not well-formed. */
export function readFields(text: string, delimiter: string): string[] | undefined {
  try {
    const [fields = []] = parse(text, { delimiter, relax_column_count: true });
    return fields;
  } catch {
    return undefined;
  }
}
