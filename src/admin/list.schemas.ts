import { z } from 'zod';
import { storableText, timeSchema } from '../common/validation.js';

/** The most rows of one page. */
const MAX_LIMIT = 100;

const error = `The limit is a whole number from 1 to ${MAX_LIMIT}`;

/** The query parameters of every list: the length of a page, and where it begins. */
export const pageParameters = {
  limit: z.coerce
    .number({ error })
    .int({ error })
    .min(1, { error })
    .max(MAX_LIMIT, { error })
    .default(50),
  cursor: storableText('cursor', 2048).optional().describe('The `next` of the page before'),
};

/** A time in a query or a body. */
export const timeParameter = (name: string) =>
  timeSchema(`The ${name} has to be a time such as 2030-12-31T12:00:00Z`);
