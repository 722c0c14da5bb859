import type { FastifyRequest } from 'fastify';
import { type Language, languageOf } from '../html/language.js';

/** Returns the language of a page: the user's own, or else the one that the browser prefers. */
export const pageLanguage = ({ browserSession, headers }: FastifyRequest): Language =>
  languageOf(browserSession?.user.locale ?? headers['accept-language']);
