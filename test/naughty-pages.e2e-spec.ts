import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { type DataSource, Not } from 'typeorm';
import { Passkey } from '../src/passkeys/passkey.entity.js';
import { Session } from '../src/sessions/session.entity.js';
import { TotpFactor } from '../src/totp/totp-factor.entity.js';
import { User } from '../src/users/user.entity.js';
import { signedInBrowser } from './support/account-pages.js';
import { openBrowser, watch } from './support/page-checks.js';
import { GOOD_PASSWORD, type Server, startServer } from './support/server.js';

const dir = process.env.CORPORA_DIR;

/** The strings at once on a page; that of the activity shows no more events. */
const BATCH = 25;

/**
 * Joins strings to names as long as their columns allow, so that the pages need not be opened for each one. Parsers of
 * HTML read each line end as LF.
 */
function packed(strings: string[]): string[] {
  const names: string[] = [];
  for (const text of strings.map((one) =>
    one.slice(0, 255).toWellFormed().replaceAll(/\r\n?/g, '\n'),
  )) {
    const longer = `${names.at(-1) ?? ''} ${text}`;
    if (names.length > 0 && longer.length <= 255) names[names.length - 1] = longer;
    else names.push(text);
  }
  return names.filter((name) => name.trim() !== '');
}

/** What a document shows: its elements with the names of their attributes, and the texts of those that may differ. */
interface Shown {
  shape: string[];
  texts: string[];
  values: string[];
}

/** Reads documents by the parser of the browser. */
const read = (page: Page, documents: string[]): Promise<Shown[]> =>
  page.evaluate(
    (sources) =>
      sources.map((source) => {
        const parsed = new DOMParser().parseFromString(source, 'text/html');
        const all = [...parsed.querySelectorAll('*')];
        return {
          shape: all.map((one) => [one.localName, ...one.getAttributeNames()].join(' ')),
          texts: [...parsed.querySelectorAll('h1, label, strong')].map((one) => one.textContent),
          values: [...parsed.querySelectorAll('input')].map(
            (one) => one.getAttribute('value') ?? '',
          ),
        };
      }),
    documents,
  );

(dir && process.env.TEST_CHROMIUM ? describe : describe.skip)(
  'naughty strings on pages (need CORPORA_DIR and chromium)',
  () => {
    let server: Server;
    let browser: Browser;
    let owner: Awaited<ReturnType<typeof signedInBrowser>>;
    let page: Page;
    let parser: Page;
    let said: string[];
    let strings: string[];
    beforeAll(async () => {
      const all = JSON.parse(readFileSync(join(dir ?? '', 'blns.json'), 'utf8')) as string[];
      strings = packed(all);
      expect(strings.length).toBeGreaterThan(BATCH);
      [server, browser] = await Promise.all([startServer(), openBrowser()]);
      owner = await signedInBrowser(server);
      const context = await browser.newContext();
      said = watch(context);
      await context.addCookies(
        [...owner.visitor.cookies].map(([name, value]) => ({ name, value, url: server.url })),
      );
      page = await context.newPage();
      // The policy of our pages allows no script to parse HTML.
      parser = await context.newPage();
    }, 120_000);
    afterAll(async () => {
      await browser.close();
      await server.stop();
    });

    /** Gives the user these names, however the database came to hold them. */
    const rename = (db: DataSource, name: string) =>
      db.getRepository(User).update(owner.id, { username: name, displayName: name });

    it('the names of an account are text on every page that shows them', async () => {
      const paths = ['/account', '/account/profile', '/account/delete'];
      const documents = await server.withDatabase(async (db) => {
        const found: string[] = [];
        for (const name of ['plain', ...strings]) {
          await rename(db, name);
          for (const path of paths) found.push((await owner.visitor.get(path)).text);
        }
        await rename(db, 'plain');
        return found;
      });
      const [overview, profile, deletion, ...shown] = await read(parser, documents);
      for (const [index, name] of strings.entries()) {
        const [first, second, third] = shown.slice(index * paths.length);
        expect(first).toEqual({
          ...overview,
          texts: overview?.texts.map((text) => text.replace('plain', () => name)),
        });
        expect(second).toEqual({
          ...profile,
          values: profile?.values.map((value) => (value === 'plain' ? name : value)),
        });
        expect(third).toEqual({
          ...deletion,
          texts: deletion?.texts.map((text) => text.replace('plain', () => name)),
        });
      }
    }, 30_000);

    /** Gives the user's factors these names. */
    const nameFactors = (db: DataSource, names: string[]) =>
      db.transaction(async (manager) => {
        const userId = owner.id;
        await manager.delete(Passkey, { userId });
        await manager.delete(TotpFactor, { userId });
        for (const [index, name] of names.entries()) {
          const time = new Date(index + 1);
          const common = { userId, name, createdAt: time, lastUsedAt: null };
          const id = randomUUID();
          const passkey = {
            ...common,
            id,
            credentialId: id,
            publicKey: 'x',
            signCount: 0,
            rpId: 'x',
          };
          const ofModel = { transports: '', aaguid: 'x', backupEligible: true, backedUp: true };
          await manager.insert(Passkey, { ...passkey, ...ofModel });
          const app = { ...common, id: randomUUID(), sealed: 'x', sealedBy: 'x', lastStep: 0 };
          await manager.insert(TotpFactor, { ...app, confirmedAt: time });
        }
      });

    /** Signs the user in once with each user agent, and ends the sessions of other ones. */
    async function signInWith(db: DataSource, own: string, userAgents: string[]): Promise<void> {
      await nameFactors(db, []);
      await db.getRepository(Session).delete({ userId: owner.id, id: Not(own) });
      for (const text of userAgents) {
        // The value of a header is bytes without control characters.
        const userAgent = Buffer.from(text.replaceAll(/\p{Cc}/gu, ' ')).toString('latin1');
        const body = JSON.stringify({ username: owner.username, password: GOOD_PASSWORD });
        const headers = { 'content-type': 'application/json', 'user-agent': userAgent };
        const { status } = await fetch(`${server.url}/login`, { method: 'POST', headers, body });
        expect(status).toBe(200);
      }
    }

    it('names of factors are text, and user agents no part of a page', async () => {
      await server.withDatabase(async (db) => {
        const { id: own } = await db.getRepository(Session).findOneByOrFail({ userId: owner.id });
        /** Opens the pages with these strings in a tab. Returns their documents, and those of the factors. */
        const shownWith = async (texts: string[]): Promise<Shown[]> => {
          await signInWith(db, own, texts);
          await nameFactors(db, texts);
          const documents: string[] = [];
          for (const path of ['/sessions', '/activity', '/factors']) {
            await page.goto(`${server.url}/account${path}`);
            documents.push((await owner.visitor.get(`/account${path}`)).text);
          }
          const links = [
            ...(documents[2] ?? '').matchAll(/href="(\/account\/factors\/[\w-]{36})"/g),
          ];
          for (const [, path = ''] of links) documents.push((await owner.visitor.get(path)).text);
          return read(parser, documents);
        };
        const plain = await shownWith(new Array<string>(BATCH).fill('plain'));
        const shapes = (shown: Shown[]) => shown.map(({ shape }) => shape);
        for (let at = 0; at < strings.length; at += BATCH) {
          const texts = strings.slice(Math.min(at, strings.length - BATCH)).slice(0, BATCH);
          const shown = await shownWith(texts);
          expect(shapes(shown)).toEqual(shapes(plain));
          const [sessions, activity, factors, ...each] = shown;
          const known = /^(?:[\w .]+(?:, [\w .]+)?|Unknown device)$/;
          expect([...(sessions?.texts ?? [])].filter((text) => !known.test(text))).toEqual([]);
          expect(activity?.texts).toEqual(plain[1]?.texts);
          const twice = texts.flatMap((text) => [text, text]).sort();
          expect(factors?.texts.slice(1).sort()).toEqual(twice);
          expect(each.map(({ values }) => values[1]).sort()).toEqual(twice);
        }
      });
      expect(said).toEqual([]);
    }, 30_000);
  },
);
