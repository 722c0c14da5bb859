import { readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { Injectable, Logger } from '@nestjs/common';
import type { CityResponse, Reader } from 'mmdb-lib';
import { FailureLog } from '../common/failure-log.js';
import { lazyPackage } from '../common/lazy-package.js';
import { isLocal } from '../common/network.js';
import { isOneLine } from '../common/printable.js';
import { Config } from '../config/config.js';
import type { Language } from '../html/language.js';
import { PLACES_SETTINGS } from './places.settings.js';

const mmdb = lazyPackage('mmdb-lib') as () => typeof import('mmdb-lib');

/** The types of MMDB databases whose records name a city or a country. Others describe networks. */
const WITH_PLACES = /city|country|enterprise|location/i;

/** The longest name of a city or a country; the longest that is in use has 168. */
const MAX_NAME = 200;

/** Finds the places of IP addresses in the operator's database. The places are shown, and never stored. */
@Injectable()
export class PlacesService {
  private readonly file: string | undefined;
  private readonly failures = new FailureLog('Reading GEOIP_DATABASE', new Logger('Places'));
  /** The database in memory, and the time of its file in milliseconds. */
  private database: { time: number; reader: Promise<Reader<CityResponse>> } | undefined;

  /** @throws Error if the file that `GEOIP_DATABASE` names is no such database */
  constructor(config: Config) {
    this.file = config.of(PLACES_SETTINGS).GEOIP_DATABASE;
    if (this.file === undefined) return;
    // A database has up to 150 MB. So it is in memory only after its first use.
    expectPlaces(this.file);
  }

  /**
   * Returns the places of addresses, such as `Berlin, Germany`, in a language if the database has it, or else in
   * English. Private and unknown addresses have none. If the file cannot be read, no address has one.
   */
  async of(addresses: string[], language: Language): Promise<ReadonlyMap<string, string>> {
    const places = new Map<string, string>();
    if (this.file === undefined) return places;
    try {
      const reader = await this.current(this.file);
      for (const address of addresses) {
        const place = placeOf(reader, address, language);
        if (place !== '') places.set(address, place);
      }
      this.failures.succeeded();
    } catch (error) {
      this.failures.failed(error);
    }
    return places;
  }

  /** Returns the database as it is in the file now: programs of its publisher replace the file each week. */
  private async current(file: string): Promise<Reader<CityResponse>> {
    const time = (await stat(file)).mtimeMs;
    if (time !== this.database?.time) {
      const content = readFile(file);
      const database = { time, reader: content.then(readerOf) };
      this.database = database;
      // The next request tries again. A file that was read, and is no database, waits for the next file.
      content.catch(() => {
        if (this.database === database) this.database = undefined;
      });
    }
    return this.database.reader;
  }
}

/** Returns the place of an address; empty if it has none. */
function placeOf(reader: Reader<CityResponse>, address: string, language: Language): string {
  const version = isIP(address);
  // In a database of IPv4 alone, the reader would take the first half of an IPv6 address for an IPv4 address.
  if (version === 0 || version > reader.metadata.ipVersion || isLocal(address)) return '';
  const { city, country } = reader.get(address) ?? {};
  const names: unknown[] = [city?.names, country?.names].map(
    (name) => name?.[language] ?? name?.en,
  );
  return names.filter(isName).join(', ');
}

/** Tells whether a page can show a name. Anybody may have written the database. */
const isName = (name: unknown): name is string =>
  typeof name === 'string' && name !== '' && name.length <= MAX_NAME && isOneLine(name);

/** @throws Error if a file cannot be read, or is not a database of places */
function expectPlaces(file: string): void {
  let fault = 'cannot be read';
  try {
    const bytes = readFileSync(file);
    fault = 'is not an MMDB database of places';
    readerOf(bytes);
  } catch (cause) {
    const reason = fault === 'cannot be read' ? `: ${(cause as Error).message}` : '';
    throw new Error(`The file that GEOIP_DATABASE names ${fault}${reason}`, { cause });
  }
}

/** @throws Error if it is not a database of places */
function readerOf(bytes: Buffer): Reader<CityResponse> {
  const reader = new (mmdb().Reader)<CityResponse>(bytes);
  const { databaseType } = reader.metadata;
  if (!WITH_PLACES.test(databaseType)) throw new Error(`Its type is ${databaseType}`);
  return reader;
}
